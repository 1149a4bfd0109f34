import assert from 'node:assert/strict';
import { copyFile, mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { Problem, type ProblemCode } from '../../base/problems.ts';
import { parquetOf, taskContext, withFolder } from './import-task.fixture.ts';
import { run, type QueryTaskOutput } from './query-task.ts';

const secret = 'top-secret-content';
let content: Buffer;
let release: () => void;
let folder: string;

before(async () => {
  content = await parquetOf(
    `SELECT range AS n, 'item ' || range AS name, range * 1.5 AS price, DATE '2024-01-01' + range::INTEGER AS day FROM range(1000)`,
  );
  await new Promise<void>((opened) => {
    void withFolder(async (made) => {
      folder = made;
      opened();
      await new Promise<void>((done) => (release = done));
    });
  });
  await mkdir(join(folder, 'work'));
  await writeFile(join(folder, 'orders'), content);
  await writeFile(join(folder, 'other.parquet'), content);
  await writeFile(join(folder, 'secret.csv'), `a\n${secret}\n`);
  await copyFile(join(folder, 'orders'), join(folder, 'people'));
});
after(() => release());

async function query(
  sql: string,
  bounds: { maxRows?: number; maxSeconds?: number; memoryBytes?: number } = {},
): Promise<QueryTaskOutput> {
  return await run(
    {
      tables: [
        { name: 'Orders', contentPaths: [join(folder, 'orders')] },
        { name: "people's list", contentPaths: [join(folder, 'people')] },
      ],
      sql,
      maxRows: 1000,
      maxSeconds: 20,
      memoryBytes: 512 * 1_048_576,
      ...bounds,
    },
    taskContext(join(folder, 'work')),
  );
}

async function refused(sql: string, ...codes: ProblemCode[]): Promise<string> {
  try {
    const { table } = await query(sql);
    assert.fail(`${sql} gave ${JSON.stringify(table)}`);
  } catch (error) {
    assert.ok(error instanceof Problem, `${sql}: ${(error as Error).stack}`);
    assert.ok(codes.includes(error.code), `${sql}: ${error.code} ${error.message}`);
    assert.ok(!error.message.includes(secret), error.message);
    // What the writer typed may come back; a path of the server that they did not type may not.
    if (!sql.includes(folder)) assert.ok(!error.message.includes(folder), error.message);
    return error.message;
  }
}

suite('queries that are fine', () => {
  test('tables by name, in any case', async () => {
    const { table, rowCount, truncated } = await query(
      `SELECT count(*) AS c, sum(orders.price) AS s FROM orders JOIN "People's List" USING (n)`,
    );
    assert.deepEqual(table.rows, [[1000, 749_250]]);
    assert.deepEqual([rowCount, truncated], [1, false]);
    assert.deepEqual(
      table.columns.map(({ name }) => name),
      ['c', 's'],
    );
  });

  test('sub-queries, set operations, windows, lists, pivots', async () => {
    for (const sql of [
      'WITH top AS (SELECT * FROM Orders ORDER BY n DESC LIMIT 3) SELECT max(n) FROM top',
      'SELECT n FROM Orders WHERE n < 2 UNION ALL SELECT 5 EXCEPT SELECT 1',
      'SELECT n, lag(n) OVER (ORDER BY n) FROM Orders LIMIT 2',
      'SELECT list_transform([1, 2], lambda x: x + 1), {a: 1}, MAP {1: 2}',
      'SELECT * FROM (PIVOT (SELECT n % 2 AS k, n FROM Orders) ON k IN (0, 1) USING sum(n))',
      'WITH RECURSIVE t(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM t WHERE i < 5) SELECT sum(i) FROM t',
      'SELECT unnest(range(3)) AS i',
      "FROM Orders SELECT date_trunc('month', day) AS m, count(*) GROUP BY ALL ORDER BY ALL",
      'SELECT * FROM generate_series(1, 3) AS g(i), LATERAL (SELECT i * 2)',
      'VALUES (1, 2);',
    ])
      assert.ok((await query(sql)).rowCount >= 1, sql);
  });

  test('cells are JSON: large, exact, dated and nested values', async () => {
    const { table } = await query(
      `SELECT 9007199254740993::BIGINT, 12.5::DECIMAL(10,2), 12345678901234567890.12::DECIMAL(38,2), [1, 2], {'a': DATE '2024-01-05'},
        TIMESTAMP '2024-01-05 10:00:00.5', TIMESTAMP '1969-12-31 23:59:59.999999', DATE '2024-01-05', 'inf'::DOUBLE, true, NULL, INTERVAL 90 MINUTE, 'x'::BLOB`,
    );
    assert.deepEqual(table.rows[0], [
      '9007199254740993',
      12.5,
      '12345678901234567890.12',
      '[1,2]',
      '{"a":"2024-01-05"}',
      '2024-01-05T10:00:00.5Z',
      '1969-12-31T23:59:59.999999Z',
      '2024-01-05',
      'Infinity',
      true,
      null,
      '01:30:00',
      'x',
    ]);
  });

  test('rows stop at the limit', async () => {
    const { rowCount, truncated } = await query('SELECT * FROM range(100000000000)', { maxRows: 7 });
    assert.deepEqual([rowCount, truncated], [7, true]);
    assert.equal((await query('SELECT * FROM range(7)', { maxRows: 7 })).truncated, false);
  });

  test('so do bytes', async () => {
    const { rowCount, truncated } = await query(`SELECT repeat('x', 1000000) FROM range(1000)`);
    assert.ok(truncated && rowCount < 10);
  });
});

suite('queries that are wrong', () => {
  test('say where, or what there is', async () => {
    assert.match(await refused('SELEKT 1', 'query-invalid'), /near "SELEKT/);
    assert.match(await refused('SELECT 1 +\n+ FROM', 'query-invalid'), /cannot be parsed/);
    assert.match(await refused('SELECT * FROM order', 'query-invalid'), /parsed/);
    assert.match(
      await refused('SELECT * FROM nothing', 'query-invalid'),
      /no dataset "nothing"; there are Orders, people's list/,
    );
    assert.match(await refused('SELECT nam FROM Orders', 'query-invalid'), /"nam" not found.*name/);
    await refused('', 'query-invalid');
    await refused('SELECT 1; SELECT 2', 'query-invalid');
  });

  test('or take too long, or too much', async () => {
    const slow =
      'SELECT count(*) FROM range(100000000) a, range(100000000) b WHERE a.range % 7 = b.range % 11';
    await assert.rejects(query(slow, { maxSeconds: 1 }), {
      code: 'query-limit',
      message: /longer than 1 seconds/,
    });
    const large = 'SELECT list(range ORDER BY range DESC) FROM range(300000000)';
    await assert.rejects(query(large, { memoryBytes: 300 * 1_048_576 }), { code: 'query-limit' });
  });
});

suite('attempts to get out', () => {
  const attempts = (): string[] => {
    const csv = join(folder, 'secret.csv');
    const other = join(folder, 'other.parquet');
    const own = join(folder, 'orders');
    return [
      `SELECT * FROM '${csv}'`,
      `SELECT * FROM "${csv}"`,
      `SELECT * FROM '${other}'`,
      `SELECT * FROM '${own}'`,
      `SELECT * FROM read_csv('${csv}')`,
      `SELECT * FROM read_csv_auto('${csv}')`,
      `SELECT * FROM read_text('${csv}')`,
      `SELECT * FROM read_blob('${csv}')`,
      `SELECT * FROM read_json('${csv}')`,
      `SELECT * FROM read_ndjson_objects('${csv}')`,
      `SELECT * FROM read_parquet('${other}')`,
      `SELECT * FROM parquet_scan('${other}')`,
      `SELECT * FROM parquet_metadata('${own}')`,
      `SELECT * FROM parquet_schema('${own}')`,
      `SELECT * FROM main.read_csv('${csv}')`,
      `SELECT * FROM system.main.read_text('${csv}')`,
      `SELECT * FROM Read_Text('${csv}')`,
      `SELECT * FROM "read_text"('${csv}')`,
      `SELECT * FROM glob('${folder}/*')`,
      `SELECT * FROM sniff_csv('${csv}')`,
      `SELECT * FROM read_duckdb('${csv}')`,
      `SELECT (SELECT content FROM read_text('${csv}'))`,
      `SELECT n FROM Orders WHERE n IN (SELECT length(content) FROM read_text('${csv}'))`,
      `SELECT n FROM Orders ORDER BY (SELECT content FROM read_text('${csv}'))`,
      `SELECT n FROM Orders LIMIT (SELECT length(content) FROM read_text('${csv}'))`,
      `SELECT list_transform([1], lambda x: (SELECT content FROM read_text('${csv}')))`,
      `WITH x AS (SELECT * FROM read_text('${csv}')) SELECT * FROM x`,
      `WITH x AS MATERIALIZED (SELECT * FROM '${csv}') SELECT * FROM x`,
      `WITH "${csv}" AS (SELECT 1) SELECT * FROM "${csv}"`,
      `SELECT * FROM (WITH "${csv}" AS (SELECT 1) SELECT * FROM "${csv}"), "${csv}"`,
      `SELECT 1 UNION ALL SELECT content FROM read_text('${csv}')`,
      `SELECT * FROM Orders o, LATERAL (SELECT * FROM read_text('${csv}'))`,
      `SELECT * FROM Orders JOIN read_text('${csv}') ON true`,
      `SELECT * FROM (PIVOT (SELECT * FROM read_text('${csv}')) ON size IN (1) USING count(*))`,
      `FROM query('SELECT * FROM read_text(''${csv}'')')`,
      `FROM query_table('${csv}')`,
      `SELECT * FROM json_execute_serialized_sql(json_serialize_sql('SELECT 1'))`,
      `SELECT json_serialize_sql('SELECT 1')`,
      `SELECT getenv('HOME')`,
      `SELECT current_setting('allowed_paths')`,
      `SELECT getvariable('x')`,
      `SELECT * FROM duckdb_settings()`,
      `SELECT * FROM duckdb_views()`,
      `SELECT sql FROM duckdb_views`,
      `SELECT * FROM information_schema.tables`,
      `SELECT * FROM pg_catalog.pg_class`,
      `SELECT * FROM sqlite_master`,
      `SELECT * FROM temp.information_schema.tables`,
      `SELECT pg_get_viewdef(0)`,
      `SELECT current_database(), version(), current_user`,
      `SELECT * FROM pragma_version()`,
      `SELECT * FROM duckdb_secrets()`,
      `SELECT * FROM which_secret('x', 's3')`,
      `SELECT nextval('x')`,
      `SELECT write_log('x')`,
      `SELECT pg_sleep(1)`,
      `DESCRIBE Orders`,
      `SHOW TABLES`,
      `SUMMARIZE Orders`,
      `EXPLAIN ANALYZE SELECT 1`,
      `COPY Orders TO '${folder}/out.csv'`,
      `COPY (SELECT 1) TO '${folder}/work/out.csv'`,
      `COPY Orders FROM '${csv}'`,
      `EXPORT DATABASE '${folder}/out'`,
      `IMPORT DATABASE '${folder}/out'`,
      `ATTACH '${folder}/x.duckdb' AS x`,
      `DETACH memory`,
      `USE memory`,
      `CREATE TABLE x AS SELECT 1`,
      `CREATE TEMP VIEW x AS SELECT 1`,
      `CREATE MACRO f() AS TABLE SELECT * FROM read_text('${csv}')`,
      `CREATE SECRET s (TYPE s3)`,
      `CREATE FUNCTION f(a) AS a`,
      `CREATE TYPE e AS ENUM (SELECT content FROM read_text('${csv}'))`,
      `INSERT INTO Orders VALUES (1)`,
      `DELETE FROM Orders`,
      `UPDATE Orders SET n = 1`,
      `MERGE INTO Orders USING Orders o ON true WHEN MATCHED THEN DELETE`,
      `TRUNCATE Orders`,
      `DROP VIEW Orders`,
      `ALTER VIEW Orders RENAME TO x`,
      `INSTALL httpfs`,
      `LOAD httpfs`,
      `UPDATE EXTENSIONS`,
      `SET enable_external_access = true`,
      `SET lock_configuration = false`,
      `RESET ALL`,
      `PRAGMA database_list`,
      `PRAGMA enable_profiling`,
      `CALL pragma_version()`,
      `CHECKPOINT`,
      `VACUUM`,
      `BEGIN`,
      `PREPARE p AS SELECT 1`,
      `EXECUTE p`,
      `SELECT 1; COPY Orders TO '${folder}/out.csv'`,
      `SELECT 1 /* */; ATTACH '${folder}/y'`,
      `PIVOT Orders ON n USING sum(price)`,
      `SELECT * FROM 'https://example.com/x.csv'`,
      `SELECT * FROM read_csv('https://example.com/x.csv')`,
      `SELECT * FROM 's3://bucket/x.parquet'`,
      `SELECT * FROM Orders AT (VERSION => 1)`,
      `SELECT * FROM enable_logging()`,
      `SELECT * FROM test_all_types()`,
    ];
  };

  test('are all refused, and leave nothing', async () => {
    const before = await readdir(folder);
    const all = attempts();
    assert.ok(all.length >= 60);
    for (const sql of all) await refused(sql, 'query-forbidden', 'query-invalid');
    assert.deepEqual(await readdir(folder), before);
    assert.deepEqual(await readdir(join(folder, 'work')), []);
  });

  test('the engine itself would refuse what the check lets through', async () => {
    const { openDataEngine } = await import('../../platform/drivers/duckdb.ts');
    const engine = await openDataEngine({
      memoryBytes: 134_217_728,
      threads: 1,
      workFolder: join(folder, 'work'),
      maxSpillBytes: 1_048_576,
      readablePaths: [join(folder, 'orders')],
    });
    try {
      for (const sql of attempts().filter(
        (text) => text.includes('secret.csv') || text.includes('other.parquet') || text.includes('out'),
      )) {
        const found = await engine
          .query(sql, { maxRows: 5, maxBytes: 10_000 })
          .catch((error: unknown) => String(error));
        assert.ok(!JSON.stringify(found).includes(secret), sql);
      }
      for (const sql of [
        `SET enable_external_access = true`,
        `SET memory_limit = '1TB'`,
        `INSTALL httpfs`,
        `LOAD httpfs`,
      ])
        await assert.rejects(engine.query(sql, { maxRows: 1, maxBytes: 100 }), sql);
    } finally {
      engine.close();
    }
  });
});
