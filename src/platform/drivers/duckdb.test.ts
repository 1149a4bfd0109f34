// The guarantees of ports/data-engine.ts.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { DataEngineError, identifier, joined, sql, type DataEngine } from '../ports/data-engine.ts';
import { openDataEngine } from './duckdb.ts';

const mib = 1_048_576;
let folder: string;
let engine: DataEngine;

before(async () => {
  // Brackets, quotes and stars in the path, because the engine takes patterns as paths.
  folder = await mkdtemp(join(tmpdir(), "pilvi [a]*'"));
  await writeFile(join(folder, 'outside.csv'), 'a\n1\n');
  await writeFile(join(folder, 'allowed.csv'), 'a\n1\n2\n');
  const workFolder = await mkdtemp(join(folder, 'work-'));
  await writeFile(join(workFolder, 'inside.csv'), 'a\n1\n2\n3\n');
  engine = await openDataEngine({
    memoryBytes: 64 * mib,
    threads: 2,
    workFolder,
    maxSpillBytes: 64 * mib,
    readablePaths: [join(folder, 'allowed.csv')],
  });
});
after(async () => {
  engine.close();
  await rm(folder, { recursive: true, force: true });
});

test('a text in a template is a literal or a name, whatever it holds', async () => {
  const texts = fc.string({ unit: 'binary' }).filter((text) => text.isWellFormed() && !text.includes('\0'));
  await fc.assert(
    fc.asyncProperty(
      texts,
      texts.filter((name) => name !== ''),
      async (value, name) => {
        const statement = sql`SELECT ${identifier(name)} FROM (SELECT ${value} AS ${identifier(name)})`;
        assert.deepEqual(await engine.rows(statement), [[value]]);
      },
    ),
    { numRuns: 200 },
  );
  assert.equal(sql`${joined([sql`1`, sql`${['a', 2]}`])} ${true}`.text, "1, ['a', 2] true");
});

test('only the files and folders named at opening can be reached', async () => {
  const count = (path: string) => engine.rows(sql`SELECT count(*) FROM read_csv(${path})`);
  assert.deepEqual(await count(join(folder, 'allowed.csv')), [[2]]);
  const forbidden = { name: 'DataEngineError', kind: 'forbidden' };
  await assert.rejects(count(join(folder, 'outside.csv')), forbidden);
  await assert.rejects(count('https://example.com/a.csv'), DataEngineError);
  await assert.rejects(engine.run(sql`COPY (SELECT 1) TO ${join(folder, 'written.csv')}`), forbidden);
  for (const statement of [
    sql`SET memory_limit = '1TB'`,
    sql`SET enable_external_access = true`,
    sql`INSTALL httpfs`,
  ])
    await assert.rejects(engine.run(statement), DataEngineError);
});

test('memory stays within its bound, or the statement fails', async () => {
  await assert.rejects(engine.rows(sql`SELECT len(list(range)) FROM range(50000000)`), { kind: 'memory' });
  assert.deepEqual(await engine.rows(sql`SELECT 1`), [[1]]);
});

test('numbers come in batches, and every one once', async () => {
  let sum = 0;
  let rows = 0;
  for await (const [a, b] of engine.numbers(sql`SELECT range::DOUBLE, -range::DOUBLE FROM range(10000)`)) {
    for (const [index, value] of a!.entries()) sum += value + b![index]!;
    rows += a!.length;
  }
  assert.deepEqual([rows, sum], [10_000, 0]);
});

test('a running statement can be interrupted', async () => {
  const running = engine.rows(
    sql`SELECT count(*) FROM range(10000000) a, range(10000000) b WHERE a.range = b.range + 1 AND a.range % 7 = b.range % 3`,
  );
  setTimeout(() => engine.interrupt(), 100);
  await assert.rejects(running, { kind: 'interrupted' });
});

test('a query stops when enough rows or bytes are there', async () => {
  const rows = await engine.query('SELECT range AS n FROM range(1000000000)', { maxRows: 3, maxBytes: 1000 });
  assert.deepEqual(rows, {
    columns: [{ name: 'n', type: 'bigint' }],
    rows: [[0], [1], [2]],
    truncated: true,
  });
  const bytes = await engine.query(`SELECT repeat('x', 400) FROM range(100)`, {
    maxRows: 50,
    maxBytes: 1000,
  });
  assert.deepEqual([bytes.rows.length, bytes.truncated], [2, true]);
});

test('rows are appended from columns while another statement is read, and read back in parts', async () => {
  await engine.run(sql`CREATE TABLE appended (a DOUBLE, b VARCHAR)`);
  const appender = await engine.appender('appended', ['double', 'text']);
  const expected: (string | number | null)[][] = [];
  for await (const [numbers] of engine.parts(sql`SELECT CAST(range AS DOUBLE) FROM range(5000)`)) {
    assert.ok(numbers instanceof Float64Array);
    // With texts and without, in parts of more and of fewer rows than the engine takes at once.
    const texts =
      expected.length === 0 ? Array.from(numbers, (value) => (value % 2 ? `t${value}` : null)) : undefined;
    for (const [index, value] of numbers.entries()) expected.push([value, texts?.[index] ?? null]);
    appender.append([Float64Array.from(numbers), texts], numbers.length);
  }
  appender.append([Float64Array.from({ length: 5000 }, (_, index) => 5000 + index), undefined], 5000);
  for (let index = 0; index < 5000; index++) expected.push([5000 + index, null]);
  appender.close();
  const found: unknown[][] = [];
  for await (const [numbers, texts] of engine.parts(sql`SELECT a, b FROM appended`))
    for (let index = 0; index < numbers!.length; index++) found.push([numbers![index], texts![index]]);
  assert.deepEqual(found, expected);
});
