// Ranking with boosted trees against LightGBM's lambdarank: NDCG@10 on queries that were not seen, time of training, on
// made-up queries of very different sizes and difficulty. Both engines learn from the same rows with the same settings
// on one thread, and one measure (src/ml/metrics/queries.ts) judges both; "regression" is the squared loss on the same
// rows, which shows what the ranking loss is good for.
// Usage: node bench/ranking.ts [data sets = 5]
// LightGBM is installed into node_modules/.cache by pip the first time; Python 3 must be there.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { seededRandom } from '../src/base/random.ts';
import { systemClock } from '../src/base/time.ts';
import type { FeatureTable } from '../src/ml/frame/encoding.ts';
import { boostedTrees } from '../src/ml/learners/boosted-trees.ts';
import { pauseBy, type Hyperparameters } from '../src/ml/learners/learner.ts';
import { normalisedGain, queriesOf, usualDepth } from '../src/ml/metrics/queries.ts';
import { applyModel } from '../src/ml/model/row-model.ts';
import { mean } from './averages.ts';
import { pythonWith } from './python.ts';

const columnCount = 12;
const trainingQueryCount = 600;
const testQueryCount = 400;
const settings = {
  iterations: 150,
  learningRate: 0.1,
  maxLeaves: 31,
  minRowsPerLeaf: 20,
  l2: 0,
  truncation: 30,
};

interface Queries {
  /** Row-major. */
  rows: Float64Array;
  relevance: Float64Array;
  groups: Int32Array;
  sizes: Float64Array;
  trainingRowCount: number;
}

const dataSetCount = Number(process.argv[2] ?? 5);
const python = pythonWith(['lightgbm', 'scikit-learn']);
const figures: Record<'ranking' | 'lightgbm' | 'regression', number[]> = {
  ranking: [],
  lightgbm: [],
  regression: [],
};
for (let seed = 1; seed <= dataSetCount; seed++) {
  const data = makeQueries(seed);
  const begun = performance.now();
  const ranking = await ours(data, seed, 'ranking');
  const seconds = (performance.now() - begun) / 1000;
  const { gain: lightgbm, seconds: lightgbmSeconds } = theirs(data, seed);
  const regression = await ours(data, seed, 'squared');
  figures.ranking.push(ranking);
  figures.lightgbm.push(lightgbm);
  figures.regression.push(regression);
  console.log(
    `data set ${seed}, ${data.trainingRowCount} rows: NDCG@10 ours ${ranking.toFixed(4)} (${seconds.toFixed(2)} s), LightGBM ${lightgbm.toFixed(4)} (${lightgbmSeconds.toFixed(2)} s), regression ${regression.toFixed(4)}`,
  );
}
const differences = figures.ranking.map((value, index) => value - figures.lightgbm[index]!);
const spread = Math.sqrt(
  mean(differences.map((value) => (value - mean(differences)) ** 2)) / Math.max(1, dataSetCount - 1),
);
console.log(
  `mean: ours ${mean(figures.ranking).toFixed(4)}, LightGBM ${mean(figures.lightgbm).toFixed(4)}, regression ${mean(figures.regression).toFixed(4)}; ours minus LightGBM ${mean(differences).toFixed(4)} (standard error ${spread.toFixed(4)})`,
);

/**
 * Queries of 5 to 80 rows. Relevance 0 to 4 is a row's place in its query by a hidden value: a curved function of some
 * columns, two of which interact with what the whole query shares, plus noise. Query levels differ widely.
 */
