// Whether onnxruntime gives our answers: a model of each public table, exported and run there on the rows as they are.
// Each model is a short search (trees and linear models, ensemble, calibration), and the same with categorical boosting,
// naive Bayes, neighbours and a network beside them, deciding by costs. The same files are brought in again as those of
// others are, and run by the runtime that Pilvi comes with. Labels must be equal, probabilities within 1e-5,
// values within 1e-5 of their spread, and what columns become must have equal bits. Columns of texts are left out: ONNX
// has no way to take them apart. One table is made up, of what real ones seldom have: old and odd dates, times as
// numbers, skewed numbers, gaps everywhere, 150 categories.
// Usage: node bench/onnx.ts FOLDER [sets = all, or names with commas] [most rows = 3000] [trials = 4]
// FOLDER holds the data sets as INDEX.json tells. Needs Python; onnxruntime and onnx are installed unless there.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { parse } from 'csv-parse/sync';
import { seededRandom } from '../src/base/random.ts';
import { systemClock } from '../src/base/time.ts';
import { featuresOf } from '../src/ml/frame/encoding.ts';
import { frameFromColumns } from '../src/ml/frame/frame.ts';
import { inferSchema } from '../src/ml/frame/infer-schema.ts';
import { readValue } from '../src/ml/frame/values.ts';
import { categoricalBoosting } from '../src/ml/learners/categorical-boosting.ts';
import { naiveBayes } from '../src/ml/learners/naive-bayes.ts';
import { neighbours } from '../src/ml/learners/neighbours.ts';
import { network } from '../src/ml/learners/network.ts';
import type { ModelContent, ModelManifest } from '../src/ml/model/manifest.ts';
import { predictorOf, rowEncoder, type PredictedColumns } from '../src/ml/model/predictor.ts';
import { exportOnnx } from '../src/ml/onnx/export.ts';
import { featuresFor } from '../src/ml/onnx/features.ts';
import { tryModel } from '../src/ml/onnx/first-run.ts';
import { foreignPredictor } from '../src/ml/onnx/foreign.ts';
import { Graph } from '../src/ml/onnx/graph.ts';
import { readOnnx } from '../src/ml/onnx/read.ts';
import { draftSignature } from '../src/ml/onnx/signature.ts';
import type { Recipe } from '../src/ml/search/recipe.ts';
import { search } from '../src/ml/search/search.ts';
import { withMembers } from '../src/ml/search/testing.ts';
import { openOnnxSession } from '../src/platform/drivers/onnx-runtime.ts';
import { pythonWith } from './python.ts';
import { dataFileOf, tablesIn } from './tables.ts';

type Columns = Record<string, string[]>;

interface Answers {
  outputs: Record<string, (number | null)[][]> & { label?: string[] };
  seconds: number;
  version: string;
}

const [folder, setsText, mostRowsText, trialsText] = process.argv.slice(2);
if (!folder) throw new Error('Usage: node bench/onnx.ts FOLDER [sets] [most rows] [trials]');
const wanted = (setsText ?? 'all').split(',');
const mostRows = Number(mostRowsText ?? 3000);
const trials = Number(trialsText ?? 4);
const python = pythonWith(['onnxruntime', 'onnx'], 'onnx');
const script = fileURLToPath(new URL('onnx-run.py', import.meta.url));
const temporary = mkdtempSync(join(tmpdir(), 'pilvi-onnx-'));
try {
  for (const table of tablesIn(folder, setsText))
    await check(table.name, table.target, columnsOf(dataFileOf(folder, table), table.target));
  if (['all', 'made-up'].some((name) => wanted.includes(name)))
    await check('made-up', 'answer', madeUp(mostRows));
} finally {
  rmSync(temporary, { recursive: true });
}

async function check(name: string, target: string, columns: Columns): Promise<void> {
  const schema = inferSchema(columns).filter(({ kind }) => kind !== 'text');
  const frame = frameFromColumns(columns, schema, 'text');
  const recipe: Recipe = { target, task: 'auto', metric: 'auto', budget: { trials }, seed: 1, folds: 3 };
  const { model } = await search({ frame, recipe, clock: systemClock });
  checkFeatures(name, model.manifest, columns);
  await checkAnswers(name, model, columns);
  const others = [categoricalBoosting, neighbours, network];
  if (model.manifest.task !== 'regression') others.push(naiveBayes);
  const more = await withMembers(model, others, { frame, recipe });
  await checkAnswers(`${name} +`, { ...more, manifest: withCosts(more.manifest) }, columns);
}

