// Imports lose nothing: whatever a table of texts holds, every value comes back as it was, or as a value that means
// the same; types that the first rows promise and later ones break are widened.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { suite, test } from 'node:test';
import type { ColumnType } from '../../contract/dataset.ts';
import { importBytes } from './import-task.fixture.ts';

/** Whether `cell` of a column of `type` still means what `text` said. Blank is missing. */
function keeps(text: string, type: ColumnType, cell: unknown): boolean {
  if (text === '') return cell === null;
  if (type === 'text') return cell === text;
  if (text.trim() === '') return cell === null;
  switch (type) {
    case 'integer':
      return BigInt(text.trim().replace('+', '')) === BigInt(cell as string);
    case 'number':
      return Number(text.trim().replace(/inf(inity)?/i, 'Infinity')) === Number(cell);
    case 'boolean':
      return cell === /^t/i.test(text.trim());
    case 'date':
    case 'datetime': {
      // Every number of the text is a part of the date, whatever its order.
      const parts = new Set(String(cell).match(/\d+/g)!.map(Number));
      return text.match(/\d+/g)!.every((part) => parts.has(Number(part)));
    }
    default:
      return type satisfies never;
  }
}

const anyText = fc.oneof(
  fc.string({ maxLength: 12, unit: 'binary' }),
  fc.constantFrom(
    'x,y',
    'a"b',
    '"',
    '""',
    "'",
    '\n',
    'a\r\nb',
    ';',
    '\t',
    ' lead',
    'trail ',
    '#x',
    '\\',
    '\\n',
    '\\"',
    'NULL',
    'NA',
    '-',
    '1,234.5',
    '€',
    '😀',
  ),
);
const kinds: Record<string, fc.Arbitrary<string>> = {
  text: anyText,
  integers: fc.maxSafeInteger().map(String),
  ids: fc.stringMatching(/^0[0-9]{1,8}$/),
  long: fc.stringMatching(/^[1-9][0-9]{15,25}$/),
  doubles: fc.double({ noNaN: true }).map(String),
  fixed: fc.stringMatching(/^-?(0|[1-9][0-9]{0,9})\.[0-9]{1,8}$/),
  odd: fc.constantFrom('1_000', '0x1F', '1e5', '+5', '-0', 'inf', '12.', '.5', ' 7', '7 ', 'nan', '1e400'),
  booleans: fc.constantFrom('true', 'false', 'True', 'TRUE'),
  letters: fc.constantFrom('t', 'f'),
  dates: fc
    .date({ min: new Date('1900-01-01'), max: new Date('2199-01-01'), noInvalidDate: true })
    .map((date) => date.toISOString().slice(0, 10)),
  times: fc
    .date({ min: new Date('1900-01-01'), max: new Date('2199-01-01'), noInvalidDate: true })
    .map((date) => date.toISOString().slice(0, 19)),
  versions: fc.stringMatching(/^[0-9]{1,2}\.[0-9]{1,2}\.[0-9]{2,4}$/),
};

/** A column: mostly of one kind, with some values of another and some missing. */
const columnOf = (rowCount: number): fc.Arbitrary<string[]> =>
  fc
    .tuple(
      fc.constantFrom(...Object.keys(kinds)),
      fc.constantFrom(...Object.keys(kinds)),
      fc.integer({ min: 0, max: 3 }),
    )
    .chain(([main, other, oddity]) =>
      fc.array(
        fc.oneof(
          { weight: 60, arbitrary: kinds[main]! },
          { weight: oddity === 0 ? 2 : 0, arbitrary: kinds[other]! },
          { weight: oddity === 1 ? 5 : 0, arbitrary: fc.constant('') },
        ),
        { minLength: rowCount, maxLength: rowCount },
      ),
    );

const usable = (text: string): boolean => !text.includes('\0') && text.isWellFormed();
const tables = fc
  .tuple(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 12 }))
  .chain(([rowCount, columnCount]) =>
    fc.array(columnOf(rowCount), { minLength: columnCount, maxLength: columnCount }),
  )
  .filter((columns) => columns.every((column) => column.every(usable)));