function makeQueries(seed: number): Queries {
  const random = seededRandom(seed);
  const normal = (): number =>
    Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
  const rows: number[] = [];
  const relevance: number[] = [];
  const groups: number[] = [];
  const sizes: number[] = [];
  for (let query = 0; query < trainingQueryCount + testQueryCount; query++) {
    const size = 5 + random.below(76);
    const shared = [random.next(), normal()];
    const shift = normal() * 3;
    const hidden: number[] = [];
    for (let index = 0; index < size; index++) {
      const own = Array.from({ length: columnCount - 2 }, () => normal());
      const [a, b, c, d] = own as [number, number, number, number];
      hidden.push(
        a + 0.8 * Math.abs(b) + shared[0]! * c * 1.5 + Math.sin(2 * d) * shared[1]! + normal() * 0.8,
      );
      own[0] = a + shift * 0.3;
      if (random.next() < 0.05) own[1] = NaN;
      rows.push(...own, ...shared);
      groups.push(query);
    }
    const order = hidden.map((_, index) => index).toSorted((x, y) => hidden[y]! - hidden[x]!);
    const labels = Array.from({ length: size }, () => 0);
    order.forEach((row, place) => {
      const share = (place + 0.5) / size;
      labels[row] = share < 0.04 ? 4 : share < 0.1 ? 3 : share < 0.2 ? 2 : share < 0.4 ? 1 : 0;
    });
    relevance.push(...labels);
    sizes.push(size);
  }
  return {
    rows: Float64Array.from(rows),
    relevance: Float64Array.from(relevance),
    groups: Int32Array.from(groups),
    sizes: Float64Array.from(sizes),
    trainingRowCount: sizes.slice(0, trainingQueryCount).reduce((sum, size) => sum + size, 0),
  };
}

async function ours(data: Queries, seed: number, loss: 'ranking' | 'squared'): Promise<number> {
  const { rows, trainingRowCount } = data;
  const column = (index: number): Float64Array =>
    Float64Array.from({ length: trainingRowCount }, (_, row) => rows[row * columnCount + index]!);
  const table: FeatureTable = {
    rowCount: trainingRowCount,
    features: Array.from({ length: columnCount }, (_, index) => ({
      name: `f${index}`,
      column: `f${index}`,
      kind: 'number',
      levelCount: 0,
    })),
    columns: Array.from({ length: columnCount }, (_, index) => column(index)),
  };
  const { truncation, ...rest } = settings;
  const hyperparameters: Hyperparameters = {
    ...rest,
    featureShare: 1,
    loss,
    ...(loss === 'ranking' && { truncation }),
  };
  const { model } = await boostedTrees.train({
    table,
    task: 'regression',
    target: data.relevance.slice(0, trainingRowCount),
    groups: data.groups.slice(0, trainingRowCount),
    classCount: 0,
    rows: Int32Array.from({ length: trainingRowCount }, (_, row) => row),
    hyperparameters,
    seed,
    control: { clock: systemClock, pause: pauseBy(systemClock) },
  });
  const scores = new Float64Array(data.relevance.length - trainingRowCount);
  applyModel(
    model,
    {
      rows: rows.subarray(trainingRowCount * columnCount),
      rowCount: scores.length,
      featureCount: columnCount,
    },
    scores,
  );
  return gainOf(data, scores);
}

function theirs(data: Queries, seed: number): { gain: number; seconds: number } {
  const folder = mkdtempSync(join(tmpdir(), 'pilvi-ranking-'));
  try {
    for (const name of ['rows', 'relevance', 'sizes'] as const)
      writeFileSync(join(folder, `${name}.bin`), data[name]);
    const output = execFileSync(
      python,
      [
        fileURLToPath(new URL('ranking-lightgbm.py', import.meta.url)),
        folder,
        JSON.stringify({ ...settings, columnCount, trainingQueryCount, seed }),
      ],
      { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] },
    );
    const { seconds } = JSON.parse(output.trim().split('\n').at(-1)!) as { seconds: number };
    const bytes = readFileSync(join(folder, 'scores.bin'));
    return { gain: gainOf(data, new Float64Array(new Uint8Array(bytes).buffer)), seconds };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function gainOf({ relevance, groups, trainingRowCount }: Queries, scores: Float64Array): number {
  const queries = queriesOf(groups.subarray(trainingRowCount));
  return normalisedGain({ scores, relevance: relevance.subarray(trainingRowCount), queries }, usualDepth);
}
