import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import type { Problem } from '../../base/problems.ts';
import { seededRandom } from '../../base/random.ts';
import { systemClock } from '../../base/time.ts';
import { frameFromRows } from '../frame/frame.ts';
import type { Scored } from '../metrics/metrics.ts';
import { search } from '../search/search.ts';
import { exactShare } from './exact-interval.ts';
import { fairnessOf } from './fairness.ts';

const close = (value: number, expected: number, within = 1e-6): void =>
  assert.ok(Math.abs(value - expected) < within, `${value} is not ${expected}`);

test('exact intervals are those of Clopper and Pearson', () => {
  // Ends for none and all of n: 1 - (0.025)^(1/n).
  close(exactShare(0, 10).upper, 1 - 0.025 ** 0.1);
  close(exactShare(10, 10).lower, 0.025 ** 0.1);
  // scipy.stats.binomtest(8, 20).proportion_ci(method='exact'), and (300, 1000).
  const eight = exactShare(8, 20);
  close(eight.lower, 0.19119, 1e-5);
  close(eight.upper, 0.63946, 1e-5);
  const many = exactShare(300, 1000);
  close(many.lower, 0.27172, 1e-5);
  close(many.upper, 0.32946, 1e-5);
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 3000 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (count, share) => {
        const hits = Math.round(share * count);
        const { value, lower, upper } = exactShare(hits, count);
        assert.ok(lower <= value && value <= upper && lower >= 0 && upper <= 1);
        const mirror = exactShare(count - hits, count);
        close(mirror.lower, 1 - upper);
      },
    ),
  );
});

/** Group a: 40 of 100 chosen, group b: 10 of 100, group c of four rows. */
function scored(): { scored: Scored; column: ReturnType<typeof frameFromRows>['columns'][number] } {
  const groups = [...'a'.repeat(100), ...'b'.repeat(100), ...'c'.repeat(4)];
  const predicted = Float64Array.from(groups, (group, row) =>
    Number(group === 'a' ? row < 40 : row >= 100 && row < 110),
  );
  const actual = Float64Array.from(groups, (_, row) => Number(row % 100 < 20));
  const probabilities = Float64Array.from([...predicted].flatMap((said) => (said ? [0.2, 0.8] : [0.9, 0.1])));
  const frame = frameFromRows(
    groups.map((group) => ({ group })),
    [{ name: 'group', kind: 'categorical' }],
  );
  return {
    column: frame.columns[0]!,
    scored: { task: 'binary', actual, predicted, probabilities, classCount: 2, positiveClass: 1 },
  };
}

test('rates, ratios and gaps of groups are counted by hand', () => {
  const made = scored();
  const { groups, leftOut } = fairnessOf(made.column, made.scored, 1);
  assert.equal(leftOut, 1);
  const [a, b] = groups;
  assert.deepEqual([a!.selectionRate!.value, b!.selectionRate!.value], [0.4, 0.1]);
  assert.deepEqual([a!.truePositiveRate!.value, b!.truePositiveRate!.value], [1, 0.5]);
  close(a!.falsePositiveRate!.value, 20 / 80);
  assert.equal(b!.falsePositiveRate!.value, 0);
  assert.ok(b!.falsePositiveRate!.upper > 0.01, 'none of eighty is not never');
  close(a!.calibrationGap!.value, (40 * 0.8 + 60 * 0.1) / 100 - 0.2);
  assert.equal(a!.selectionRatio, undefined);
  const ratio = b!.selectionRatio!;
  assert.ok(ratio.isBelowFourFifths && ratio.value === 0.25);
  assert.ok(ratio.lower > 0.1 && ratio.lower < 0.25 && ratio.upper > 0.25 && ratio.upper < 0.5);
  assert.deepEqual(fairnessOf(made.column, made.scored, 1), fairnessOf(made.column, made.scored, 1));
});

test('numbers and several classes have measures of their own', () => {
  const made = scored();
  const several = fairnessOf(made.column, { ...made.scored, task: 'multiclass' }, 1).groups[0]!;
  assert.deepEqual(Object.keys(several).toSorted(), ['accuracy', 'condition', 'rowCount']);
  const numbers = fairnessOf(made.column, { ...made.scored, task: 'regression' }, 1).groups[0]!;
  close(numbers.meanError!.value, 0.2);
  assert.ok(numbers.meanError!.lower < 0.2 && numbers.meanError!.upper > 0.2);
});

test('a recipe names protected columns, learned from or not; bad ones are refused', async () => {
  const random = seededRandom(3);
  const rows = Array.from({ length: 400 }, () => {
    const x = random.next();
    return { x, sex: random.next() < x ? 'f' : 'm', note: 'some words', y: x > 0.5 ? 'yes' : 'no' };
  });
  const frame = frameFromRows(rows, [
    { name: 'x', kind: 'numeric' },
    { name: 'sex', kind: 'categorical' },
    { name: 'note', kind: 'text' },
    { name: 'y', kind: 'categorical' },
  ]);
  const fit = (protectedColumns: string[]): ReturnType<typeof search> =>
    search({
      frame,
      recipe: {
        target: 'y',
        task: 'auto',
        metric: 'auto',
        budget: { trials: 2 },
        seed: 1,
        excludedColumns: ['sex', 'note'],
        protectedColumns,
      },
      clock: systemClock,
    });
  const { trust, evaluation, model } = await fit(['sex']);
  assert.ok(model.manifest.schema.every(({ name }) => name !== 'sex'));
  const { groups } = trust.fairness[0]!;
  assert.equal(
    groups.reduce((sum, { rowCount }) => sum + rowCount, 0),
    evaluation.rowCount,
  );
  assert.ok(groups.some(({ selectionRatio }) => selectionRatio?.isBelowFourFifths));
  for (const name of ['y', 'note'])
    await assert.rejects(fit([name]), (error: Problem) => error.errors?.[0]?.field === 'protectedColumns');
  await assert.rejects(fit(['zz']), (error: Problem) => error.code === 'column-unknown');
});