function written(columns: readonly string[][], delimiter: string, lineEnd: string): string {
  const field = (text: string): string =>
    text === ''
      ? columns.length === 1
        ? '""'
        : ''
      : /["\r\n]/.test(text) || text.includes(delimiter) || text.startsWith(' ') || text.includes("'")
        ? `"${text.replaceAll('"', '""')}"`
        : text;
  const rows = columns[0]!.map((_, row) => columns.map((column) => field(column[row]!)).join(delimiter));
  return [columns.map((_, index) => `name${index}`).join(delimiter), ...rows, ''].join(lineEnd);
}

suite('any table of texts', () => {
  for (const [delimiter, lineEnd] of [
    [',', '\n'],
    [';', '\r\n'],
    ['\t', '\n'],
  ] as const) {
    test(`comes back with ${JSON.stringify(delimiter)} and ${JSON.stringify(lineEnd)}`, async () => {
      await fc.assert(
        fc.asyncProperty(tables, async (columns) => {
          const text = written(columns, delimiter, lineEnd);
          const options = {
            // Named, because a file of control characters is not taken for text otherwise.
            encoding: 'utf-8' as const,
            delimiter,
            quote: '"',
            escape: '"',
            hasHeader: true,
            nullValues: [],
            decimalSeparator: '.' as const,
          };
          const imported = await importBytes(text, { options });
          assert.equal(imported.rowCount, columns[0]!.length);
          for (const [index, column] of columns.entries()) {
            const { type } = imported.columns[index]!;
            for (const [row, value] of column.entries())
              assert.ok(
                keeps(value, type, imported.rows[row]![index]),
                `${type}: ${JSON.stringify(value)} became ${JSON.stringify(imported.rows[row]![index])}`,
              );
          }
        }),
        { numRuns: 40 },
      );
    });
  }
});

suite('types', () => {
  test('are found, and ids stay text', async () => {
    const { columns, warnings } = await importBytes(
      'id,n,x,ok,day,at,zip,name,big\n1,5,1.5,true,2024-01-05,2024-01-05T10:00:00Z,00123,a,12345678901234567890\n2,6,2,false,2024-01-06,2024-01-06T10:00:00.5Z,10115,b,1\n',
    );
    assert.deepEqual(
      columns.map(({ type }) => type),
      ['integer', 'integer', 'number', 'boolean', 'date', 'datetime', 'text', 'text', 'text'],
    );
    assert.match(warnings.join(), /"zip" begin with zeros/);
  });

  test('day and month are told apart by the values, and by other columns', async () => {
    const { rows, warnings } = await importBytes('a,b\n01/02/2024,25/12/2023\n03/04/2024,01/01/2024\n');
    assert.deepEqual(rows[0], ['2024-02-01', '2023-12-25']);
    assert.doesNotMatch(warnings.join(), /"b"/);
    assert.match(warnings.join(), /"a" could be day or month first; day first/);
  });

  test('nothing tells day from month: a guess, and a warning', async () => {
    const american = await importBytes('a\n01/02/2024\n03/04/2024\n');
    assert.deepEqual(american.rows[0], ['2024-01-02']);
    assert.match(american.warnings.join(), /"a" could be day or month first; month first was taken/);
    const told = await importBytes('a\n01/02/2024\n03/04/2024\n', { options: { dateFormat: '%d/%m/%Y' } });
    assert.deepEqual(told.rows[0], ['2024-02-01']);
    assert.deepEqual(told.warnings, []);
  });

  test('a missing day order is decided by a row far down', async () => {
    const text = `d,t\n${'01/02/2024,some filler text to get beyond the head\n'.repeat(110_000)}25/02/2024,x\n`;
    const { rows, columns } = await importBytes(text);
    assert.equal(columns[0]!.type, 'date');
    assert.equal(rows[0]![0], '2024-02-01');
    assert.equal(rows.at(-1)![0], '2024-02-25');
  });

  test('what the head promised and a later row breaks is widened, and nothing is lost', async () => {
    const head = '1,1.5,true,2024-01-05,,3,7,2024-01-05 10:00:00,some filler text to get beyond the head\n';
    const late = 'x,abc,maybe,someday,late,00123,NA,2024-01-05 10:00:00.123456789,end\n';
    const count = 60_000;
    const names = 'i,n,b,d,e,z,m,t,f\n';
    const { rows, columns, options } = await importBytes(names + head.repeat(count) + late + head);
    assert.equal(rows.length, count + 2);
    assert.deepEqual(rows[count], [
      'x',
      'abc',
      'maybe',
      'someday',
      'late',
      '00123',
      null,
      '2024-01-05 10:00:00.123456789',
      'end',
    ]);
    assert.deepEqual(
      columns.map(({ type }) => type),
      ['text', 'text', 'text', 'text', 'text', 'text', 'integer', 'text', 'text'],
    );
    assert.deepEqual(rows[0]!.slice(0, 8), [
      '1',
      '1.5',
      'true',
      '2024-01-05',
      null,
      '3',
      7,
      '2024-01-05 10:00:00',
    ]);
    assert.deepEqual(options.nullValues, ['NA']);
  });

  test('a column that begins empty gets the type of what comes', async () => {
    const text = `a,b\n${',some filler text to get beyond the head of the file\n'.repeat(90_000)}1.5,x\n2,y\n`;
    const { columns, rows } = await importBytes(text);
    assert.equal(columns[0]!.type, 'number');
    assert.deepEqual(rows.at(-1), [2, 'y']);
  });

  test('whole numbers become numbers when decimals follow', async () => {
    const text = `a,b\n${'1,some filler text to get beyond the head of the file\n'.repeat(90_000)}1.5,x\n`;
    const { columns, rows } = await importBytes(text);
    assert.equal(columns[0]!.type, 'number');
    assert.equal(rows.at(-1)![0], 1.5);
  });

  test('words for missing are taken out among numbers, and told', async () => {
    const { rows, options, warnings } = await importBytes('a,b,c\n1,NA,x\nNA,?,NA\n3,y,None\n');
    assert.deepEqual(rows, [
      [1, null, 'x'],
      [null, null, null],
      [3, 'y', 'None'],
    ]);
    assert.deepEqual(options.nullValues, ['?', 'NA']);
    assert.match(warnings.join(), /Read as missing: "\?", "NA"/);
    const none = await importBytes('a,b,c\n1,NA,x\nNA,?,NA\n', { options: { nullValues: [] } });
    assert.deepEqual(none.rows[1], ['NA', '?', 'NA']);
  });

  test('commas that may be decimal or not stay text', async () => {
    const { columns, warnings } = await importBytes('a;b\n1,234;x\n5,678;y\n');
    assert.equal(columns[0]!.type, 'text');
    assert.match(warnings.join(), /Commas in "a" may be decimal/);
    const told = await importBytes('a;b\n1,234;x\n5,678;y\n', { options: { decimalSeparator: ',' } });
    assert.deepEqual(told.rows[0], [1.234, 'x']);
  });

  test('asked for types are kept to', async () => {
    const { rows } = await importBytes('a,b,c\n1,yes,2024\n0,no,2025\n', {
      options: { columns: { a: { type: 'boolean' }, b: { type: 'boolean' }, c: { type: 'text' } } },
    });
    assert.deepEqual(rows, [
      [true, true, '2024'],
      [false, false, '2025'],
    ]);
  });
});
