// Our TreeSHAP against the package shap, path-dependent and interventional: the largest difference on 20 models of made-up
// rows with missing values (one number, two classes, three classes; trees of 4 to 60 leaves), relative to the size of the
// values. Usage: node bench/shap.ts [models = 20]
// shap is installed into node_modules/.cache by pip the first time; Python 3 must be there. It knows no questions about
// sets of categories, so all columns are numbers; test beside the code compares categories with the definition.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { seededRandom } from '../src/base/random.ts';
import { systemClock } from '../src/base/time.ts';
import { addInterventionalValues } from '../src/ml/explain/interventional-shap.ts';
import { addShapleyValues, explainable } from '../src/ml/explain/tree-shap.ts';
import type { FeatureTable } from '../src/ml/frame/encoding.ts';
import { boostedTrees } from '../src/ml/learners/boosted-trees.ts';
import { pauseBy } from '../src/ml/learners/learner.ts';
import { missingLeftFlag, type TreesModel } from '../src/ml/model/trees.ts';
import { pythonWith } from './python.ts';

const modelCount = Number(process.argv[2] ?? 20);
const rowCount = 600;
const explainedCount = 5;
const backgroundCount = 20;

interface Case {
  model: TreesModel;
  columns: Float64Array[];
}

const cases: Case[] = [];
for (let seed = 1; seed <= modelCount; seed++) cases.push(await makeCase(seed));
const theirs = explainedByShap(cases);
let worst = 0;
cases.forEach(({ model, columns }, index) => {
  for (const kind of ['path', 'interventional'] as const) {
    const expected = theirs[index]![kind];
    const values = ours(model, columns, kind);
    const size = Math.max(...expected.map(Math.abs), Number.MIN_VALUE);
    const difference = values.reduce((most, value, at) => Math.max(most, Math.abs(value - expected[at]!)), 0);
    worst = Math.max(worst, difference / size);
    console.log(
      `model ${index + 1}, ${kind}: ${values.length} values, differ by ${(difference / size).toExponential(1)}`,
    );
  }
});
console.log(`largest relative difference: ${worst.toExponential(1)}`);
if (!(worst < 1e-9)) process.exitCode = 1;

async function makeCase(seed: number): Promise<Case> {
  const random = seededRandom(seed);
  const featureCount = 3 + random.below(6);
  const columns = Array.from({ length: featureCount }, () =>
    Float64Array.from({ length: rowCount }, () => (random.next() < 0.08 ? NaN : random.next() * 10)),
  );
  const task = (['regression', 'binary', 'multiclass'] as const)[seed % 3]!;
  const known = (value: number): number => (value !== value ? 3 : value);
  const scores = Float64Array.from({ length: rowCount }, (_, row) => {
    const [a, b, c] = columns.map((column) => known(column[row]!));
    return a! * (b! > 5 ? 1 : -1) + c! * random.next();
  });
  const target = scores.map((score) =>
    task === 'regression'
      ? score
      : task === 'binary'
        ? Number(score > 0)
        : score > 5
          ? 2
          : Number(score > -2),
  );
  const table: FeatureTable = {
    rowCount,
    columns,
    features: columns.map((_, index) => ({
      name: `f${index}`,
      column: `f${index}`,
      kind: 'number' as const,
      levelCount: 0,
    })),
  };
  const { model } = await boostedTrees.train({
    table,
    target,
    task,
    classCount: task === 'regression' ? 0 : task === 'binary' ? 2 : 3,
    seed,
    rows: Int32Array.from({ length: rowCount }, (_, row) => row),
    hyperparameters: { iterations: 5 + random.below(30), maxLeaves: 4 + random.below(57), minRowsPerLeaf: 3 },
    control: { clock: systemClock, pause: pauseBy(systemClock) },
  });
  return { model: model as TreesModel, columns };
}

function rowsFrom(columns: readonly Float64Array[], from: number, count: number): Float64Array {
  return Float64Array.from(
    { length: count * columns.length },
    (_, at) => columns[at % columns.length]![from + Math.floor(at / columns.length)]!,
  );
}

/** Values of row after row, of output after output. */
function ours(model: TreesModel, columns: Float64Array[], kind: 'path' | 'interventional'): number[] {
  const rows = rowsFrom(columns, 0, explainedCount);
  const background = { rows: rowsFrom(columns, 100, backgroundCount), rowCount: backgroundCount };
  const trees = explainable(model);
  const found: number[] = [];
  for (let index = 0; index < explainedCount; index++) {
    const row = rows.subarray(index * columns.length, (index + 1) * columns.length);
    const values = new Float64Array(model.base.length * columns.length);
    if (kind === 'path') addShapleyValues(trees, row, values);
    else addInterventionalValues(model, row, background, values);
    found.push(...values);
  }
  return found;
}

function explainedByShap(all: readonly Case[]): { path: number[]; interventional: number[] }[] {
  const folder = mkdtempSync(join(tmpdir(), 'pilvi-shap-'));
  try {
    const said = all.map(({ model, columns }) => ({
      trees: treesFor(model),
      featureCount: columns.length,
      outputCount: model.base.length,
      rows: hex(rowsFrom(columns, 0, explainedCount)),
      background: hex(rowsFrom(columns, 100, backgroundCount)),
    }));
    writeFileSync(join(folder, 'cases.json'), JSON.stringify(said));
    const script = fileURLToPath(new URL('./shap-peer.py', import.meta.url));
    execFileSync(pythonWith(['shap'], 'shap'), [script, folder], { stdio: 'inherit' });
    return JSON.parse(readFileSync(join(folder, 'values.json'), 'utf8')) as ReturnType<
      typeof explainedByShap
    >;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Each tree with nodes first and leaves behind them, in the words of shap; numbers as bytes, for the last bit counts. */
function treesFor(model: TreesModel): Record<string, unknown>[] {
  const { nodeRowCounts } = explainable(model);
  return Array.from(model.roots, (root, tree) => {
    const places: number[] = [];
    const visit = (node: number): void => {
      places.push(node);
      if (node < 0) return;
      visit(model.left[node]!);
      visit(model.right[node]!);
    };
    visit(root);
    const placeOf = new Map(places.map((node, place) => [node, place]));
    const numbers = (of: (node: number) => number): string => hex(Float64Array.from(places, of));
    const child = (side: 'left' | 'right') => (node: number) =>
      node < 0 ? -1 : placeOf.get(model[side][node]!)!;
    const missingSide = (node: number): number =>
      child(node >= 0 && (model.flags[node]! & missingLeftFlag) !== 0 ? 'left' : 'right')(node);
    return {
      output: tree % model.base.length,
      left: places.map(child('left')),
      right: places.map(child('right')),
      missing: places.map(missingSide),
      feature: places.map((node) => (node < 0 ? -1 : model.feature[node]!)),
      threshold: numbers((node) => (node < 0 ? 0 : model.threshold[node]!)),
      value: numbers((node) => (node < 0 ? model.leafValues[~node]! : 0)),
      rowCount: numbers((node) => (node < 0 ? model.leafRowCounts[~node]! : nodeRowCounts[node]!)),
    };
  });
}

function hex(values: Float64Array): string {
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString('hex');
}
