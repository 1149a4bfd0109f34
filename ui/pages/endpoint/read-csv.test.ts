import { deepEqual, equal } from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { csvOf } from '../dataset/csv.ts';
import { firstRowsOf } from './read-csv.ts';

test('what is written as CSV reads back the same', async () => {
  const field = fc.string({ unit: fc.constantFrom('a', ',', '"', '\n', '\r\n', ' ', 'ä') });
  const table = fc
    .integer({ min: 1, max: 4 })
    .chain((width) =>
      fc.record({
        names: fc.array(field, { minLength: width, maxLength: width }),
        rows: fc.array(fc.array(field, { minLength: width, maxLength: width }), { maxLength: 6 }),
      }),
    )
    // A record of one empty field is an empty line, which CSV cannot tell from none.
    .filter(({ names }) => names.length > 1);
  await fc.assert(
    fc.asyncProperty(table, async ({ names, rows }) => {
      const text = csvOf({ columns: names.map((name) => ({ name, type: 'text' })), rows });
      deepEqual(await firstRowsOf(new Blob([text]), 100), { columns: names, rows });
    }),
  );
});

test('a row that is cut in half is left out', async () => {
  const line = `${'x'.repeat(1000)},1\n`;
  const { rows } = await firstRowsOf(new Blob([`a,b\n${line.repeat(400)}`]), 1000);
  equal(
    rows.every((row) => row.length === 2 && row[0]!.length === 1000),
    true,
  );
});
