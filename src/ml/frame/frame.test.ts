import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { Problem } from '../../base/problems.ts';
import { encodeFrame, featuresOf, valueEncoders } from './encoding.ts';
import { fitEncoding } from './fit-encoding.ts';
import {
  frameFromColumns,
  frameFromRows,
  missingCode,
  rowAt,
  selectRows,
  unseenCode,
  type CategoryColumn,
} from './frame.ts';
import { inferSchema } from './infer-schema.ts';
import type { ColumnSchema } from './schema.ts';
import { foldRows, splitRows } from './split.ts';
import { parseDateMs, readValue, RefusedValue } from './values.ts';

const schema: ColumnSchema[] = [
  { name: 'age', kind: 'numeric' },
  { name: 'city', kind: 'categorical', categories: ['Oulu', 'Turku'] },
  { name: 'member', kind: 'boolean' },
  { name: 'since', kind: 'date' },
  { name: 'note', kind: 'text' },
];

test('rows become columns and come back', () => {
  const rows = [
    { age: 3.5, city: 'Turku', member: true, since: '2024-02-29T12:00:00.000Z', note: 'hei' },
    { age: null, city: null, member: null, since: null, note: null },
  ];
  const frame = frameFromRows(rows, schema);
  assert.deepEqual([rowAt(frame, 0), rowAt(frame, 1)], rows);
  assert.deepEqual(rowAt(selectRows(frame, Int32Array.of(1, 0)), 1), rows[0]);
});

test('absent fields are missing; values outside the categories are unseen, not missing', () => {
  const frame = frameFromRows([{}, { city: 'Paris' }], schema);
  const city = frame.columns[1] as CategoryColumn;
  assert.deepEqual([...city.codes], [missingCode, unseenCode]);
});

test('wrong types are refused, and every field is named', () => {
  const bad = { age: '12', city: 'Oulu', member: 'yes', since: 'soon', note: 5 };
  assert.throws(
    () => frameFromRows([bad], schema),
    (error: Problem) => {
      assert.equal(error.code, 'prediction-input');
      assert.deepEqual(
        error.errors?.map((one) => one.field),
        ['age', 'member', 'since', 'note'],
      );
      assert.match(error.errors![0]!.message, /must be a number, got "12"/);
      return true;
    },
  );
});

test('raw text is converted by the schema', () => {
  const columns = {
    age: ['12', ' -3.5e2 ', 'NA'],
    city: ['Oulu', '', 'NA'],
    member: ['yes', 'F', ''],
    since: ['2026-11-22', '2026/11/22 10:30', '?'],
    note: ['', 'a', 'b'],
  };
  const frame = frameFromColumns(columns, schema, 'text');
  assert.deepEqual(rowAt(frame, 0), {
    age: 12,
    city: 'Oulu',
    member: true,
    since: '2026-11-22T00:00:00.000Z',
    note: null,
  });
  assert.deepEqual(rowAt(frame, 1), {
    age: -350,
    city: null,
    member: false,
    since: '2026-11-22T10:30:00.000Z',
    note: 'a',
  });
  assert.deepEqual(rowAt(frame, 2), { age: null, city: null, member: null, since: null, note: 'b' });
  assert.throws(() => frameFromColumns({ age: ['1', '2'], city: ['x'] }, schema, 'text'), Problem);
});

test('dates: offsets count, and days that do not exist are none', () => {
  assert.equal(parseDateMs('2026-11-22T12:00:00+02:00'), Date.UTC(2026, 10, 22, 10));
  assert.equal(parseDateMs('2026-11-22T12:00:00.25Z'), Date.UTC(2026, 10, 22, 12, 0, 0, 250));
  for (const text of ['2026-02-30', '2026-13-01', '2026-11-22T25:00', '22.11.2026', ''])
    assert.equal(parseDateMs(text), undefined);
});

test('reading a value never throws and never gives an infinite or undefined one', () => {
  fc.assert(
    fc.property(
      fc.anything(),
      fc.constantFrom(...schema.map((column) => column.kind)),
      fc.constantFrom('json' as const, 'text' as const),
      (value, kind, form) => {
        const read = readValue(value, kind, form);
        if (read instanceof RefusedValue) return read.message.length > 0;
        return kind === 'categorical' || kind === 'text'
          ? read === null || typeof read === 'string'
          : typeof read === 'number' && Math.abs(read) !== Infinity;
      },
    ),
    { numRuns: 2000 },
  );
});

test('kinds are inferred from text', () => {
  const long = Array.from({ length: 40 }, (_, index) => `a comment about order number ${index} that is long`);
  const columns = {
    amount: long.map((_, index) => String(index / 3)),
    day: long.map((_, index) => `2026-01-${String((index % 28) + 1).padStart(2, '0')}`),
    flag: long.map((_, index) => (index % 2 ? 'yes' : 'no')),
    colour: long.map((_, index) => ['red', 'blue', ''][index % 3]!),
    comment: long,
  };
  assert.deepEqual(
    inferSchema(columns).map((column) => column.kind),
    ['numeric', 'date', 'boolean', 'categorical', 'text'],
  );
});

