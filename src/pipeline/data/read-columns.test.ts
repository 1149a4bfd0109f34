import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { importBytes, parquetOf, taskContext, withFolder } from './import-task.fixture.ts';
import { readColumns, type DataColumn } from './read-columns.ts';
import { run as rowsTask } from './rows-task.ts';

const text = `i,n,b,d,t,s,e
1,1.5,true,2024-01-05,2024-01-05 10:00:00.5,beta,
2,,false,1969-12-31,,alpha,
,inf,,,1969-12-31 23:59:59.999,,
4,-2,true,2024-01-06,2024-01-06 00:00:00,beta,
`;

async function readText(
  content: string,
  options?: Omit<Parameters<typeof readColumns>[1], 'workFolder'>,
): Promise<DataColumn[]> {
  return await withFolder(async (folder) => {
    const { run } = await import('./import-task.ts');
    const source = join(folder, 'source');
    await writeFile(source, content);
    const limits = { maxUploadBytes: 1e9, maxColumns: 1000, maxFieldBytes: 1e6, maxDecompressionRatio: 100 };
    const { contentFileName } = await run(
      { sourcePaths: [source], options: {}, limits },
      taskContext(folder),
    );
    return await readColumns(join(folder, contentFileName), { workFolder: folder, ...options });
  });
}

test('every type becomes what learning works on', async () => {
  const columns = await readText(text);
  assert.deepEqual(
    columns.map((column) =>
      column.type === 'text'
        ? [column.name, column.type, [...column.codes], column.categories]
        : [column.name, column.type, [...column.values]],
    ),
    [
      ['i', 'integer', [1, 2, NaN, 4]],
      ['n', 'number', [1.5, NaN, Infinity, -2]],
      ['b', 'boolean', [1, 0, NaN, 1]],
      ['d', 'date', [Date.UTC(2024, 0, 5), Date.UTC(1969, 11, 31), NaN, Date.UTC(2024, 0, 6)]],
      ['t', 'datetime', [Date.UTC(2024, 0, 5, 10, 0, 0, 500), NaN, -1, Date.UTC(2024, 0, 6)]],
      ['s', 'text', [1, 0, -1, 1], ['alpha', 'beta']],
      ['e', 'text', [-1, -1, -1, -1], []],
    ],
  );
});

test('only the columns and rows that are wanted, in the order wanted', async () => {
  const columns = await readText(text, { columns: ['s', 'i'], maxRows: 2 });
  assert.deepEqual(
    columns.map(({ name }) => name),
    ['s', 'i'],
  );
  const [s, i] = columns as [Extract<DataColumn, { type: 'text' }>, Exclude<DataColumn, { type: 'text' }>];
  assert.deepEqual([...s.codes], [1, 0]);
  assert.deepEqual([...i.values], [1, 2]);
});

test('a column that is not there is named', async () => {
  await assert.rejects(readText(text, { columns: ['i', 'nope'] }), {
    code: 'column-unknown',
    message: /"nope".*i, n, b/,
  });
});

test('many rows, columns and categories, each in its place', async () => {
  const rowCount = 25_000;
  const names = Array.from({ length: 110 }, (_, index) => `c${index}`);
  const bytes = await parquetOf(
    `SELECT ${names.map((name, index) => (index % 2 === 0 ? `(range * ${index + 1})::BIGINT AS ${name}` : `('v' || (range * ${index + 1} % 1009)) AS ${name}`)).join(', ')} FROM range(${rowCount})`,
  );
  await withFolder(async (folder) => {
    const path = join(folder, 'content');
    await writeFile(path, bytes);
    const columns = await readColumns(path, { workFolder: folder });
    assert.equal(columns.length, names.length);
    for (const [index, column] of columns.entries()) {
      for (const row of [0, 1, 2047, 2048, rowCount - 1]) {
        if (column.type === 'text')
          assert.equal(column.categories[column.codes[row]!], `v${(row * (index + 1)) % 1009}`);
        else assert.equal(column.values[row], row * (index + 1));
      }
    }
  });
});

test('rows of a version, from anywhere', async () => {
  const imported = await importBytes(text);
  assert.equal(imported.rowCount, 4);
  await withFolder(async (folder) => {
    const path = join(folder, 'content');
    await writeFile(path, await parquetOf(`SELECT range AS n, 'x' || range AS t FROM range(300000)`));
    const read = (offset: number, limit: number) =>
      rowsTask({ contentPath: path, offset, limit }, taskContext(folder));
    assert.deepEqual(await read(250_000, 2), {
      columns: [
        { name: 'n', type: 'bigint' },
        { name: 't', type: 'varchar' },
      ],
      rows: [
        [250_000, 'x250000'],
        [250_001, 'x250001'],
      ],
    });
    assert.deepEqual((await read(299_999, 500)).rows, [[299_999, 'x299999']]);
    assert.deepEqual((await read(1_000_000, 5)).rows, []);
  });
});
