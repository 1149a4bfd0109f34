// What only a Postgres server has: servers that start together, connections that are lost, users with few rights.
// The port's promises are in database/database.test.ts.
import assert from 'node:assert/strict';
import { suite, test, type TestContext } from 'node:test';
import { sql } from 'drizzle-orm';
import pg from 'pg';
import { createPostgresDatabase, testPostgresUrl } from '../testing.ts';
import { freePort } from '../../../test/throwaway.ts';
import { openLog } from './log.ts';
import { openPostgres } from './postgres.ts';

const log = openLog({ level: 'silent' });
const skip =
  testPostgresUrl === undefined && 'PILVI_TEST_POSTGRES_URL is not set: run through test/with-postgres.ts';

suite('Postgres', { skip }, () => {
  async function freshUrl(context: TestContext): Promise<string> {
    const fresh = await createPostgresDatabase();
    context.after(() => fresh.drop());
    return fresh.url;
  }

  async function opened(context: TestContext, url: string) {
    const database = await openPostgres({ url, log });
    context.after(() => database.close());
    return database;
  }

  /** Ends every connection of this database but our own. */
  async function cutConnections(url: string): Promise<void> {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    await client.query(
      'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
    );
    await client.end();
  }

  test('servers that start together migrate once, on one database and on several', async (context) => {
    const urls = await Promise.all([freshUrl(context), freshUrl(context), freshUrl(context)]);
    const databases = await Promise.all([...urls, ...urls, ...urls].map((url) => openPostgres({ url, log })));
    for (const database of databases) {
      const { rows } = await database.textQuery(
        null,
        'select count(*)::int as count from drizzle.__drizzle_migrations',
      );
      assert.deepEqual(rows, [{ count: 1 }]);
      await database.close();
    }
  });

  test('a connection that is lost fails its transaction; the next ones find new connections', async (context) => {
    const url = await freshUrl(context);
    const database = await opened(context, url);
    await database.asSystem('test', (transaction) => transaction.execute(sql`create table kept (a int)`));
    const work = database.asSystem('test', async (transaction) => {
      await transaction.execute(sql`insert into kept values (1)`);
      await cutConnections(url);
      await transaction.execute(sql`insert into kept values (2)`);
    });
    await assert.rejects(work, { code: 'unavailable', retryAfterSeconds: 5 });
    const { rows } = await database.textQuery(null, 'select * from kept');
    assert.deepEqual(rows, []);
  });

  test('a connection that is lost after the last statement fails the commit', async (context) => {
    const url = await freshUrl(context);
    const database = await opened(context, url);
    await assert.rejects(
      database.asSystem('test', () => cutConnections(url)),
      { code: 'unavailable' },
    );
    await database.ping();
  });

  test('notifications come again after their connection was lost', async (context) => {
    const url = await freshUrl(context);
    const database = await opened(context, url);
    const payloads: string[] = [];
    let heard = (): void => {};
    await database.listen('test_channel', (payload) => {
      payloads.push(payload);
      heard();
    });
    const wokenOnReturn = new Promise<void>((resolve) => (heard = resolve));
    await cutConnections(url);
    await wokenOnReturn;
    const wokenByNotification = new Promise<void>((resolve) => (heard = resolve));
    await database.textQuery(null, `select pg_notify('test_channel', 'again')`);
    await wokenByNotification;
    assert.deepEqual(payloads, ['', 'again']);
  });

  test('a server that is not there is unavailable', async () => {
    const url = `postgres://nobody:secret@127.0.0.1:${await freePort()}/none`;
    await assert.rejects(openPostgres({ url, log }), (error: Error) => {
      assert.equal((error as { code?: unknown }).code, 'unavailable');
      assert.doesNotMatch(error.message, /secret|127\.0\.0\.1/);
      return true;
    });
  });

  test('a user who may not make the role is told what to have done', async () => {
    const fresh = await createPostgresDatabase();
    const url = new URL(fresh.url);
    const admin = new pg.Client({ connectionString: testPostgresUrl });
    await admin.connect();
    try {
      // Other tests made the role; one that may not be taken is as good as none.
      await admin.query(`create role pilvi_limited login password 'limited'`);
      await admin.query(`grant all on database ${url.pathname.slice(1)} to pilvi_limited`);
      [url.username, url.password] = ['pilvi_limited', 'limited'];
      await assert.rejects(openPostgres({ url: url.href, log }), {
        code: 'database-unusable',
        message: /CREATE ROLE pilvi_tenant NOLOGIN; GRANT pilvi_tenant TO/,
      });
    } finally {
      await fresh.drop();
      await admin.query('drop role if exists pilvi_limited');
      await admin.end();
    }
  });

  test('a database with migrations of another line is refused', async (context) => {
    const url = await freshUrl(context);
    const database = await openPostgres({ url, log });
    await database.textQuery(
      null,
      `insert into drizzle.__drizzle_migrations (hash, created_at) values ('other', 1)`,
    );
    await database.close();
    await assert.rejects(openPostgres({ url, log }), { code: 'database-unusable', message: /number 2 of 2/ });
  });
});
