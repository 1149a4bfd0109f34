// Columns that moved are named, columns that did not are not, also when there are many of them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom, type Random } from '../../base/random.ts';
import { addNumbers, addValue, columnSketch, type ColumnSketch } from './column-sketch.ts';
import { compareColumns, type ColumnDrift } from './compare.ts';
import { qualityOf } from './data-quality.ts';

test('of 65 columns of one source none has moved, with few rows and with many', () => {
  for (const [seed, rows] of [
    [1, 60],
    [2, 500],
    [3, 4000],
  ] as const) {
    const random = seededRandom(seed);
    const side = (rowCount: number): Map<string, ColumnSketch> =>
      new Map(
        Array.from({ length: 65 }, (_, index) => [
          `column ${index}`,
          index % 3 === 0
            ? values(Array.from({ length: rowCount }, () => 'abcdefg'[Math.floor(random.next() ** 2 * 7)]!))
            : spread(rowCount, random, (number) => number ** (1 + (index % 5))),
        ]),
      );
    const drifts = compareColumns(side(4000), side(rows));
    assert.deepEqual([...new Set(drifts.map(({ level }) => level))], ['same']);
  }
});

test('what moved is named, and how far', () => {
  const random = seededRandom(4);
  const reference = new Map<string, ColumnSketch>([
    ['still', spread(5000, random, (number) => number)],
    ['little', spread(5000, random, (number) => number)],
    ['lot', spread(5000, random, (number) => number)],
    ['constant', spread(5000, random, () => 5)],
    ['colour', values(colours(5000, random, 0.5))],
    ['empty', spread(0, random, () => 0)],
    ['few', spread(5000, random, (number) => number)],
  ]);
  const current = new Map<string, ColumnSketch>([
    ['still', spread(900, random, (number) => number)],
    ['little', spread(900, random, (number) => number ** 1.5)],
    ['lot', spread(900, random, (number) => number + 0.5)],
    ['constant', spread(900, random, () => 4)],
    ['colour', values(colours(900, random, 0.9))],
    ['empty', spread(900, random, () => 0)],
    ['few', spread(20, random, (number) => number + 5)],
    ['new', spread(900, random, () => 0)],
  ]);
  const drifts = compareColumns(reference, current);
  assert.deepEqual(Object.fromEntries(drifts.map(({ column, level }) => [column, level])), {
    still: 'same',
    little: 'little',
    lot: 'lot',
    constant: 'lot',
    colour: 'lot',
    empty: 'unclear',
    few: 'unclear',
  });
  for (const { distribution } of drifts) {
    const bins = distribution.edges ? distribution.edges.length + 1 : distribution.values!.length + 1;
    assert.equal(distribution.reference.length, bins);
    assert.equal(distribution.current.length, bins);
  }
  assert.ok(of(drifts, 'lot').psi > of(drifts, 'little').psi);
});

test('texts: another length or other words', () => {
  const text = (words: string): ColumnSketch => {
    const sketch = columnSketch('text');
    for (let index = 0; index < 2000; index++) addValue(sketch, `${words} ${index}`);
    return sketch;
  };
  const compared = (now: ColumnSketch): string =>
    compareColumns(new Map([['note', text('please send it home')]]), new Map([['note', now]]))[0]!.level;
  assert.equal(compared(text('please send it home')), 'same');
  assert.equal(compared(text('refund wrong bill ok')), 'lot');
  assert.equal(compared(text('please send it home as soon as you can, it is late')), 'lot');
});

test('quality: missing, outside of what was known, never seen', () => {
  const reference = spread(1000, seededRandom(1), (number) => number * 10);
  const current = columnSketch('number');
  addNumbers(current, Float64Array.of(1, 2, 3, 11, -1, NaN, NaN, Infinity));
  const { missingShare, invalidShare, outsideShare, unseenShare } = qualityOf('x', reference, current);
  assert.deepEqual([missingShare, invalidShare, outsideShare, unseenShare], [0.25, 0.125, 0.4, null]);

  const quality = qualityOf('c', values(['a', 'b', 'b']), values(['b', 'c', 'd', 'd', null]));
  assert.equal(quality.unseenShare, 0.75);
  assert.deepEqual(quality.unseenValues, ['d', 'c']);
  assert.equal(quality.missingShare, 0.2);
  assert.deepEqual([quality.distinctCount, quality.referenceDistinctCount], [3, 2]);
});

function spread(rows: number, random: Random, of: (number: number) => number): ColumnSketch {
  const sketch = columnSketch('number');
  addNumbers(
    sketch,
    Float64Array.from({ length: rows }, () => of(random.next())),
  );
  return sketch;
}

function values(all: readonly (string | null)[]): ColumnSketch {
  const sketch = columnSketch('category');
  for (const value of all) addValue(sketch, value);
  return sketch;
}

function colours(rows: number, random: Random, redShare: number): string[] {
  return Array.from({ length: rows }, () => (random.next() < redShare ? 'red' : 'blue'));
}

function of(drifts: readonly ColumnDrift[], column: string): ColumnDrift {
  return drifts.find((drift) => drift.column === column)!;
}
