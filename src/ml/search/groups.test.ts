// A column that tells which rows belong together: no group is cut, and the model is judged on groups it has not seen.
import assert from 'node:assert/strict';
import test from 'node:test';
import type { Problem } from '../../base/problems.ts';
import { seededRandom } from '../../base/random.ts';
import { systemClock } from '../../base/time.ts';
import { frameFromRows, type Frame } from '../frame/frame.ts';
import type { ColumnKind } from '../frame/schema.ts';
import { prepare } from './prepare.ts';
import type { Recipe } from './recipe.ts';
import { search } from './search.ts';

/** Patients with visits: `mark` names the patient, and y is the patient's own, so only that can be memorised. */
function visits(patientCount: number, kind: ColumnKind = 'categorical', visitsEach = 12): Frame {
  const random = seededRandom(5);
  const rows = Array.from({ length: patientCount }, (_, patient) => {
    const y = random.next() * 10;
    const mark = random.next();
    const name = {
      categorical: `p${patient}`,
      text: `p${patient}`,
      numeric: patient / 2,
      boolean: patient > 0,
      date: new Date(patient * 1e9).toISOString(),
    }[kind];
    return Array.from({ length: visitsEach }, () => ({
      patient: name,
      mark: mark + random.next() * 1e-4,
      noise: random.next(),
      y,
    }));
  }).flat();
  return frameFromRows(rows, [
    { name: 'patient', kind },
    { name: 'mark', kind: 'numeric' },
    { name: 'noise', kind: 'numeric' },
    { name: 'y', kind: 'numeric' },
  ]);
}

const recipe: Recipe = {
  target: 'y',
  task: 'regression',
  metric: 'auto',
  budget: { trials: 3 },
  seed: 3,
  groupColumn: 'patient',
};

for (const kind of ['categorical', 'text', 'numeric', 'date'] as const)
  test(`no patient is on two sides (${kind})`, () => {
    for (const seed of [1, 2, 3]) {
      const { training, holdout, folds, dropped } = prepare(visits(40, kind), { ...recipe, seed });
      // y is different for each patient.
      const patientsOf = (actual: Float64Array): Set<number> => new Set(actual);
      const cut = [...patientsOf(holdout.actual)].filter((one) => patientsOf(training.actual).has(one));
      assert.deepEqual(cut, []);
      assert.equal(holdout.actual.length, 8 * 12);
      for (const fold of folds) {
        const learned = patientsOf(Float64Array.from(fold.training, (row) => training.actual[row]!));
        assert.ok(fold.validation.every((row) => !learned.has(training.actual[row]!)));
      }
      assert.ok(training.frame.columns.every((column) => column.name !== 'patient'));
      assert.match(dropped.find(({ column }) => column === 'patient')!.reason, /belong together/);
    }
  });

test('a model that only knows its patients is seen through', async () => {
  const frame = visits(30, 'categorical', 60);
  const { groupColumn: _group, ...cut } = recipe;
  const fooled = await search({
    frame,
    recipe: { ...cut, excludedColumns: ['patient'] },
    clock: systemClock,
  });
  const honest = await search({ frame, recipe, clock: systemClock });
  assert.ok(fooled.evaluation.metrics['r2']! > 0.8);
  assert.ok(honest.evaluation.metrics['r2']! < 0.5);
});

test('few groups and rows without one are divided too; what cannot be is refused', () => {
  for (const share of [0.05, 0.2, 0.5]) {
    const three = prepare(visits(3), { ...recipe, holdoutShare: share });
    assert.equal(new Set(three.training.actual).size, 2);
    assert.equal(three.folds.length, 2);
  }
  const alone = visits(10);
  const [patients] = alone.columns;
  assert.ok(patients?.kind === 'categorical');
  patients.codes.fill(-1);
  assert.equal(prepare(alone, recipe).holdout.actual.length, 24);
  const refusal = (what: RegExp) => (error: Problem) =>
    error.code === 'invalid-request' &&
    error.errors?.[0]?.field === 'groupColumn' &&
    what.test(error.message);
  assert.throws(() => prepare(visits(2), recipe), refusal(/have 2 values in "patient"; at least 3/));
  assert.throws(() => prepare(visits(2, 'boolean'), recipe), refusal(/have 2 values/));
  assert.throws(() => prepare(visits(9), { ...recipe, groupColumn: 'y' }), refusal(/The target "y" cannot/));
  assert.throws(
    () => prepare(visits(9), { ...recipe, groupColumn: 'nobody' }),
    (error: Problem) => error.code === 'column-unknown',
  );
});