/** Decisions for classes by costs that differ. */
function withCosts(manifest: ModelManifest): ModelManifest {
  if (manifest.task === 'regression') return manifest;
  const matrix = manifest.classes.map((_, actual) =>
    manifest.classes.map((_name, decided) => (actual === decided ? 0 : 1 + actual + 2 * decided)),
  );
  return { ...manifest, costs: { matrix, currency: '', decisionCount: 1 } };
}

/** Rows that have a target, from the whole of the file. */
function columnsOf(path: string, target: string): Columns {
  const bytes = readFileSync(path);
  const text = (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString();
  const records = parse(text, { columns: true, bom: true }) as Record<string, string>[];
  const usable = records.filter((record) => record[target] !== '');
  const step = Math.max(1, Math.floor(usable.length / mostRows));
  const rows = usable.filter((_, row) => row % step === 0).slice(0, mostRows);
  return Object.fromEntries(Object.keys(rows[0]!).map((column) => [column, rows.map((row) => row[column]!)]));
}

function madeUp(rowCount: number): Columns {
  const random = seededRandom(1);
  const list = (make: (row: number) => string): string[] =>
    Array.from({ length: rowCount }, (_, row) => (random.below(12) === 0 ? '' : make(row)));
  const days = Array.from({ length: rowCount }, () => random.next());
  const dateOf = (share: number, from: number, to: number): string =>
    new Date(Date.UTC(from, 0, 1) + share * (Date.UTC(to, 0, 1) - Date.UTC(from, 0, 1))).toISOString();
  const towns = Array.from({ length: rowCount }, () => random.below(150));
  return {
    opened: list((row) => dateOf(days[row]!, 1600, 2400)),
    'day of the month': list(
      (row) => `${1896 + (row % 9)}-${['02-28', '03-01', '12-31', '01-01'][row % 4]!}`,
    ),
    sent_at: list((row) => String(1_500_000_000 + Math.floor(days[row]! * 1e8))),
    amount: list(() => (Math.exp(random.next() * 20) * (random.below(4) === 0 ? -1 : 1)).toPrecision(6)),
    town: list((row) => `town ${towns[row]!}`),
    probabilities: list(() => ['yes', 'no'][random.below(2)]!),
    answer: Array.from({ length: rowCount }, (_, row) =>
      days[row]! + (towns[row]! % 7) / 7 + random.next() > 1.4 ? 'late' : 'in time',
    ),
  };
}

/** The columns' values as they go in, and the answers of an ONNX file for them. */
function run({ schema }: Pick<ModelManifest, 'schema'>, columns: Columns, bytes: Uint8Array): Answers {
  const [modelPath, columnsPath] = [join(temporary, 'model.onnx'), join(temporary, 'columns.json')];
  writeFileSync(modelPath, bytes);
  const read = schema.map(({ name, kind }) => [
    name,
    columns[name]!.map((value) => readValue(value, kind, 'text')),
  ]);
  writeFileSync(columnsPath, JSON.stringify(Object.fromEntries(read)));
  const answer = execFileSync(python, [script, modelPath, columnsPath], { maxBuffer: 2 ** 30 });
  return JSON.parse(answer.toString()) as Answers;
}

function checkFeatures(label: string, manifest: ModelManifest, columns: Columns): void {
  const { encoding, schema } = manifest;
  const list = featuresOf(encoding);
  const graph = new Graph(schema.map(({ name }) => name));
  const features = featuresFor(graph, encoding, schema);
  list.forEach((_, feature) =>
    graph.output(`feature ${feature}`, features.value(feature), {
      type: 'double',
      width: 1,
      description: '',
    }),
  );
  const { outputs } = run(
    manifest,
    columns,
    graph.encode({ producerVersion: '', description: '', properties: {} }),
  );
  const rowCount = Object.values(columns)[0]!.length;
  const rows = Array.from({ length: rowCount }, (_, row) =>
    Object.fromEntries(
      schema.map(({ name, kind }) => [name, jsonValue(readValue(columns[name]![row], kind, 'text'), kind)]),
    ),
  );
  const ours = rowEncoder(manifest)(rows);
  list.forEach(({ name, kind, levelCount }, feature) => {
    for (let row = 0; row < rowCount; row++) {
      const value = ours[row * list.length + feature]!;
      const expected = value === value ? value : kind === 'category' ? levelCount : null;
      assert.equal(outputs[`feature ${feature}`]![row]![0], expected, `${label}: ${name} of row ${row}`);
    }
  });
  console.log(`${label.padEnd(26)} ${list.length} features of ${rowCount} rows have equal bits`);
}

function jsonValue(value: unknown, kind: string): unknown {
  if (value !== value) return null;
  return kind === 'boolean' ? value === 1 : value;
}

async function checkAnswers(label: string, content: ModelContent, columns: Columns): Promise<void> {
  const { manifest } = content;
  const ours = predictorOf(content).predictColumns(columns, 'text');
  const bytes = exportOnnx(content);
  const { outputs, seconds, version } = run(manifest, columns, bytes);
  const rowCount = ours.prediction.length;
  let furthest = 0;
  let otherLabels = 0;
  if (manifest.task === 'regression') {
    const spread = spreadOf(ours.prediction as number[]);
    const pairs = { value: ours.prediction, lower: ours.lower!, upper: ours.upper! };
    for (const [name, values] of Object.entries(pairs))
      Array.from(values, Number).forEach((value, row) => {
        furthest = Math.max(furthest, Math.abs(value - Number(outputs[name]![row]![0] ?? NaN)) / spread);
      });
  } else {
    manifest.classes.forEach((name, index) =>
      ours.probabilities![name]!.forEach((probability, row) => {
        const theirs = Number((outputs['probabilities_2'] ?? outputs['probabilities']!)[row]![index] ?? NaN);
        furthest = Math.max(furthest, Math.abs(probability - theirs));
      }),
    );
    otherLabels = ours.prediction.filter((value, row) => value !== outputs.label![row]).length;
  }
  const learners = [...new Set(content.members.map(({ learner }) => learner))].join(', ');
  console.log(
    `${label.padEnd(26)} ${rowCount} rows, ${otherLabels} other labels, furthest ${furthest.toExponential(1)}, ` +
      `${(bytes.length / 1e6).toFixed(2)} MB, ${((seconds / rowCount) * 1e6).toFixed(0)} us a row in onnxruntime ${version} ` +
      `(${learners}; calibration: ${manifest.calibration.kind})`,
  );
  assert.ok(furthest <= 1e-5 && otherLabels === 0, `${label}: the answers differ`);
  await checkImported(label, bytes, { columns, ours });
}

/** The same file as if it were somebody else's. */
async function checkImported(
  label: string,
  bytes: Uint8Array,
  { columns, ours }: { columns: Columns; ours: PredictedColumns },
): Promise<void> {
  const session = await openOnnxSession(bytes);
  const signature = await tryModel(draftSignature(readOnnx(bytes), {}), session.run);
  const theirs = await foreignPredictor(signature, session.run).predictColumns(columns, 'text');
  let furthest = 0;
  let otherLabels = 0;
  if (ours.probabilities) {
    otherLabels = ours.prediction.filter((value, row) => value !== theirs.prediction[row]).length;
    for (const [name, values] of Object.entries(ours.probabilities))
      values.forEach((value, row) => {
        furthest = Math.max(furthest, Math.abs(value - theirs.probabilities![name]![row]!));
      });
  } else {
    const spread = spreadOf(ours.prediction as number[]);
    ours.prediction.forEach((value, row) => {
      furthest = Math.max(furthest, Math.abs(Number(value) - Number(theirs.prediction[row])) / spread);
    });
  }
  const words = `${otherLabels} other labels, furthest ${furthest.toExponential(1)}`;
  console.log(`${label.padEnd(26)} brought in again: ${words}`);
  assert.ok(
    furthest <= 1e-5 && otherLabels === 0,
    `${label}: the answers differ when it is brought in again`,
  );
}

function spreadOf(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
}
