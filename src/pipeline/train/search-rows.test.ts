// Searches over contents that fit into memory and contents that do not: what the report says of rows is what was done.
import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { seededRandom } from '../../base/random.ts';
import { recipe as recipeSchema, type Recipe } from '../../contract/training.ts';
import { predictorOf } from '../../ml/model/predictor.ts';
import { taskContext, testLimits } from '../data/import-task.fixture.ts';
import { searchRows, type SearchedRows } from './search-rows.ts';

const rowCount = 16_000;
const mebibyte = 1_048_576;
let folder: string;
let contentPath: string;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pilvi-test-'));
  const random = seededRandom(1);
  const lines = Array.from({ length: rowCount }, (_, row) => {
    const size = random.next() * 10;
    const weight = random.next() < 0.1 ? '' : random.next().toFixed(4);
    const colour = ['red', 'green', 'blue', 'grey'][random.below(4)]!;
    const day = `2024-${String(1 + random.below(12)).padStart(2, '0')}-10`;
    const score = Math.sin(size * 3) + Number(weight) * 2 + Number(colour === 'red') + random.next() * 0.5;
    const verdict = row % 1000 === 0 ? '' : score > 1.6 ? 'yes' : 'no';
    return [size.toFixed(5), weight, colour, day, verdict, score.toFixed(4)].join(',');
  });
  const source = join(folder, 'source.csv');
  await writeFile(source, ['size,weight,colour,day,verdict,score', ...lines].join('\n'));
  const { run } = await import('../data/import-task.ts');
  const { contentFileName } = await run(
    { sourcePaths: [source], options: {}, limits: testLimits },
    taskContext(folder),
  );
  contentPath = join(folder, contentFileName);
});
after(() => rm(folder, { recursive: true, force: true }));

async function searched(
  changes: Partial<Recipe> & { memoryBytes?: number; signal?: AbortSignal } = {},
): Promise<SearchedRows> {
  const { memoryBytes = 4 * mebibyte, signal, ...rest } = changes;
  const said = {
    datasetVersionId: 'v',
    target: 'verdict',
    excludedColumns: ['score'],
    budget: { trials: 3, seconds: 60 },
    folds: 3,
    ...rest,
  };
  return searchRows({
    contentPath,
    recipe: recipeSchema.parse(said),
    memoryBytes,
    workFolder: folder,
    ...(signal && { signal }),
  });
}

test('more rows than fit: trees learn from all of them, and the report says so', async () => {
  const { found, rows, fields } = await searched();
  assert.equal(rows.total, rowCount);
  assert.ok(rows.search < 0.5 * rowCount, String(rows.search));
  const usable = rowCount - rowCount / 1000;
  assert.equal(rows.model + rows.holdout, usable);
  assert.ok(Math.abs(rows.holdout / usable - 0.2) < 0.02);
  assert.ok(found.evaluation.metrics['auc']! > 0.95, String(found.evaluation.metrics['auc']));
  assert.equal(found.evaluation.rowCount, rows.holdout);
  assert.equal(found.model.members.length, 1);
  assert.equal(found.model.manifest.training.rowCount, rows.model);
  const [first, ...others] = found.leaderboard;
  assert.match(first!.label, /on all rows/);
  assert.deepEqual([first!.weight, ...others.map(({ weight }) => weight)], [1, 0, 0, 0]);
  const text = found.warnings.join(' ');
  assert.match(text, new RegExp(`models on ${rows.search} of ${rowCount} rows`));
  assert.match(text, new RegExp(`learned from ${rows.model} rows`));
  assert.ok(found.importance.length > 0);
  assert.deepEqual(fields.map(({ name }) => name).sort(), ['colour', 'day', 'score', 'size', 'weight']);
  const row = { size: 0.5, weight: 0.9, colour: 'red', day: null };
  assert.equal(predictorOf(found.model).predictRows([row]).predictions[0]!.prediction, 'yes');
});

test('counted in trials, the same rows and seed give the same model', async () => {
  const [one, other] = [await searched(), await searched()];
  assert.deepEqual(other.found.model, one.found.model);
});

test('numbers are learned from all rows, too', async () => {
  const { found, rows } = await searched({ target: 'score', excludedColumns: ['verdict'] });
  assert.equal(found.task, 'regression');
  assert.equal(rows.model + rows.holdout, rowCount);
  assert.ok(found.evaluation.metrics['r2']! > 0.9, JSON.stringify(found.evaluation.metrics));
  assert.ok(found.model.manifest.intervals);
});

test('rules and costs hold for the model of all rows', async () => {
  const { found } = await searched({
    constraints: { increasing: ['weight'], decreasing: [], interactionGroups: null },
    costs: recipeSchema.shape.costs.parse({ falsePositive: 1, falseNegative: 5 }),
    protectedColumns: ['colour'],
  });
  assert.ok(found.evaluation.money);
  assert.deepEqual(found.model.manifest.constraints?.increasing, ['weight']);
  const rows = [0, 0.2, 0.4, 0.6, 0.8, 1].map((weight) => ({ size: 5, weight, colour: 'blue', day: null }));
  const { predictions } = predictorOf(found.model).predictRows(rows);
  const chances = predictions.map(({ probabilities }) => probabilities!['yes']!);
  chances.slice(1).forEach((chance, index) => assert.ok(chance >= chances[index]!, chances.join()));
});

test('without the time to read all rows, the sample is learned from, and the report says so', async () => {
  const { found, rows } = await searched({
    budget: { trials: null, seconds: 1, memoryMiB: null, maxMicroUsd: null },
    memoryBytes: mebibyte,
  });
  assert.equal(rows.total, rowCount);
  assert.ok(rows.model <= rows.search && rows.search < 2000);
  assert.match(found.warnings.join(' '), /rows/);
});

test('rows that fit are searched as ever', async () => {
  const { found, rows } = await searched({
    memoryBytes: 1024 * mebibyte,
    budget: { trials: 2, seconds: 60, memoryMiB: null, maxMicroUsd: null },
  });
  const { training, holdout } = found.rows;
  assert.deepEqual(rows, { total: rowCount, search: training, model: training + holdout, holdout });
  assert.equal(training + holdout, rowCount - rowCount / 1000);
  assert.ok(!/all rows/.test(found.warnings.join(' ')));
});

test('cancelling ends it, and nothing is left behind', async () => {
  const before = await readdir(folder);
  await assert.rejects(searched({ signal: AbortSignal.abort() }), { code: 'cancelled' });
  assert.deepEqual(await readdir(folder), before);
});
