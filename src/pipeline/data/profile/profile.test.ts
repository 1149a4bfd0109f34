import assert from 'node:assert/strict';
import fc from 'fast-check';
import { suite, test } from 'node:test';
import type { DatasetProfile } from '../../../contract/dataset.ts';
import { profileBytes, parquetOf } from '../import-task.fixture.ts';
import { profileNumbers } from './number-profile.ts';
import { comparePairs, pearson } from './pairs.ts';
import { sampleRows } from './row-sample.ts';

type Column = DatasetProfile['columns'][number];

async function profileOf(select: string): Promise<DatasetProfile> {
  return (await profileBytes(await parquetOf(select))).profile;
}

function columnOf(profile: DatasetProfile, name: string): Column {
  return profile.columns.find((column) => column.name === name)!;
}

const warned = ({ warnings }: DatasetProfile): string[] =>
  warnings.map(({ code, columns }) => [code, ...columns].join(' ')).sort();

suite('the profile of a small dataset', () => {
  const select = `SELECT range AS id, range % 10 AS digit, CASE WHEN range % 4 = 0 THEN NULL ELSE range / 8.0 END AS x,
    range % 2 = 0 AS even, DATE '2024-01-01' + (range % 30)::INTEGER AS day, TIMESTAMP '2024-01-01' + INTERVAL (range) SECOND AS at,
    CASE range % 3 WHEN 0 THEN 'red' WHEN 1 THEN 'green' ELSE 'blue' END AS colour, 'same' AS constant, NULL::VARCHAR AS empty,
    'a rather long note about item number ' || range AS note FROM range(1000)`;

  test('types, roles, missing and distinct values', async () => {
    const { columns, rowCount, duplicateRowCount, sampledRowCount } = await profileOf(select);
    assert.deepEqual([rowCount, duplicateRowCount, sampledRowCount], [1000, 0, null]);
    assert.deepEqual(
      columns.map(({ name, role, missingCount, distinctCount }) => [name, role, missingCount, distinctCount]),
      [
        ['id', 'id', 0, 1000],
        ['digit', 'numeric', 0, 10],
        ['x', 'numeric', 250, 750],
        ['even', 'boolean', 0, 2],
        ['day', 'date', 0, 30],
        ['at', 'date', 0, 1000],
        ['colour', 'categorical', 0, 3],
        ['constant', 'constant', 0, 1],
        ['empty', 'empty', 1000, 0],
        ['note', 'text', 0, 1000],
      ],
    );
  });

  test('numbers: moments, quantiles, histogram, frequent values', async () => {
    const profile = await profileOf(select);
    const { numeric, histogram, topValues } = columnOf(profile, 'digit');
    assert.equal(numeric!.mean, 4.5);
    assert.ok(Math.abs(numeric!.standardDeviation - 2.873718) < 1e-5);
    assert.deepEqual([numeric!.minimum, numeric!.maximum], [0, 9]);
    assert.deepEqual(
      numeric!.quantiles.map(({ value }) => value),
      [0, 0, 2, 4.5, 7, 9, 9],
    );
    assert.equal(
      histogram!.counts.reduce((sum, count) => sum + count),
      1000,
    );
    assert.equal(histogram!.edges.length, histogram!.counts.length + 1);
    assert.equal(topValues.length, 10);
    assert.ok(topValues.every(({ count }) => count === 100));
    assert.deepEqual(columnOf(profile, 'id').topValues, []);
  });

  test('dates and texts', async () => {
    const profile = await profileOf(select);
    assert.deepEqual(columnOf(profile, 'day').range, { earliest: '2024-01-01', latest: '2024-01-30' });
    assert.deepEqual(columnOf(profile, 'at').range, {
      earliest: '2024-01-01T00:00:00.000Z',
      latest: '2024-01-01T00:16:39.000Z',
    });
    assert.deepEqual(columnOf(profile, 'colour').topValues, [
      { value: 'red', count: 334 },
      { value: 'blue', count: 333 },
      { value: 'green', count: 333 },
    ]);
    assert.deepEqual(columnOf(profile, 'colour').histogram, {
      edges: [3, 3 + 2 / 3, 3 + 4 / 3, 5],
      counts: [334, 333, 333],
    });
    assert.deepEqual(
      columnOf(profile, 'even')
        .topValues.map(({ value }) => value)
        .sort(),
      ['false', 'true'],
    );
  });

  test('warnings: constant, ids, missing', async () => {
    const found = warned(await profileOf(select));
    for (const expected of ['constant constant', 'id-like id', 'mostly-missing empty'])
      assert.ok(found.includes(expected), found.join('; '));
  });
});

