// What only the embedded database has: a folder that is its own, a process that may be killed at any moment, a disk
// that fills up, and nobody else to look after it. The port's promises are in database/database.test.ts.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { sql } from 'drizzle-orm';
import pg from 'pg';
import { seededRandom } from '../../base/random.ts';
import type { Database, Transaction } from '../ports/database.ts';
import { migratedTemplate, mountSmallDisk } from '../testing.ts';
import { openLog } from './log.ts';
import { PgliteEngine } from './pglite-engine.ts';
import { maintain } from './pglite-maintenance.ts';
import { PgliteStream } from './pglite-stream.ts';
import { openPglite } from './pglite.ts';

const log = openLog({ level: 'silent' });

async function temporaryFolder(context: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'pilvi-test-'));
  context.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

async function openIn(folder: string): Promise<Database> {
  return openPglite({
    storage: { folder: join(folder, 'database') },
    log,
    template: await migratedTemplate(),
  });
}

test('what was committed is there after kill -9, at ten random moments', async (context) => {
  const folder = await temporaryFolder(context);
  const database = await openIn(folder);
  await database.textQuery(null, 'create table written (number int primary key, filling text)');
  await database.close();
  const fixture = fileURLToPath(new URL('./pglite-writer.fixture.ts', import.meta.url));
  const random = seededRandom(1);
  let committed = 0;
  for (let time = 0; time < 10; time++) {
    const child = spawn(process.execPath, [fixture, join(folder, 'database')], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const killAfter = committed + 1 + random.below(60);
    for await (const line of createInterface(child.stdout)) {
      committed = Number(line);
      if (committed === killAfter) child.kill('SIGKILL');
    }
    if (child.signalCode === null && child.exitCode === null) await once(child, 'exit');
    assert.equal(child.signalCode, 'SIGKILL');
    const engine = new PgliteEngine({ folder: join(folder, 'database'), template: null });
    const client = new pg.Client({ stream: () => new PgliteStream(engine), user: 'postgres' });
    await client.connect();
    const { rows } = await client.query(
      'select count(*)::int as count, max(number) as last, bool_and(length(filling) = number % 5000) as whole from written',
    );
    await client.end();
    await engine.close();
    // One more may have been committed that the writer had no time to tell of; none is missing.
    const { count, last, whole } = rows[0];
    assert.equal(count, last);
    assert.ok(Number(last) >= committed && Number(last) <= committed + 2, `${last} after ${committed}`);
    assert.equal(whole, true);
    committed = Number(last);
  }
});

test('a start gives back what the role of tenants has lost', async (context) => {
  const folder = await temporaryFolder(context);
  const grants = `select count(*)::int as count from information_schema.role_table_grants
    where grantee = 'pilvi_tenant' and table_schema = 'public'`;
  const first = await openIn(folder);
  const { rows: granted } = await first.textQuery(null, grants);
  await first.textQuery(null, 'revoke insert on public.projects from pilvi_tenant');
  await first.close();
  const second = await openIn(folder);
  context.after(() => second.close());
  assert.deepEqual((await second.textQuery(null, grants)).rows, granted);
});

test('a folder is open once: in this process, and in others', async (context) => {
  const folder = await temporaryFolder(context);
  const database = await openIn(folder);
  await assert.rejects(openIn(folder), { code: 'data-folder-in-use', message: new RegExp(`${process.pid}`) });
  const fixture = fileURLToPath(new URL('./pglite-open.fixture.ts', import.meta.url));
  const child = spawn(process.execPath, [fixture, join(folder, 'database')], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  for await (const chunk of child.stderr) said += String(chunk);
  assert.match(said, /data-folder-in-use/);
  await database.ping();
  await database.close();
  await (await openIn(folder)).close();
  assert.deepEqual(await readdir(folder), ['database']);
});

test('a lock that nobody holds any more is taken over', async (context) => {
  const folder = await temporaryFolder(context);
  const child = spawn(process.execPath, ['--version'], { stdio: 'ignore' });
  await once(child, 'exit');
  const stale = [
    JSON.stringify({ pid: child.pid, startedAt: '1', token: 'dead' }),
    // The number of a living process, which is a later one: ours, and another's.
    JSON.stringify({ pid: process.pid, startedAt: '1', token: 'reused' }),
    ...(process.platform === 'linux'
      ? [JSON.stringify({ pid: process.ppid, startedAt: '1', token: 'reused' })]
      : []),
    '{"pid":',
    '',
  ];
  for (const content of stale) {
    await writeFile(join(folder, 'database.lock'), content);
    await (await openIn(folder)).close();
    assert.deepEqual(await readdir(folder), ['database']);
  }
});

test('a first start that was cut short begins anew', async (context) => {
  const folder = await temporaryFolder(context);
  await mkdir(join(folder, 'database.unfinished', 'base'), { recursive: true });
  await writeFile(join(folder, 'database.unfinished', 'PG_VERSION'), '18\n');
  const database = await openIn(folder);
  await database.ping();
  await database.close();
  assert.deepEqual(await readdir(folder), ['database']);
});

test('a folder that is no database is said to be none, and left alone', async (context) => {
  const folder = await temporaryFolder(context);
  await mkdir(join(folder, 'database'));
  await writeFile(join(folder, 'database', 'letter.txt'), 'dear reader');
  await assert.rejects(openIn(folder), { code: 'database-unusable' });
  assert.deepEqual(await readdir(join(folder, 'database')), ['letter.txt']);
  assert.deepEqual(await readdir(folder), ['database']);
});

test('a full disk is told, nothing is lost, and once there is room it goes on', async (context) => {
  const folder = await temporaryFolder(context);
  const disk = mountSmallDisk(context, folder, 64);
  if (!disk) return;
  try {
    const database = await openIn(folder);
    await database.textQuery(null, 'create table kept (number int, filling text)');
    let kept = 0;
    const insertUntilFull = (rowCount: number, filling: string): Promise<never> =>
      insertForEver(async (transaction) => {
        await transaction.execute(
          sql`insert into kept select ${kept + 1}, ${filling} from generate_series(1, ${rowCount}::int)`,
        );
      });
    const insertForEver = async (insert: (transaction: Transaction) => Promise<void>): Promise<never> => {
      for (;;) {
        await database.asSystem('test', insert);
        kept++;
      }
    };
    await assert.rejects(insertUntilFull(1000, 'x'.repeat(1000)), { code: 'disk-full' });
    assert.ok(kept > 0);
    // A change that still fits into the tables, but not into the write-ahead log: the engine has to start again, which
    // it cannot before there is room.
    const log = sql`select pg_logical_emit_message(true, 'test', ${'x'.repeat(1_000_000)})`;
    await assert.rejects(
      insertForEver(async (transaction) => void (await transaction.execute(log))),
      {
        code: /disk-full|unavailable/,
      },
    );
    disk.resize(256);
    const { rows } = await database.textQuery(
      null,
      'select count(*)::int as count, count(distinct number)::int as numbers from kept',
    );
    assert.equal(rows[0]!['count'], 1000 * Number(rows[0]!['numbers']));
    assert.ok(Number(rows[0]!['numbers']) > 0);
    await database.asSystem('test', (transaction) =>
      transaction.execute(sql`insert into kept values (-1, '')`),
    );
    await database.close();
  } finally {
    disk.unmount();
  }
});

/** What the engine takes for a full disk, after which it does not go on. */
const stopEngine = sql`do $$ begin raise exception 'test' using errcode = 'disk_full'; end $$`;

test('an engine that stops is started again from its folder; sessions and listeners find it', async (context) => {
  const folder = await temporaryFolder(context);
  const database = await openIn(folder);
  const { promise: woken, resolve } = Promise.withResolvers<string>();
  await database.listen('test_channel', resolve);
  await database.textQuery(null, 'create table kept as select 1 as number');
  const work = database.asSystem('test', async (transaction) => {
    await transaction.execute(sql`insert into kept values (2)`);
    await transaction.execute(stopEngine);
  });
  await assert.rejects(work, { code: 'disk-full' });
  const { rows } = await database.textQuery(null, 'select number from kept');
  assert.deepEqual(rows, [{ number: 1 }]);
  await database.textQuery(null, `notify test_channel, 'again'`);
  assert.equal(await woken, 'again');
  await database.close();
});

test('an engine in memory that stops is gone', async () => {
  const database = await openPglite({ storage: 'memory', log, template: await migratedTemplate() });
  const end = database.asSystem('test', (transaction) => transaction.execute(stopEngine));
  await assert.rejects(end, { code: 'disk-full' });
  await assert.rejects(database.ping(), { code: 'unavailable' });
  await database.close();
});

test('maintenance keeps tables and the write-ahead log small', async (context) => {
  const folder = await temporaryFolder(context);
  await (await openIn(folder)).close();
  const engine = new PgliteEngine({ folder: join(folder, 'database'), template: null });
  const pool = new pg.Pool({ stream: () => new PgliteStream(engine), user: 'postgres', max: 1 });
  await pool.query(
    `create table busy as select number, repeat('x', 500) as filling from generate_series(1, 2000) number`,
  );
  const sizeOf = async (): Promise<number> =>
    Number((await pool.query(`select pg_relation_size('busy') as bytes`)).rows[0].bytes);
  const firstSize = await sizeOf();
  for (let round = 0; round < 60; round++) {
    await pool.query('update busy set number = number + 1');
    if (round % 5 === 4) await maintain(pool);
  }
  assert.ok((await sizeOf()) < 10 * firstSize, `${await sizeOf()} bytes, at first ${firstSize}`);
  const { rows } = await pool.query('select sum(size) as bytes from pg_ls_waldir()');
  assert.ok(Number(rows[0].bytes) < 100 * 1_048_576, `${rows[0].bytes} bytes of write-ahead log`);
  await pool.end();
  await engine.close();
});
