// Curves of columns and weak spots, on models and errors whose shape is known.
import assert from 'node:assert/strict';
import test from 'node:test';
import { seededRandom } from '../../base/random.ts';
import { frameFromRows } from '../frame/frame.ts';
import type { ColumnSchema } from '../frame/schema.ts';
import { search } from '../search/search.ts';
import { systemClock } from '../../base/time.ts';
import { findCohorts } from './cohorts.ts';
import { normalTail } from './normal.ts';
import { segmentsOf } from './segments.ts';

const schema: ColumnSchema[] = [
  { name: 'x', kind: 'numeric' },
  { name: 'group', kind: 'categorical' },
  { name: 'flag', kind: 'boolean' },
  { name: 'y', kind: 'numeric' },
];

function frame(rowCount: number): ReturnType<typeof frameFromRows> {
  const random = seededRandom(9);
  const rows = Array.from({ length: rowCount }, () => {
    const x = random.next() < 0.05 ? null : random.next() * 10;
    const group = 'abc'[random.below(3)]!;
    const flag = random.next() < 0.5;
    return { x, group, flag, y: (x ?? 0) * (flag ? 2 : 1) + (group === 'c' ? 5 : 0) + random.next() };
  });
  return frameFromRows(rows, schema);
}

test('segments of a column part its rows: by value, by quarters, and what is missing', () => {
  const { columns } = frame(400);
  for (const column of columns) {
    const rows = segmentsOf(column).flatMap((segment) => [...segment.rows]);
    assert.deepEqual(
      rows.toSorted((a, b) => a - b),
      Array.from({ length: 400 }, (_, row) => row),
    );
  }
  const conditions = segmentsOf(columns[0]!).map(({ condition }) => condition);
  assert.equal(conditions.length, 5);
  assert.deepEqual(conditions.at(-1), { column: 'x', kind: 'is', value: null });
});

test('a weak spot is found by its two conditions, and none where errors are even', () => {
  const { columns, rowCount } = frame(2000);
  const inputs = { rowCount, columns: columns.slice(0, 3) };
  const random = seededRandom(2);
  const [, group, flag] = columns as [
    unknown,
    { codes: Int32Array; categories: string[] },
    { values: Float64Array },
  ];
  const errors = Float64Array.from({ length: rowCount }, (_, row) => {
    const isWeak = group.categories[group.codes[row]!] === 'b' && flag.values[row] === 1;
    return Number(random.next() < (isWeak ? 0.5 : 0.1));
  });
  const { cohorts, lookedAt } = findCohorts(inputs, errors, 'mistakes');
  assert.ok(lookedAt > 10);
  const worst = cohorts[0]!;
  assert.deepEqual(
    new Set(worst.conditions.map((one) => (one.kind === 'is' ? `${one.column}=${one.value}` : one.column))),
    new Set(['group=b', 'flag=true']),
  );
  assert.ok(Math.abs(worst.error - 0.5) < 0.1 && worst.lower > 0.3 && worst.errorElsewhere < 0.15);
  const even = errors.map(() => Number(random.next() < 0.2));
  assert.deepEqual(findCohorts(inputs, even, 'mistakes').cohorts, []);
});

test('the tail of the normal distribution', () => {
  for (const [z, tail] of [
    [0, 0.5],
    [1.959964, 0.025],
    [-1.644854, 0.95],
    [4, 3.167e-5],
  ])
    assert.ok(Math.abs(normalTail(z!) - tail!) < 2e-7, `${z}`);
});

test('curves follow the columns that matter, for numbers and for classes', async () => {
  const found = await search({
    frame: frame(600),
    recipe: { target: 'y', task: 'regression', metric: 'auto', budget: { trials: 3 }, seed: 1, folds: 3 },
    clock: systemClock,
  });
  const { dependence, cohorts } = found.trust;
  assert.equal(cohorts!.measure, 'distance');
  const x = dependence.find(({ column }) => column === 'x')!;
  assert.ok(x.isOrdered && x.values.length > 8 && x.curves[0]!.outcome === 'y');
  const mean = x.curves[0]!.mean;
  assert.ok(mean.at(-1)! - mean[0]! > 10, 'it rises with x');
  assert.equal(x.shares.at(-1), 1);
  assert.ok(x.rows.length > 10 && x.rows.every((row) => row.length === x.values.length));
  const group = dependence.find(({ column }) => column === 'group')!;
  const heights = new Map(group.values.map((value, index) => [value, group.curves[0]!.mean[index]!]));
  assert.ok(Math.abs(heights.get('c')! - heights.get('a')! - 5) < 1);
  // The mean of the single rows is the mean curve, where all rows are shown or not.
  assert.ok(Math.abs(group.shares.reduce((sum, share) => sum + share, 0) - 1) < 1e-9);
});