suite('warnings', () => {
  test('duplicates, equal columns, columns that give each other away', async () => {
    const profile =
      await profileOf(`SELECT a, a AS copy, CASE a WHEN 0 THEN 'FI' WHEN 1 THEN 'SE' ELSE 'NO' END AS country,
      a * 2.54 + 1e-9 * r AS inches, r FROM (SELECT range % 3 AS a, hash(range % 50) % 1000 AS r FROM range(150))`);
    const found = warned(profile);
    for (const expected of [
      'duplicate-column a copy',
      'leakage-suspect a country',
      'leakage-suspect a inches',
      'duplicate-rows',
    ])
      assert.ok(
        found.some((warning) => warning.startsWith(expected)),
        `${expected} in ${found.join('; ')}`,
      );
    assert.ok(profile.duplicateRowCount! > 0);
  });

  test('mixed types, skew, many categories', async () => {
    const found = warned(
      await profileOf(`SELECT CASE WHEN range % 10 = 0 THEN 'n.a.' ELSE range::VARCHAR END AS mixed, exp(range / 40.0) AS skewed,
        'c' || (range % 700) AS many FROM range(1000)`),
    );
    for (const expected of ['mixed-types mixed', 'skewed skewed', 'high-cardinality many'])
      assert.ok(found.includes(expected), found.join('; '));
  });

  test('a tidy dataset has none', async () => {
    const found = warned(
      await profileOf(`SELECT (hash(range) % 1000000) / 10.0 AS x, (hash(range + 5) % 7)::INTEGER AS k,
        chr(97 + (hash(range * 3) % 5)::INTEGER) AS letter FROM range(500)`),
    );
    assert.deepEqual(found, []);
  });
});

suite('a large dataset', () => {
  test('is sampled, says so, and keeps what must be exact', async () => {
    const rowCount = 600_000;
    const profile =
      await profileOf(`SELECT range AS n, range % 1000 AS k, CASE WHEN range % 2 = 0 THEN range END AS half,
      'g' || (range % 5) AS g, CASE WHEN range = 123457 THEN 1e9 ELSE range % 100 END AS spike,
      CASE WHEN range % 1000 = 0 THEN 'inf'::DOUBLE ELSE 1e12 + range % 2 END AS tight, 1e308 AS huge,
      DATE '2024-01-01' + (range // 10000)::INTEGER AS day, 'v' || (hash(range % 90000) % 1000000007) AS many,
      NULL::INTEGER AS empty FROM range(${rowCount})`);
    assert.ok(profile.sampledRowCount! > 100_000 && profile.sampledRowCount! <= 130_000);
    assert.equal(profile.duplicateRowCount, null);
    const n = columnOf(profile, 'n').numeric!;
    assert.deepEqual([n.minimum, n.maximum, n.mean], [0, rowCount - 1, (rowCount - 1) / 2]);
    assert.ok(
      Math.abs(n.quantiles.find(({ share }) => share === 0.5)!.value - rowCount / 2) < rowCount * 0.02,
    );
    assert.equal(columnOf(profile, 'spike').numeric!.maximum, 1e9);
    assert.equal(columnOf(profile, 'half').missingCount, rowCount / 2);
    assert.equal(columnOf(profile, 'k').distinctCount, 1000);
    assert.equal(columnOf(profile, 'g').distinctCount, 5);
    assert.equal(columnOf(profile, 'n').role, 'id');
    assert.ok(Math.abs(n.standardDeviation / Math.sqrt((rowCount * (rowCount + 1)) / 12) - 1) < 1e-9);
    // Infinities have no mean; large values of little spread keep their digits.
    const tight = columnOf(profile, 'tight').numeric!;
    assert.deepEqual([tight.minimum, tight.maximum], [1e12, 1e12 + 1]);
    assert.ok(Math.abs(tight.standardDeviation - 0.5) < 1e-3, String(tight.standardDeviation));
    const huge = columnOf(profile, 'huge').numeric!;
    assert.ok(Number.isFinite(huge.mean) && Number.isFinite(huge.standardDeviation));
    assert.deepEqual(columnOf(profile, 'day').range, { earliest: '2024-01-01', latest: '2024-02-29' });
    const many = columnOf(profile, 'many').distinctCount;
    assert.ok(Math.abs(many / 90_000 - 1) < 0.1, String(many));
    assert.equal(columnOf(profile, 'empty').numeric, null);
  });
});

