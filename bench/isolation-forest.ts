// The isolation forest against scikit-learn's: how well planted anomalies are told from ordinary rows (area under the
// ROC curve) on made-up rows of three kinds, 100 trees of 256 rows, and the time of training and scoring.
// Usage: node bench/isolation-forest.ts [data sets of each kind = 3]
// scikit-learn is installed into node_modules/.cache by pip the first time; Python 3 must be there.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { seededRandom } from '../src/base/random.ts';
import { systemClock } from '../src/base/time.ts';
import type { FeatureTable } from '../src/ml/frame/encoding.ts';
import { anomalyScores, trainIsolationForest } from '../src/ml/anomaly/isolation-forest.ts';
import { pauseBy } from '../src/ml/learners/learner.ts';
import { areaUnderRoc } from '../src/ml/metrics/ranking.ts';
import { pythonWith } from './python.ts';

const rowCount = 10_000;
const columnCount = 8;
const anomalyShare = 0.02;

interface Data {
  /** Row-major. */
  rows: Float64Array;
  isAnomaly: Uint8Array;
}

interface Outcome {
  area: number;
  seconds: number;
}

const setCount = Number(process.argv[2] ?? 3);
const python = pythonWith(['scikit-learn']);
for (const kind of ['scattered', 'two clusters', 'a third of the columns'] as const) {
  const outcomes: { ours: Outcome; theirs: Outcome }[] = [];
  for (let seed = 1; seed <= setCount; seed++) {
    const data = makeData(kind, seed);
    outcomes.push({ ours: await ours(data, seed), theirs: theirs(data, seed) });
  }
  const mean = (of: (outcome: { ours: Outcome; theirs: Outcome }) => number): number =>
    outcomes.reduce((sum, outcome) => sum + of(outcome), 0) / outcomes.length;
  console.log(
    `${kind}: AUC ours ${mean((one) => one.ours.area).toFixed(4)} (${mean((one) => one.ours.seconds).toFixed(2)} s), scikit-learn ${mean((one) => one.theirs.area).toFixed(4)} (${mean((one) => one.theirs.seconds).toFixed(2)} s)`,
  );
}

/** Ordinary rows in one or two clouds; anomalies spread over a box, or off in some of the columns only. */
function makeData(kind: 'scattered' | 'two clusters' | 'a third of the columns', seed: number): Data {
  const random = seededRandom(seed);
  const normal = (): number =>
    Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
  const isAnomaly = Uint8Array.from({ length: rowCount }, () => (random.next() < anomalyShare ? 1 : 0));
  const rows = new Float64Array(rowCount * columnCount);
  for (let row = 0; row < rowCount; row++) {
    const centre = kind === 'two clusters' && random.next() < 0.3 ? 5 : 0;
    for (let column = 0; column < columnCount; column++) {
      const at = row * columnCount + column;
      rows[at] = normal() + centre;
      if (isAnomaly[row] === 0) continue;
      if (kind !== 'a third of the columns') rows[at] = random.next() * 11 - 3;
      else if (column % 3 === 0) rows[at] = rows[at]! * 2.5;
    }
  }
  return { rows, isAnomaly };
}

async function ours({ rows, isAnomaly }: Data, seed: number): Promise<Outcome> {
  const table: FeatureTable = {
    rowCount,
    features: Array.from({ length: columnCount }, (_, index) => ({
      name: `f${index}`,
      column: `f${index}`,
      kind: 'number',
      levelCount: 0,
    })),
    columns: Array.from({ length: columnCount }, (_, column) =>
      Float64Array.from({ length: rowCount }, (_unused, row) => rows[row * columnCount + column]!),
    ),
  };
  const all = Int32Array.from({ length: rowCount }, (_, row) => row);
  const control = { clock: systemClock, pause: pauseBy(systemClock) };
  const begun = performance.now();
  const model = await trainIsolationForest({ table, rows: all, seed, control });
  const scores = await anomalyScores(model, { table, rows: all }, control);
  const seconds = (performance.now() - begun) / 1000;
  return { area: areaUnderRoc({ scores, isPositive: isAnomaly }), seconds };
}

function theirs({ rows, isAnomaly }: Data, seed: number): Outcome {
  const folder = mkdtempSync(join(tmpdir(), 'pilvi-isolation-'));
  try {
    writeFileSync(join(folder, 'rows.bin'), rows);
    const script = fileURLToPath(new URL('isolation-forest-sklearn.py', import.meta.url));
    const output = execFileSync(python, [script, folder, String(columnCount), String(seed)], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const { seconds } = JSON.parse(output.trim().split('\n').at(-1)!) as { seconds: number };
    const scores = new Float64Array(new Uint8Array(readFileSync(join(folder, 'scores.bin'))).buffer);
    return { area: areaUnderRoc({ scores, isPositive: isAnomaly }), seconds };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
