// Copies of rows are told from rows that are equal by chance, and are never divided.
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { seededRandom, type Random } from '../../base/random.ts';
import { systemClock } from '../../base/time.ts';
import { frameFromRows, type Frame } from '../frame/frame.ts';
import type { ColumnSchema } from '../frame/schema.ts';
import { foldRows, splitRows } from '../frame/split.ts';
import { prepare } from './prepare.ts';
import type { Recipe } from './recipe.ts';
import { search } from './search.ts';
import { findTwins } from './twins.ts';

type Row = Record<string, string | number | null>;

const recipe: Recipe = { target: 'y', task: 'binary', metric: 'auto', budget: { trials: 3 }, seed: 3 };
const numbers: ColumnSchema[] = ['a', 'b', 'c'].map((name) => ({ name, kind: 'numeric' }));
const target: ColumnSchema = { name: 'y', kind: 'categorical' };

function rowsOf(count: number, make: (random: Random, row: number) => Row): Row[] {
  const random = seededRandom(9);
  return Array.from({ length: count }, (_, row) => make(random, row));
}

const threeNumbers = (random: Random): Row => ({ a: random.next(), b: random.next(), c: random.next() });
const coin = (random: Random): string => (random.next() < 0.5 ? 'yes' : 'no');

function twinsOf(rows: readonly Row[], schema: readonly ColumnSchema[]) {
  const { columns, rowCount } = frameFromRows(rows, schema);
  return findTwins(
    columns,
    Int32Array.from({ length: rowCount }, (_, row) => row),
    1,
  );
}

test('a table that was appended to itself is found, however the rows lie', () => {
  const rows = rowsOf(400, threeNumbers);
  const twins = twinsOf([...rows, ...rows.toReversed()], numbers);
  assert.equal(twins?.rowCount, 800);
  assert.equal(twins.expectedCount, 0);
  for (let row = 0; row < 400; row++) assert.equal(twins.sets[row], twins.sets[799 - row]);
  assert.equal(new Set(twins.sets).size, 400);
});

test('rare rows that were multiplied are found', () => {
  const rows = rowsOf(1000, threeNumbers);
  const rare = rows.slice(0, 30).flatMap((row) => Array.from({ length: 10 }, () => row));
  assert.equal(twinsOf([...rows, ...rare], numbers)?.rowCount, 330);
});

test('copies are found among columns of few values, when one column has many', () => {
  const schema: ColumnSchema[] = [...numbers.slice(0, 1), ...['k', 'l', 'm'].map(categorical)];
  const rows = rowsOf(500, (random) => ({ a: random.next(), ...letters(random, ['k', 'l', 'm'], 2) }));
  assert.equal(twinsOf([...rows, ...rows], schema)?.rowCount, 1000);
});

test('in a table of few values, equal rows are chance', () => {
  for (const [columnCount, levels] of [
    [2, 3],
    [4, 3],
    [6, 4],
    [8, 3],
  ] as const) {
    const names = Array.from({ length: columnCount }, (_, column) => `k${column}`);
    const rows = rowsOf(2000, (random) => letters(random, names, levels));
    assert.equal(twinsOf(rows, names.map(categorical)), undefined, `${columnCount} columns of ${levels}`);
  }
});

test('columns that hang together do not make chance look like copies', () => {
  const names = ['city', 'district', 'age', 'kind'];
  const rows = rowsOf(4000, (random) => {
    const city = random.below(8);
    return {
      city: `c${city}`,
      district: `d${city * 4 + random.below(4)}`,
      ...letters(random, ['age', 'kind'], 9),
    };
  });
  assert.equal(twinsOf(rows, names.map(categorical)), undefined);
});

test('one measured number, measured again and again, is no copy', () => {
  assert.equal(
    twinsOf(
      rowsOf(1000, (random) => ({ a: random.below(40) })),
      numbers.slice(0, 1),
    ),
    undefined,
  );
});

test('texts are not equal by chance', () => {
  const rows = rowsOf(300, (_, row) => ({ note: `Message number ${row % 200}, as it was sent` }));
  assert.equal(twinsOf(rows, [{ name: 'note', kind: 'text' }])?.rowCount, 200);
});

test('missing values are equal, and -0 is 0', () => {
  const rows = rowsOf(200, (random, row) => ({ a: row % 2 === 0 ? null : -0, b: random.next(), c: null }));
  const copies = rows.map((row) => ({ ...row, a: row['a'] === null ? null : 0 }));
  assert.equal(twinsOf([...rows, ...copies], numbers)?.rowCount, 400);
});

test('a few equal rows, or few different ones, are left as they are', () => {
  const rows = rowsOf(3000, threeNumbers);
  assert.equal(twinsOf([...rows, ...rows.slice(0, 4)], numbers), undefined);
  assert.equal(
    twinsOf(
      rows.map((_, row) => rows[row % 12]!),
      numbers,
    ),
    undefined,
  );
  assert.equal(twinsOf([], numbers), undefined);
  assert.equal(twinsOf(rows, []), undefined);
});

