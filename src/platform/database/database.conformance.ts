// What every database driver keeps (ports/database.ts), as one suite: scopes, rollback, nesting, concurrency,
// notifications, failures. What keeps workspaces apart in each table is in isolation.conformance.ts.
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { sql } from 'drizzle-orm';
import { AssertionFailure } from '../../base/assert.ts';
import { Problem } from '../../base/problems.ts';
import type { Database, Transaction } from '../ports/database.ts';
import { isUniqueViolation, QueryFailure } from './errors.ts';

/** A fresh, migrated database and what removes it. */
export interface OpenedDatabase {
  database: Database;
  close(): Promise<void>;
}

/** Runs the suite on the databases that `open` opens. */
export function databaseConformance(name: string, open: () => Promise<OpenedDatabase>): void {
  suite(`${name} keeps the promises of the database port`, () => {
    let opened: OpenedDatabase;
    let database: Database;
    const scope = { workspaceId: 'ws_1', projectId: null };

    before(async () => {
      opened = await open();
      database = opened.database;
      await database.asSystem('test tables', async (transaction) => {
        await transaction.execute(sql`create table counters (name text primary key, value int not null)`);
        await transaction.execute(sql`insert into counters values ('a', 0), ('b', 0)`);
      });
    });
    after(() => opened.close());

    const valueOf = (counter: string): Promise<number> =>
      database.asSystem('test', async (transaction) =>
        Number((await counterRow(transaction, counter)).value),
      );

    test('work that throws is rolled back, and what it threw comes out', async () => {
      const thrown = new Problem('wrong-state', 'test');
      const work = database.asSystem('test', async (transaction) => {
        await transaction.execute(sql`update counters set value = 100 where name = 'a'`);
        throw thrown;
      });
      await assert.rejects(work, (error) => error === thrown);
      assert.equal(await valueOf('a'), 0);
    });

    test('a transaction inside another is an assertion failure, at any depth and by any way', async () => {
      const ways: (() => Promise<unknown>)[] = [
        () => database.inWorkspace(scope, async () => {}),
        () => database.asSystem('test', async () => {}),
        () => database.ping(),
        () => database.textQuery(null, 'select 1'),
      ];
      for (const nested of ways) {
        const work = database.asSystem('test', async () => {
          await delay(1);
          await nested();
        });
        await assert.rejects(work, AssertionFailure);
      }
    });

    test('work that outlives its transaction may start another', async () => {
      let late: Promise<number> | undefined;
      await database.asSystem('test', async () => {
        late = delay(50).then(() => valueOf('a'));
      });
      assert.equal(await late, 0);
    });

    test('neither role nor scope outlives its transaction, whether it was kept or not', async () => {
      await database.inWorkspace({ workspaceId: 'ws_1', projectId: 'prj_1' }, async () => {});
      await assert.rejects(
        database.inWorkspace(scope, async () => {
          throw new Error('test');
        }),
      );
      // As many at once as a pool may hold, so that every connection is looked at.
      const found = await Promise.all(Array.from({ length: 20 }, () => database.asSystem('test', readScope)));
      for (const { role, workspace, project } of found) {
        assert.deepEqual([role, workspace ?? '', project ?? ''], ['none', '', '']);
      }
    });

    test('a scope is data: names that look like SQL are only names', async () => {
      for (const workspaceId of [`ws'; reset role; --`, '$1', '\\', 'ws"1', '𝕎'.repeat(100)]) {
        const found = await database.inWorkspace({ workspaceId, projectId: `'||'` }, readScope);
        assert.deepEqual(found, { role: 'pilvi_tenant', workspace: workspaceId, project: `'||'` });
      }
      await assert.rejects(
        database.inWorkspace({ workspaceId: '', projectId: null }, async () => {}),
        AssertionFailure,
      );
    });

    test('concurrent transactions lose no update', async () => {
      const increments = Array.from({ length: 60 }, (_, index) =>
        database.asSystem('test', async (transaction) => {
          const { value } = await counterRow(transaction, 'b', sql`for update`);
          if (index % 3 === 0) await delay(1);
          await transaction.execute(sql`update counters set value = ${Number(value) + 1} where name = 'b'`);
        }),
      );
      await Promise.all(increments);
      assert.equal(await valueOf('b'), 60);
    });

    test('a statement that fails leaves the next transaction unharmed and names no parameter', async () => {
      const secret = 'a-secret-parameter';
      const work = database.asSystem('test', (transaction) =>
        transaction.execute(sql`insert into counters values ('a', ${secret}::text::jsonb::text::int)`),
      );
      const error = await work.then(
        () => assert.fail('it did not fail'),
        (caught: unknown) => caught,
      );
      assert.ok(error instanceof QueryFailure);
      assert.match(error.message, /statement: insert into counters/);
      assert.ok(!error.message.split('; statement')[1]?.includes(secret));
      assert.equal(await valueOf('a'), 0);
    });

    test('a taken key is told apart, inside the transaction and outside', async () => {
      const insert = sql`insert into counters values ('a', 1)`;
      const inside = await database.asSystem('test', (transaction) =>
        transaction
          .transaction((savepoint) => savepoint.execute(insert))
          .then(
            () => assert.fail('it did not fail'),
            (error: unknown) =>
              isUniqueViolation(error, 'counters_pkey') && !isUniqueViolation(error, 'other'),
          ),
      );
      assert.equal(inside, true);
      const work = database.asSystem('test', (transaction) => transaction.execute(insert));
      await assert.rejects(work, (error) => isUniqueViolation(error));
      assert.equal(isUniqueViolation(new Error('other')), false);
    });

    test('text queries run inside a transaction or on their own, several statements too', async () => {
      const work = database.asSystem('test', async (transaction) => {
        await database.textQuery(transaction, 'update counters set value = $1 where name = $2', [7, 'a']);
        const { rows } = await database.textQuery(transaction, `select value from counters where name = 'a'`);
        assert.deepEqual(rows, [{ value: 7 }]);
        throw new Error('undo');
      });
      await assert.rejects(work, /undo/);
      const alone = await database.textQuery(null, 'select 1 as a; select $$x$$ as b, value from counters');
      assert.equal(alone.rowCount, 2);
      assert.deepEqual(alone.rows.slice(0, 2), [{ a: 1 }, { b: 'x', value: 0 }]);
      await assert.rejects(database.textQuery(null, 'select nothing'), QueryFailure);
    });

    test('types are those of a Postgres server', async () => {
      const text = `select 9007199254740993::bigint as big, 0.1::float8 as real, 12.50::numeric as exact,
        true as yes, null as nothing, '{"a":[1]}'::jsonb as json, '\\xff00'::bytea as bytes, array['x','y'] as list,
        '2026-01-02T03:04:05.678Z'::timestamptz as time`;
      const { rows } = await database.textQuery(null, text);
      assert.deepEqual(rows[0], {
        big: '9007199254740993',
        real: 0.1,
        exact: '12.50',
        yes: true,
        nothing: null,
        json: { a: [1] },
        bytes: Buffer.from([0xff, 0]),
        list: ['x', 'y'],
        time: new Date('2026-01-02T03:04:05.678Z'),
      });
    });

    test('a large value comes back whole', async () => {
      const large = 'wide 𝕋ext, '.repeat(400_000);
      const { rows } = await database.textQuery(null, 'select $1::text as large', [large]);
      assert.equal(rows[0]!['large'], large);
    });

    test('a notification arrives after the commit, and not after a rollback', async () => {
      const heard: string[] = [];
      const stop = await database.listen('test_channel', (payload) => heard.push(payload));
      const notify = (payload: string, andThen: () => void) =>
        database.asSystem('test', async (transaction) => {
          await transaction.execute(sql`select pg_notify('test_channel', ${payload})`);
          await delay(50);
          assert.ok(!heard.includes(payload), 'heard before the commit');
          andThen();
        });
      await assert.rejects(
        notify('undone', () => {
          throw new Error('test');
        }),
      );
      await notify('kept', () => {});
      while (!heard.includes('kept')) await delay(5);
      await stop();
      await notify('after the end', () => {});
      await database.ping();
      assert.deepEqual(heard, ['kept']);
    });

    test('it answers', () => database.ping());

    test('once closed it says that it is not there', async () => {
      const other = await open();
      await other.close();
      await assert.rejects(other.database.ping(), { code: 'unavailable' });
      await assert.rejects(
        other.database.asSystem('test', async () => {}),
        { code: 'unavailable' },
      );
    });
  });
}

async function counterRow(transaction: Transaction, counter: string, lock = sql``) {
  const { rows } = await transaction.execute<{ value: number }>(
    sql`select value from counters where name = ${counter} ${lock}`,
  );
  return rows[0]!;
}

async function readScope(transaction: Transaction) {
  const { rows } = await transaction.execute<{ role: string; workspace: string; project: string }>(
    sql`select current_setting('role') as role, current_setting('pilvi.workspace_id', true) as workspace,
      current_setting('pilvi.project_id', true) as project`,
  );
  return rows[0]!;
}
