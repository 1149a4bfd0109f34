import assert from 'node:assert/strict';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { StreamColumn } from '../../ml/frame/row-stream.ts';
import { taskContext, testLimits, withFolder } from './import-task.fixture.ts';
import { readColumns } from './read-columns.ts';
import { canDraw, openRowStream, type OpenRowStream } from './row-stream.ts';

const seed = 7;
const rowCount = 5000;

/** Runs `use` on the content of a CSV and removes everything. */
async function withContent<T>(
  text: string,
  use: (path: string, workFolder: string) => Promise<T>,
): Promise<T> {
  return withFolder(async (folder) => {
    const { run } = await import('./import-task.ts');
    const source = join(folder, 'source');
    await writeFile(source, text);
    const { contentFileName } = await run(
      { sourcePaths: [source], options: {}, limits: testLimits },
      taskContext(folder),
    );
    return use(join(folder, contentFileName), folder);
  });
}

const example = [
  'number,name,flag,day,empty',
  ...Array.from({ length: rowCount }, (_, row) =>
    [
      row % 7 === 0 ? '' : row / 4,
      row % 11 === 0 ? '' : `it's ${row % 5}`,
      row % 2 === 0,
      `2024-01-${String(1 + (row % 28)).padStart(2, '0')}`,
      '',
    ].join(','),
  ),
].join('\n');

async function readAll(
  stream: OpenRowStream,
  columns: readonly StreamColumn[],
): Promise<{ draws: number[]; columns: number[][] }> {
  const all = { draws: [] as number[], columns: columns.map(() => [] as number[]) };
  for await (const batch of stream.batches(columns)) {
    all.draws.push(...batch.draws);
    batch.columns.forEach((values, index) => all.columns[index]!.push(...values));
  }
  return all;
}

/** The finalizer of splitmix32, in the language of base/random.ts. */
function drawOf(row: number): number {
  let z = (Math.imul(row, 0x9e3779b9) + seed) >>> 0;
  z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
  z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
  return ((z ^ (z >>> 15)) >>> 0) / 4_294_967_296;
}

test('rows come in order, as often as asked, with codes, gaps and draws', async () => {
  await withContent(example, async (path, workFolder) => {
    const stream = await openRowStream(path, { workFolder, seed });
    try {
      assert.equal(stream.rowCount, rowCount);
      const wanted = [
        { name: 'flag' },
        { name: 'name', categories: ["it's 3", "it's 0"] },
        { name: 'number' },
        { name: 'day' },
        { name: 'name', categories: [] },
        { name: 'empty', categories: ['a'] },
      ];
      const { draws, columns } = await readAll(stream, wanted);
      const rows = Array.from({ length: rowCount }, (_, row) => row);
      assert.deepEqual(draws, rows.map(drawOf));
      const [flag, name, number, day, uncoded, empty] = columns;
      assert.deepEqual(
        flag,
        rows.map((row) => Number(row % 2 === 0)),
      );
      assert.deepEqual(
        name,
        rows.map((row) => (row % 11 === 0 ? NaN : row % 5 === 3 ? 0 : row % 5 === 0 ? 1 : 2)),
      );
      assert.deepEqual(
        number,
        rows.map((row) => (row % 7 === 0 ? NaN : row / 4)),
      );
      assert.deepEqual(
        day,
        rows.map((row) => Date.UTC(2024, 0, 1 + (row % 28))),
      );
      assert.deepEqual(
        uncoded,
        rows.map((row) => (row % 11 === 0 ? NaN : 0)),
      );
      assert.ok(empty!.every(Number.isNaN));
      assert.deepEqual(await readAll(stream, wanted), { draws, columns });
    } finally {
      stream.close();
    }
  });
});

test('the rows that are drawn for a frame are those that a stream says are drawn', async () => {
  await withContent(example, async (path, workFolder) => {
    const [number] = await readColumns(path, {
      workFolder,
      columns: ['number'],
      drawn: { from: 0.2, to: 0.5, seed },
    });
    const expected = Array.from({ length: rowCount }, (_, row) => row)
      .filter((row) => drawOf(row) >= 0.2 && drawOf(row) < 0.5)
      .map((row) => (row % 7 === 0 ? NaN : row / 4));
    assert.ok(Math.abs(expected.length / rowCount - 0.3) < 0.03);
    assert.ok(number!.type !== 'text');
    assert.deepEqual([...number!.values], expected);
  });
});

test('a reading that is given up can be begun again, and nothing is left behind', async () => {
  await withContent(example, async (path, workFolder) => {
    const before = await readdir(workFolder);
    const stream = await openRowStream(path, { workFolder, seed });
    const wanted = [{ name: 'name', categories: ["it's 1"] }];
    for await (const batch of stream.batches(wanted)) {
      assert.ok(batch.draws.length > 0);
      break;
    }
    assert.equal((await readAll(stream, wanted)).draws.length, rowCount);
    stream.close();
    assert.deepEqual(await readdir(workFolder), before);
  });
});

test('columns whose names are needed otherwise prevent drawing', () => {
  assert.ok(canDraw(['a', 'row number']));
  assert.ok(!canDraw(['a', 'File_Row_Number']));
});