suite('figures', () => {
  test('of numbers agree with their definitions', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(
            fc.integer({ min: -50, max: 50 }),
            fc.double({ min: -1e6, max: 1e6, noNaN: true }),
            fc.constant(NaN),
          ),
          { maxLength: 200 },
        ),
        (values) => {
          const figures = profileNumbers(Float64Array.from(values), { bins: 20, top: 10 });
          const present = values.filter((value) => !Number.isNaN(value)).map((value) => value + 0);
          assert.equal(figures.presentCount, present.length);
          assert.equal(figures.distinctCount, new Set(present).size);
          if (present.length === 0) return;
          const mean = present.reduce((sum, value) => sum + value, 0) / present.length;
          assert.ok(
            Math.abs(figures.numeric!.mean - mean) <= 1e-9 * (1 + Math.max(...present.map(Math.abs))),
          );
          assert.equal(
            figures.histogram!.counts.reduce((sum, count) => sum + count, 0),
            present.length,
          );
          const quantiles = figures.numeric!.quantiles.map(({ value }) => value);
          assert.deepEqual(
            quantiles,
            quantiles.toSorted((a, b) => a - b),
          );
        },
      ),
    );
  });

  test('of infinities leave JSON numbers', () => {
    const figures = profileNumbers(Float64Array.of(1, Infinity, -Infinity, 3), { bins: 5, top: 3 });
    assert.deepEqual([figures.presentCount, figures.numeric!.mean, figures.numeric!.maximum], [4, 2, 3]);
    const huge = profileNumbers(Float64Array.of(1e308, -1e308, 1e308), { bins: 5, top: 3 });
    assert.ok(
      Object.values(huge.numeric!)
        .flat()
        .every((value) => typeof value === 'object' || Number.isFinite(value)),
    );
  });

  test('correlation is symmetric, bounded, and 1 for a line', () => {
    const value = fc.integer({ min: -1000, max: 1000 });
    fc.assert(
      fc.property(fc.array(fc.tuple(value, value), { minLength: 10, maxLength: 50 }), (pairs) => {
        const a = Float64Array.from(pairs, ([x]) => x);
        const b = Float64Array.from(pairs, ([, y]) => y);
        const found = pearson(a, b);
        const other = pearson(b, a);
        assert.ok(found === other || Math.abs(found! - other!) < 1e-12);
        if (found !== null) assert.ok(Math.abs(found) <= 1);
        const line = pearson(
          a,
          a.map((x) => 3 - 2 * x),
        );
        if (line !== null) assert.ok(line < -0.999999, String(line));
      }),
    );
  });

  test('pairs: columns of ids tell nothing', () => {
    const rows = 100;
    const ids = Float64Array.from({ length: rows }, (_, row) => row);
    const others = Float64Array.from({ length: rows }, (_, row) => (row * 37) % 101);
    const found = comparePairs(
      [
        { name: 'a', isNumeric: false, values: ids },
        { name: 'b', isNumeric: false, values: others },
      ],
      50,
    );
    assert.deepEqual(found, { correlations: [], equal: [], telling: [] });
  });

  test('sampled rows are as many as promised', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5_000_000 }),
        fc.integer({ min: 1, max: 300_000 }),
        (rowCount, most) => {
          const sample = sampleRows(rowCount, most);
          assert.ok(sample.rowCount <= Math.max(most + 2048, 1) && sample.rowCount >= Math.min(rowCount, 1));
        },
      ),
    );
  });
});