test('an encoded frame and encoded single values are the same numbers', () => {
  const rows = Array.from({ length: 60 }, (_, index) => ({
    age: index % 7 ? index % 13 : null,
    city: ['Oulu', 'Turku', 'Paris', null][index % 4],
    member: index % 3 ? true : null,
    since: index % 5 ? `2024-0${(index % 9) + 1}-11T0${index % 10}:00:00Z` : null,
    note: index % 2 ? `word${index % 11} Äiti and 雲雲 more` : null,
  }));
  const frame = frameFromRows(rows, schema);
  const { encoding, dropped } = fitEncoding(frame);
  assert.deepEqual(dropped, []);
  const table = encodeFrame(frame, encoding);
  assert.equal(table.features.length, table.columns.length);
  let start = 0;
  for (const { column, width, encode } of valueEncoders(encoding)) {
    const kind = schema.find((one) => one.name === column)!.kind;
    rows.forEach((row, index) => {
      const out = new Float64Array(width);
      encode(readValue(row[column as keyof typeof row], kind, 'json') as number | string | null, out, 0);
      assert.deepEqual(
        [...out],
        Array.from({ length: width }, (_, feature) => table.columns[start + feature]![index]!),
      );
    });
    start += width;
  }
  assert.equal(start, featuresOf(encoding).length);
});

test('columns that cannot help are dropped with a reason', () => {
  const count = 50;
  const many = <T>(of: (index: number) => T): T[] => Array.from({ length: count }, (_, index) => of(index));
  const frame = frameFromColumns(
    {
      row: many((index) => index + 1),
      name: many((index) => `x${index}`),
      same: many(() => 4),
      none: many(() => null),
      word: many((index) => `w${index}`),
      kept: many((index) => (index * 7) % 11),
    },
    [
      { name: 'row', kind: 'numeric' },
      { name: 'name', kind: 'categorical' },
      { name: 'same', kind: 'numeric' },
      { name: 'none', kind: 'date' },
      { name: 'word', kind: 'text' },
      { name: 'kept', kind: 'numeric' },
    ],
  );
  const { encoding, dropped } = fitEncoding(frame);
  assert.deepEqual(
    encoding.map((entry) => entry.column),
    ['kept'],
  );
  assert.deepEqual(
    dropped.map((entry) => entry.column),
    ['row', 'name', 'same', 'none', 'word'],
  );
});

test('high-cardinality categories keep the frequent values; rare and unseen ones share a code', () => {
  const values = Array.from({ length: 3000 }, (_, index) => `v${Math.floor(Math.sqrt(index * 60))}`);
  const frame = frameFromColumns({ c: values }, [{ name: 'c', kind: 'categorical' }]);
  const { encoding } = fitEncoding(frame);
  const entry = encoding[0]!;
  assert.ok(entry.kind === 'category' && entry.categories.length === 250);
  const [encoder] = valueEncoders(encoding);
  const out = new Float64Array(1);
  encoder!.encode('never seen', out, 0);
  assert.equal(out[0], 250);
});

test('splits and folds: disjoint, complete, stratified, the same for a seed', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 10, max: 300 }),
      fc.integer(),
      fc.integer({ min: 2, max: 8 }),
      (rowCount, seed, foldCount) => {
        const strata = Int32Array.from({ length: rowCount }, (_, row) => (row % 3 === 0 ? 1 : 0));
        const folds = foldRows({ rowCount, seed, foldCount, strata });
        const seen = folds.flatMap((fold) => [...fold.validation]).sort((a, b) => a - b);
        assert.deepEqual(
          seen,
          Array.from({ length: rowCount }, (_, row) => row),
        );
        for (const { training, validation } of folds) {
          assert.equal(training.length + validation.length, rowCount);
          const positives = validation.filter((row) => strata[row] === 1).length;
          assert.ok(Math.abs(positives - Math.ceil(rowCount / 3) / foldCount) <= 1.01);
        }
        assert.deepEqual(folds, foldRows({ rowCount, seed, foldCount, strata }));
        const { first, second } = splitRows({ rowCount, seed, share: 0.2, strata });
        assert.deepEqual(
          [...first, ...second].sort((a, b) => a - b),
          seen,
        );
        assert.equal(second.length, Math.max(1, Math.round(rowCount * 0.2)));
      },
    ),
    { numRuns: 50 },
  );
});

test('groups are never cut: each lies on one side, sizes are near what was asked for', () => {
  fc.assert(
    fc.property(
      fc.integer(),
      fc.integer({ min: 2, max: 60 }),
      fc.integer({ min: 2, max: 5 }),
      fc.constantFrom(1, 2, 3),
      (seed, groupCount, foldCount, power) => {
        // The larger the power, the more the sizes differ.
        const sizes = Array.from({ length: groupCount }, (_, group) => 1 + (group % 7) ** power);
        const groups = Int32Array.from(sizes.flatMap((size, group) => Array(size).fill(group * 3 + 5)));
        const rowCount = groups.length;
        const largest = Math.max(...sizes);
        const groupsOf = (rows: Int32Array): Set<number> => new Set(Array.from(rows, (row) => groups[row]!));
        const isDisjoint = (one: Set<number>, other: Set<number>): boolean =>
          [...one].every((group) => !other.has(group));
        const all = (parts: Int32Array[]): number[] =>
          parts.flatMap((part) => [...part]).sort((a, b) => a - b);
        const { first, second } = splitRows({ rowCount, seed, share: 0.25, groups });
        assert.ok(isDisjoint(groupsOf(first), groupsOf(second)));
        assert.ok(first.length > 0 && second.length > 0);
        assert.ok(Math.abs(second.length - 0.25 * rowCount) <= largest);
        assert.deepEqual(all([first, second]), [...groups.keys()]);
        if (foldCount > groupCount) return;
        const folds = foldRows({ rowCount, seed, foldCount, groups });
        for (const { training, validation } of folds) {
          assert.ok(isDisjoint(groupsOf(training), groupsOf(validation)));
          assert.ok(validation.length > 0 && Math.abs(validation.length - rowCount / foldCount) <= largest);
        }
        assert.deepEqual(all(folds.map((fold) => fold.validation)), [...groups.keys()]);
        assert.deepEqual(folds, foldRows({ rowCount, seed, foldCount, groups }));
      },
    ),
    { numRuns: 200, seed: 1 },
  );
});
