// The rows that a model file keeps of the data: few, short, alike to all, and nothing that the model does not look at.
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { seededRandom } from '../../base/random.ts';
import { systemClock } from '../../base/time.ts';
import { frameFromRows } from '../frame/frame.ts';
import type { ColumnSchema } from '../frame/schema.ts';
import { writeModel } from '../model/model.ts';
import { predictorOf } from '../model/predictor.ts';
import { backgroundRows } from './background.ts';
import type { Recipe } from './recipe.ts';
import { search } from './search.ts';

const random = seededRandom(3);
const rows = Array.from({ length: 400 }, (_, index) => {
  const size = random.next() * 10;
  return {
    size,
    note: index % 2 ? `brief ${'word '.repeat(200)}` : null,
    secret: `person ${index % 7}`,
    price: size * 3 + random.next(),
    taken: size > 7 ? 'yes' : 'no',
  };
});
const schema: ColumnSchema[] = [
  { name: 'size', kind: 'numeric' },
  { name: 'note', kind: 'text' },
  { name: 'secret', kind: 'categorical' },
  { name: 'price', kind: 'numeric' },
  { name: 'taken', kind: 'categorical' },
];
const frame = frameFromRows(rows, schema);
const regression: Recipe = {
  target: 'price',
  task: 'regression',
  metric: 'auto',
  budget: { trials: 2 },
  seed: 1,
  folds: 2,
  refit: false,
  excludedColumns: ['secret', 'taken'],
};

test('a model keeps a hundred rows like the others, of the columns it looks at alone', async () => {
  const { model } = await search({ frame, recipe: regression, clock: systemClock });
  const { background, manifest } = model;
  assert.equal(background.length, 100);
  assert.equal(manifest.training.backgroundRowCount, 100);
  const columns = manifest.schema.map(({ name }) => name);
  for (const row of background) assert.deepEqual(Object.keys(row).sort(), [...columns].sort());
  assert.ok(!JSON.stringify(background).includes('person'));
  assert.ok(background.every(({ size }) => rows.some((row) => row.size === size)));
  const mean = (asked: readonly Record<string, unknown>[]): number =>
    predictorOf(model)
      .predictRows(asked.map(({ size, note }) => ({ size, note })))
      .predictions.reduce((sum, { prediction }) => sum + Number(prediction), 0) / asked.length;
  const spread = 9;
  assert.ok(Math.abs(mean(background) - mean(rows)) < spread / 10);
});

test('classes have their shares', async () => {
  const recipe: Recipe = { ...regression, target: 'taken', task: 'binary', excludedColumns: ['secret'] };
  const { model } = await search({ frame, recipe, clock: systemClock });
  const taken = model.background.filter(({ size }) => Number(size) > 7).length;
  const share = rows.filter(({ size }) => size > 7).length / rows.length;
  assert.ok(Math.abs(taken / model.background.length - share) <= 0.02, `${taken} of ${share}`);
});

test('the same seed keeps the same rows, and whoever wants none keeps none', async () => {
  const files = [];
  for (let run = 0; run < 2; run++)
    files.push(await writeModel((await search({ frame, recipe: regression, clock: systemClock })).model));
  assert.deepEqual(files[0], files[1]);
  const recipe = { ...regression, backgroundRows: false };
  const { model } = await search({ frame, recipe, clock: systemClock });
  assert.deepEqual(model.background, []);
  assert.equal(model.manifest.training.backgroundRowCount, undefined);
  assert.ok(!Buffer.from(await writeModel(model)).includes('"background"'));
});

test('however wide or long the values, rows stay within their limits', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 300 }),
      fc.integer({ min: 1, max: 12 }),
      fc.integer({ min: 0, max: 5000 }),
      (rowCount, columnCount, length) => {
        const names = Array.from({ length: columnCount }, (_, column) => `c${column}`);
        const columns: ColumnSchema[] = names.map((name, index) => ({
          name,
          kind: index % 2 ? 'text' : 'categorical',
        }));
        const wide = Array.from({ length: rowCount }, (_, row) =>
          Object.fromEntries(names.map((name) => [name, `${row}${'🙂'.repeat(length)}`])),
        );
        const scored = wide.map((_, row) => ({ row, classIndex: row % 3, score: row % 11 }));
        const kept = backgroundRows(frameFromRows(wide, columns), columns, scored);
        assert.ok(kept.length <= Math.min(100, rowCount));
        assert.ok(JSON.stringify(kept.map((row) => Object.values(row))).length <= 262_144);
        assert.ok(kept.length === rowCount || kept.length === 0 || kept.length >= 10);
        assert.equal(new Set(kept.map((row) => row['c0'])).size, kept.length);
        for (const row of kept)
          for (const value of Object.values(row)) assert.ok((value as string).isWellFormed());
      },
    ),
    { numRuns: 60 },
  );
});
