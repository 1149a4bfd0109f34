// Events reach their reactions if and only if their transaction committed: through failures, crashes and crowds.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, suite, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { sql } from 'drizzle-orm';
import type { Clock } from '../../base/time.ts';
import type { Context, Reaction } from '../context.ts';
import { openLog } from '../drivers/log.ts';
import { openPglite } from '../drivers/pglite.ts';
import { openPostgres } from '../drivers/postgres.ts';
import type { Database } from '../ports/database.ts';
import { createPostgresDatabase, openTestServices, testPostgresUrl, type TestServices } from '../testing.ts';
import { backOffMs, deliverDue, startDispatcher } from './dispatcher.ts';

const silent = openLog({ level: 'silent' });

/** A clock that stands still until it is told to go on. */
class TestClock implements Clock {
  #nowMs = 1_700_000_000_000;
  nowMs = (): number => this.#nowMs;
  monotonicMs = this.nowMs;
  advance(byMs: number): void {
    this.#nowMs += byMs;
  }
}

suite('the dispatcher', () => {
  const clock = new TestClock();
  const lines: { level: string; message: string }[] = [];
  const log = openLog({ level: 'warn', destination: { write: (line) => lines.push(JSON.parse(line)) } });
  let opened: TestServices;
  let context: Context;

  before(async () => {
    opened = await openTestServices({ clock, log });
    context = opened.contextFor();
  });
  after(() => opened.close());
  afterEach(async () => {
    lines.length = 0;
    await opened.services.database.textQuery(null, 'delete from outbox_events');
  });

  const deliver = (...reactions: Reaction[]): Promise<void> =>
    deliverDue({ services: opened.services, reactions });

  const publish = (number: number, name = 'test-happened'): Promise<void> =>
    context.transaction((transaction) =>
      context.publish(transaction, { name, projectId: 'prj_1', data: { number } }),
    );

  const deliveries = async (): Promise<Record<string, unknown>[]> =>
    (await opened.services.database.textQuery(null, 'select * from event_deliveries')).rows;

  test('gives a committed event to each reaction that wants it, in its workspace, once', async () => {
    const seen: unknown[] = [];
    const reaction = (name: string, event: string): Reaction => ({
      event,
      name,
      react: async (reacting, { eventId, ...event_ }) => {
        assert.match(eventId, /^evt_/);
        seen.push([name, reacting.workspaceId, reacting.actor.kind, event_]);
      },
    });
    const reactions = [
      reaction('a', 'test-happened'),
      reaction('b', 'test-happened'),
      reaction('c', 'other'),
    ];
    await publish(1);
    await deliver(...reactions);
    await deliver(...reactions);
    const event = { name: 'test-happened', projectId: 'prj_1', data: { number: 1 } };
    assert.deepEqual(seen, [
      ['a', context.workspaceId, 'system', event],
      ['b', context.workspaceId, 'system', event],
    ]);
    assert.deepEqual(
      (await deliveries()).map((row) => row['state']),
      ['done', 'done'],
    );
  });

  test('knows nothing of an event that was rolled back', async () => {
    const work = context.transaction(async (transaction) => {
      await context.publish(transaction, { name: 'test-happened', projectId: null, data: {} });
      throw new Error('test');
    });
    await assert.rejects(work, /test/);
    await deliver({ event: 'test-happened', name: 'a', react: () => assert.fail('delivered') });
  });

  test('tries what fails again, later each time, without holding up others; at last it is a dead letter', async () => {
    let failures = 0;
    const healthy: number[] = [];
    const reactions: Reaction[] = [
      {
        event: 'test-happened',
        name: 'failing',
        react: async () => {
          failures++;
          throw new Error('cannot');
        },
      },
      {
        event: 'test-happened',
        name: 'healthy',
        react: async (_context, event) => void healthy.push(Number(event.data['number'])),
      },
    ];
    await publish(1);
    for (let attempt = 1; attempt <= 15; attempt++) {
      await deliver(...reactions);
      assert.equal(failures, attempt);
      clock.advance(backOffMs(attempt) - 1);
      await deliver(...reactions);
      assert.equal(failures, attempt, 'tried before its time');
      clock.advance(1);
    }
    clock.advance(3_600_000);
    await deliver(...reactions);
    assert.equal(failures, 15);
    assert.deepEqual(healthy, [1]);
    const dead = (await deliveries()).find((row) => row['state'] === 'dead');
    assert.equal(dead?.['last_error'], 'Error: cannot');
    assert.deepEqual(
      lines.filter((line) => line.level === 'error').map((line) => line.message),
      ['reaction failed for the last time: dead letter'],
    );
  });

  test('leaves deliveries of reactions that this server does not know to those that do', async () => {
    const seen: string[] = [];
    const known: Reaction = {
      event: 'test-happened',
      name: 'known',
      react: async () => void seen.push('known'),
    };
    await publish(1);
    await deliver({ ...known, react: () => Promise.reject(new Error('later')) });
    clock.advance(backOffMs(1));
    await deliver({ event: 'other', name: 'unknown', react: async () => {} });
    assert.deepEqual(seen, []);
    await deliver(known);
    assert.deepEqual(seen, ['known']);
  });

  test('holds a delivery for as long as its reaction works', async () => {
    const events = new Map<number, () => void>();
    const happened = (number: number): Promise<void> => new Promise((resolve) => events.set(number, resolve));
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    let runs = 0;
    const reactions: Reaction[] = [
      {
        event: 'long-work',
        name: 'long',
        react: async () => {
          runs++;
          events.get(0)?.();
          await released;
        },
      },
      {
        event: 'test-happened',
        name: 'short',
        react: async (_context, event) => events.get(Number(event.data['number']))?.(),
      },
    ];
    const dispatcher = startDispatcher({ services: opened.services, reactions });
    const begun = happened(0);
    await publish(0, 'long-work');
    await begun;
    for (const step of [1, 2, 3, 4, 5]) {
      clock.advance(11_000);
      // The event wakes the dispatcher, which renews what it holds before it goes on.
      const reached = happened(step);
      await publish(step);
      await reached;
      await deliver(...reactions);
    }
    release();
    await dispatcher.stop();
    assert.equal(runs, 1);
  });

  test('stops when its reactions have ended, tells them to, and takes nothing more', async () => {
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
    let ended = 0;
    const reaction: Reaction = {
      event: 'test-happened',
      name: 'a',
      react: async (reacting) => {
        begin();
        await once(reacting.signal, 'abort');
        ended++;
      },
    };
    const dispatcher = startDispatcher({ services: opened.services, reactions: [reaction] });
    await publish(1);
    await begun;
    await dispatcher.stop();
    assert.equal(ended, 1);
    await publish(2);
    assert.equal((await deliveries()).length, 1);
  });

  test('forgets what is settled after a week, and keeps what is not', async () => {
    await publish(1);
    await deliver({ event: 'test-happened', name: 'a', react: async () => {} });
    await publish(2, 'never-wanted');
    await publish(3);
    await deliver({ event: 'test-happened', name: 'a', react: () => Promise.reject(new Error('cannot')) });
    clock.advance(8 * 86_400_000);
    const { promise: hasSwept, resolve } = Promise.withResolvers<void>();
    const afterSweep: Reaction = { event: 'later', name: 'b', react: async () => resolve() };
    await publish(4, 'later');
    const dispatcher = startDispatcher({ services: opened.services, reactions: [afterSweep] });
    await hasSwept;
    await dispatcher.stop();
    const { rows } = await opened.services.database.textQuery(
      null,
      `select data->'number' as number from outbox_events`,
    );
    assert.deepEqual(rows.map((row) => row['number']).sort(), [3, 4]);
  });

  test('refuses two reactions of one name', () => {
    const reaction: Reaction = { event: 'a', name: 'a', react: async () => {} };
    assert.throws(() => startDispatcher({ services: opened.services, reactions: [reaction, reaction] }));
  });
});

