// Tables of many columns are first read by short statements that know the common spellings only: what they say must be
// what narrow tables are told.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { importBytes, profileBytes } from './import-task.fixture.ts';

const copies = 130;
const kinds: Record<string, string[]> = {
  integer: ['7', '-12', ''],
  number: ['0.5', '-1e3', '2'],
  date: ['2024-01-31', '1999-12-01', ''],
  datetime: ['2024-01-31 10:00:00', '2024-02-01 10:00:00.25', ''],
  text: ['abc', 'NULL', '007'],
};

/** Three rows of each kind, as often as is asked for, with `odd` in the last row of the first column. */
function table(repeats: number, odd?: string): string {
  const columns = Array.from({ length: repeats }, () => Object.entries(kinds)).flat();
  const header = columns.map(([kind], index) => `${kind}_${index}`).join();
  const rows = [0, 1, 2].map((row) => columns.map(([, texts]) => texts[row]!));
  if (odd !== undefined) rows[2]![0] = odd;
  return `${[header, ...rows.map((row) => row.join())].join('\n')}\n`;
}

const width = Object.keys(kinds).length;

suite('650 columns', () => {
  for (const odd of [undefined, ' 8', '+5', '008', '1.5', 'x', '9223372036854775807', 'NA'])
    test(`are read as 5 are: ${odd ?? 'common values only'}`, async () => {
      const wide = await importBytes(table(copies, odd));
      const narrow = await importBytes(table(1, odd));
      assert.equal(wide.columns.length, copies * width);
      assert.deepEqual(wide.columns.slice(0, width), narrow.columns);
      assert.deepEqual(
        wide.rows.map((row) => row.slice(0, width)),
        narrow.rows,
      );
    });

  test('name the row of a value that does not fit', async () => {
    const options = { columns: { integer_0: { type: 'integer' as const } } };
    await assert.rejects(
      importBytes(table(copies, 'x'), { options }),

      { code: 'conversion-failed', message: /"integer_0".*"x" in row 3/ },
    );
  });
});

test('2,000 columns are profiled, one and all', async () => {
  const { columns, profile } = await profileBytes(table(400));
  assert.equal(columns.length, 2000);
  assert.equal(profile.columns.length, 2000);
  assert.equal(profile.columns.at(1 - width)!.numeric!.minimum, -1000);
});
