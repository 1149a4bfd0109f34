// Explanations from a model file alone: exact by the definition, of every format that there was, and whatever the file holds.
import assert from 'node:assert/strict';
import test from 'node:test';
import type { Problem } from '../../base/problems.ts';
import { seededRandom } from '../../base/random.ts';
import { systemClock } from '../../base/time.ts';
import { frameFromRows } from '../frame/frame.ts';
import type { ColumnSchema } from '../frame/schema.ts';
import { boostedTrees } from '../learners/boosted-trees.ts';
import { linear } from '../learners/linear.ts';
import { readContainer, writeContainer } from '../model/container.ts';
import { openModel, readModel, writeModel } from '../model/model.ts';
import { goldenModels } from '../model/testing/golden.ts';
import type { Recipe } from '../search/recipe.ts';
import { search } from '../search/search.ts';
import { withMembers } from '../search/testing.ts';
import { openExplainer } from './explainer.ts';

type Row = Record<string, unknown>;

const columns: ColumnSchema[] = [
  { name: 'x', kind: 'numeric' },
  { name: 'y', kind: 'numeric' },
  { name: 'group', kind: 'categorical' },
  { name: 'amount', kind: 'numeric' },
];
const names = ['x', 'y', 'group'];

/** Trees and a linear model that learned a product of two columns that depend on each other. */
async function fileOf(backgroundRowsAreKept: boolean): Promise<Uint8Array> {
  const random = seededRandom(5);
  const rows = Array.from({ length: 300 }, (_, index) => {
    const x = random.next() < 0.1 ? null : random.next();
    const y = (x ?? 0.5) * 0.7 + random.next() * 0.3;
    const group = 'abc'[index % 3]!;
    return { x, y, group, amount: (x ?? 1) * y * 10 + (group === 'b' ? 3 : 0) };
  });
  const frame = frameFromRows(rows, columns);
  const recipe: Recipe = {
    target: 'amount',
    task: 'regression',
    metric: 'auto',
    budget: { trials: 1 },
    seed: 1,
    folds: 2,
    backgroundRows: backgroundRowsAreKept,
  };
  const { model } = await search({ frame, recipe, clock: systemClock });
  return writeModel(await withMembers({ ...model, members: [] }, [boostedTrees, linear], { frame, recipe }));
}

test('contributions are Shapley values of what the file answers, against the rows that it holds', async () => {
  const file = await fileOf(true);
  const { background } = await readModel(file);
  const predictor = await openModel(file);
  /** The mean answer where the columns of `known` are the row's and all others the background's. */
  const valueOf = (row: Row, known: number): number => {
    const asked = background.map((other) =>
      Object.fromEntries(names.map((name, index) => [name, (known & (1 << index) ? row : other)[name]])),
    );
    const { predictions } = predictor.predictRows(asked);
    return predictions.reduce((sum, { prediction }) => sum + Number(prediction), 0) / asked.length;
  };
  /** Chances of coming third, second and first of three, by how many came before. */
  const chances = [1 / 3, 1 / 6, 1 / 3];
  const explainer = await openExplainer(file);
  for (const row of [{ x: 0.9, y: 0.1, group: 'b' }, { x: null, y: 0.8, group: 'zzz' }, {}] as Row[]) {
    const { explanations, comparedWith } = explainer.explain([row]);
    assert.equal(comparedWith, 'background-rows');
    assert.ok(Math.abs(explanations[0]!.base - valueOf(row, 0)) < 1e-9);
    for (const { column, contribution } of explanations[0]!.contributions) {
      const bit = 1 << names.indexOf(column);
      let expected = 0;
      for (let known = 0; known < 8; known++) {
        if (known & bit) continue;
        const before = known.toString(2).replaceAll('0', '').length;
        expected += chances[before]! * (valueOf(row, known | bit) - valueOf(row, known));
      }
      assert.ok(Math.abs(contribution - expected) < 1e-9, `${column}: ${contribution} is not ${expected}`);
    }
  }
});

test('a file without a background is explained by what is known of the training, or by rows that are given', async () => {
  const explainer = await openExplainer(await fileOf(false));
  const rows = [{ x: 0.9, y: 0.1, group: 'b' }];
  assert.equal(explainer.explain(rows).comparedWith, 'training-statistics');
  const given = explainer.explain(rows, { compareWith: rows });
  assert.equal(given.comparedWith, 'given-rows');
  assert.ok(given.explanations[0]!.contributions.every(({ contribution }) => Math.abs(contribution) < 1e-12));
});

test('files of every format are explained, and say what they compare with', async () => {
  for (const { file, rows, format, name } of goldenModels()) {
    const { explain, manifest } = await openExplainer(file);
    const { explanations, comparedWith } = explain(rows);
    const keepsRows = manifest.training.backgroundRowCount !== undefined;
    assert.equal(comparedWith, keepsRows ? 'background-rows' : 'training-statistics', `${format} ${name}`);
    for (const { base, prediction, contributions } of explanations) {
      const sum = contributions.reduce((total, { contribution }) => total + contribution, base);
      assert.ok(
        Number.isFinite(sum) && Math.abs(sum - prediction) < 1e-9 * Math.max(1, Math.abs(prediction)),
      );
    }
  }
});

test('a background that its own schema refuses is refused', async () => {
  const { document, sections } = await readContainer(await fileOf(true));
  const changed = async (change: (rows: unknown[][]) => unknown): Promise<Uint8Array> => {
    const copy = structuredClone(document) as { background: unknown };
    copy.background = change(copy.background as unknown[][]);
    return writeContainer(copy, sections);
  };
  const hostile: ((rows: unknown[][]) => unknown)[] = [
    () => 'rows',
    () => undefined,
    (rows) => rows.slice(1),
    (rows) => [...rows, ...rows, ...rows],
    (rows) => rows.map((row) => row.slice(1)),
    (rows) => rows.map((row) => [...row, 1]),
    (rows) => rows.map((row) => row.map(() => ({}))),
    (rows) => rows.map(([, ...rest]) => ['text', ...rest]),
    (rows) => rows.map(() => null),
  ];
  for (const change of hostile)
    await assert.rejects(
      openModel(await changed(change)),
      (error: Problem) => error.code === 'model-file-invalid',
    );
  await openModel(await changed((rows) => rows));
});