test('what was committed is delivered after kill -9, and what was under way is tried again', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'pilvi-test-'));
  const data = join(folder, 'database');
  const child = spawn(
    process.execPath,
    [fileURLToPath(new URL('./crash.fixture.ts', import.meta.url)), data],
    {
      stdio: ['ignore', 'ignore', 'inherit'],
    },
  );
  const [, signal] = (await once(child, 'exit')) as [number | null, string | null];
  assert.equal(signal, 'SIGKILL');

  const clock = new TestClock();
  clock.advance(Date.now() - clock.nowMs() + 31_000);
  const database = await openPglite({ storage: { folder: data }, log: silent });
  const { services, close } = await openTestServices({ database, clock });
  const effects: number[] = [];
  const reaction: Reaction = {
    event: 'test-happened',
    name: 'die',
    react: async (_context, event) => void effects.push(Number(event.data['number'])),
  };
  await deliverDue({ services, reactions: [reaction] });
  const { rows } = await database.textQuery(null, 'select event_number from effects');
  const all = [...rows.map((row) => Number(row['event_number'])), ...effects];
  // 1 and 3 may have been done before the crash; 2 cannot.
  assert.deepEqual([...new Set(all)].sort(), [1, 2, 3]);
  assert.ok(effects.includes(2));
  await close();
  await database.close();
  await rm(folder, { recursive: true });
});

/** Dispatchers of several servers, each with its own connections, share a crowd of events. */
async function shareCrowd(databases: Database[]): Promise<void> {
  const eventCount = 200;
  const opened = await Promise.all(databases.map((database) => openTestServices({ database, log: silent })));
  const seen: number[] = [];
  const { promise: allSeen, resolve } = Promise.withResolvers<void>();
  const reaction: Reaction = {
    event: 'test-happened',
    name: 'count',
    react: async (context, event) => {
      await context.transaction((transaction) => transaction.execute(sql`select pg_sleep(0.001)`));
      seen.push(Number(event.data['number']));
      if (seen.length === eventCount) resolve();
    },
  };
  const dispatchers = opened.map(({ services }) => startDispatcher({ services, reactions: [reaction] }));
  const contexts = opened.map(({ contextFor }) => contextFor());
  await Promise.all(
    Array.from({ length: eventCount }, (_, number) => {
      const context = contexts[number % contexts.length]!;
      return context.transaction((transaction) =>
        context.publish(transaction, { name: 'test-happened', projectId: null, data: { number } }),
      );
    }),
  );
  await allSeen;
  await Promise.all(dispatchers.map((dispatcher) => dispatcher.stop()));
  assert.deepEqual(
    seen.sort((a, b) => a - b),
    Array.from({ length: eventCount }, (_, number) => number),
  );
  await Promise.all(opened.map(({ close }) => close()));
}

test('dispatchers share a crowd of events: PGlite', async () => {
  const { services, close } = await openTestServices({ log: silent });
  await shareCrowd([services.database, services.database, services.database]);
  await close();
});

test(
  'dispatchers share a crowd of events: Postgres',
  {
    skip:
      testPostgresUrl === undefined &&
      'PILVI_TEST_POSTGRES_URL is not set: run through test/with-postgres.ts',
  },
  async () => {
    const { url, drop } = await createPostgresDatabase();
    const databases = await Promise.all([1, 2, 3].map(() => openPostgres({ url, log: silent })));
    await shareCrowd(databases);
    await Promise.all(databases.map((database) => database.close()));
    await drop();
  },
);