test('splits and folds keep sets whole, shares and classes about even, and lose no row', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 1e6 }),
      fc.integer({ min: 40, max: 400 }),
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 2, max: 8 }),
      (seed, rowCount, copies, foldCount) => {
        const random = seededRandom(seed);
        const sets = Int32Array.from({ length: rowCount }, (_, row) => Math.floor(row / copies));
        const strata = sets.map((set) => (set % 4 === 0 ? 1 : 0));
        const options = { rowCount, seed: random.below(1e9), sets, strata };
        const { first, second } = splitRows({ ...options, share: 0.25 });
        assert.equal(first.length + second.length, rowCount);
        const learned = new Set(first.map((row) => sets[row]!));
        assert.ok(second.every((row) => !learned.has(sets[row]!)));
        assert.ok(Math.abs(second.length - rowCount / 4) <= copies, `${second.length} of ${rowCount}`);
        const rare = second.filter((row) => strata[row] === 1).length;
        assert.ok(Math.abs(rare - rowCount / 16) <= 2 * copies + 1, `${rare} rare rows of ${rowCount}`);
        const folds = foldRows({ ...options, foldCount });
        const judged = folds.flatMap(({ validation }) => [...validation]).sort((a, b) => a - b);
        assert.deepEqual(judged, [...Array.from({ length: rowCount }).keys()]);
        const lengths = folds.map(({ validation }) => validation.length);
        assert.ok(Math.max(...lengths) - Math.min(...lengths) <= 2 * copies, `${lengths}`);
        for (const { training, validation } of folds) {
          const own = new Set(validation.map((row) => sets[row]!));
          assert.ok(training.every((row) => !own.has(sets[row]!)));
        }
      },
    ),
    { numRuns: 60 },
  );
});

/** Rows with a coin as target, each twice: all that can be learned is to recognise a row. */
function doubled(): Row[] {
  const rows = rowsOf(400, (random) => ({ ...threeNumbers(random), y: coin(random) }));
  return [...rows, ...rows];
}

test('a model of copied noise is not praised for recognising rows', async () => {
  const frame = frameFromRows(doubled(), [...numbers, target]);
  const { folds, training, holdout, warnings } = prepare(frame, recipe);
  const marks = ({ columns }: Frame): number[] => [...(columns[0] as { values: Float64Array }).values];
  const learned = new Set(marks(training.frame));
  assert.ok(marks(holdout.frame).every((mark) => !learned.has(mark)));
  assert.equal(holdout.actual.length, 160);
  for (const fold of folds) {
    const own = new Set(Array.from(fold.training, (row) => marks(training.frame)[row]!));
    assert.ok(fold.validation.every((row) => !own.has(marks(training.frame)[row]!)));
  }
  assert.match(
    warnings.join(' '),
    /^800 of 800 rows occur more than once.*about 0 of them.*Equal rows were kept on the same side/,
  );
  const found = await search({ frame, recipe, clock: systemClock });
  assert.ok(Math.abs(found.crossValidationScore - 0.5) < 0.12, `AUC ${found.crossValidationScore} of noise`);
  assert.ok(found.model.manifest.warnings.some((warning) => warning.includes('occur more than once')));
});

test('an identifier does not hide copies', () => {
  const rows = doubled().map((row, id) => ({ ...row, id: id + 1 }));
  const { warnings } = prepare(
    frameFromRows(rows, [{ name: 'id', kind: 'numeric' }, ...numbers, target]),
    recipe,
  );
  assert.match(warnings.join(' '), /800 of 800 rows/);
});

test('rows divided as the recipe asks are not divided otherwise: the cut twins are counted', () => {
  const kinds: ColumnSchema[] = [
    { name: 'when', kind: 'numeric' },
    { name: 'who', kind: 'categorical' },
  ];
  const rows = doubled().map((row, when) => ({ ...row, when, who: `${when < 400 ? 'w' : 'v'}${when % 50}` }));
  const frame = frameFromRows(rows, [...kinds, ...numbers, target]);
  const byTime = prepare(frame, { ...recipe, timeColumn: 'when', excludedColumns: ['when', 'who'] });
  assert.match(byTime.warnings.join(' '), /160 of the rows that the model was judged by are also among/);
  const byGroup = prepare(frame, { ...recipe, groupColumn: 'who', excludedColumns: ['when'] });
  assert.match(byGroup.warnings.join(' '), /\b\d+ of the rows that the model was judged by are also among/);
});

test('a table without copies is divided as before', () => {
  const rows = rowsOf(600, (random) => ({ ...letters(random, ['k', 'l'], 3), y: coin(random) }));
  const { warnings } = prepare(frameFromRows(rows, [categorical('k'), categorical('l'), target]), recipe);
  assert.deepEqual(warnings, []);
});

function categorical(name: string): ColumnSchema {
  return { name, kind: 'categorical' };
}

function letters(random: Random, names: readonly string[], levels: number): Row {
  return Object.fromEntries(names.map((name) => [name, 'abcdefghij'[random.below(levels)]!]));
}
