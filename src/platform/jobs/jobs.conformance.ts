// What every database must make of the jobs port; jobs.test.ts runs it on each.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { idSource } from '../../base/ids.ts';
import { Problem } from '../../base/problems.ts';
import type { Services } from '../context.ts';
import { openLog } from '../drivers/log.ts';
import { maxOutputBytes } from '../drivers/worker-messages.ts';
import type { EventOutput } from '../http/route.ts';
import type { Database } from '../ports/database.ts';
import { openTestDatabase } from '../testing.ts';
import {
  effectsOf,
  jobRow,
  openTestJobs,
  startTestJob,
  testKind,
  until,
  untilEnded,
  type Behaviour,
  type TestJobs,
} from './jobs.fixture.ts';
import { cancelJob, getJob, listJobEvents, listJobs, watchJobEvents, type OpenedJobs } from './jobs.ts';
import { appendEvents } from './rows.ts';

export function jobsConformance(dialect: Database['dialect']): void {
  const log = openLog({ level: process.env['PILVI_TEST_LOG'] === undefined ? 'silent' : 'info' });
  const newId = idSource();
  let folder: string;
  let database: Database;
  let closeDatabase: () => Promise<void>;
  let jobs: OpenedJobs;
  let opened: TestJobs;
  let services: Services;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'pilvi-jobs-'));
    ({ database, close: closeDatabase } = await openTestDatabase(dialect, log));
    opened = await openTestJobs(
      { database, log, workFolder: join(folder, 'work') },
      { concurrency: 2, stopGraceMs: 200 },
    );
    ({ jobs, services } = opened);
  });

  after(async () => {
    await opened.close();
    await closeDatabase();
    assert.deepEqual(await readdir(join(folder, 'work')), [], 'no work folder is left');
    await rm(folder, { recursive: true });
  });

  const start = (behaviour: Behaviour, workspaceId = newId('workspace')): Promise<string> =>
    startTestJob(services, jobs, behaviour, workspaceId);

  async function eventsOf(
    jobId: string,
    signal = new AbortController().signal,
    from = 0,
  ): Promise<EventOutput[]> {
    const { workspaceId } = await jobRow(database, jobId);
    const context = opened.contextFor({ workspaceId, signal });
    const events: EventOutput[] = [];
    for await (const event of await watchJobEvents(context, jobId, from)) events.push(event);
    return events;
  }

  const dataOf = ({ data }: EventOutput): Record<string, unknown> =>
    (data as { data: Record<string, unknown> }).data;
  const statesIn = (events: EventOutput[]): unknown[] =>
    events.filter(({ event }) => event === 'state').map((event) => dataOf(event).state);

  test('a job runs and its effect is there once', async () => {
    const jobId = await start({ do: 'echo', value: 42 });
    const row = await untilEnded(database, jobId);
    assert.equal(row.state, 'succeeded');
    assert.equal(row.attempt, 1);
    assert.equal(row.progressShare, 1);
    assert.deepEqual(await effectsOf(database, jobId), ['succeeded 1 {"echoed":42,"attempt":1}']);
  });

  test('what a try keeps is there for the next, and gone when the job has ended', async () => {
    const jobId = await start({ do: 'keep' });
    assert.equal((await untilEnded(database, jobId)).attempt, 2);
    assert.deepEqual(await effectsOf(database, jobId), ['succeeded 2 {"tries":"1 2 "}']);
    const isGone = async () => !(await readdir(join(folder, 'work'))).some((name) => name.includes(jobId));
    while (!(await isGone())) await sleep(20);
  });

  test('a job exists if and only if the transaction that started it commits', async () => {
    const workspaceId = newId('workspace');
    const subject = { workspaceId, projectId: null, subjectId: 's', startedBy: 'test' };
    let jobId = '';
    await assert.rejects(
      database.inWorkspace({ workspaceId, projectId: null }, async (transaction) => {
        jobId = await jobs.start(transaction, testKind, { do: 'echo' }, subject);
        throw new Error('rolled back');
      }),
      /rolled back/,
    );
    await assert.rejects(jobRow(database, jobId));
    const { rows } = await database.textQuery(null, `select id from pgboss.job where data->>'jobId' = $1`, [
      jobId,
    ]);
    assert.deepEqual(rows, []);
  });

  test('a job starts only after the commit', async () => {
    const workspaceId = newId('workspace');
    const subject = { workspaceId, projectId: null, subjectId: 's', startedBy: 'test' };
    const jobId = await database.inWorkspace({ workspaceId, projectId: null }, async (transaction) => {
      const id = await jobs.start(transaction, testKind, { do: 'echo' }, subject);
      await sleep(300);
      return id;
    });
    assert.equal((await untilEnded(database, jobId)).state, 'succeeded');
    assert.equal((await effectsOf(database, jobId)).length, 1);
  });

  test('an entry leaves the queue with its job', async () => {
    const jobId = await start({ do: 'echo' });
    await untilEnded(database, jobId);
    const { rows } = await database.textQuery(null, `select id from pgboss.job where data->>'jobId' = $1`, [
      jobId,
    ]);
    assert.deepEqual(rows, []);
  });

  test('a workspace does not see the jobs, events or queue entries of another', async () => {
    const jobId = await start({ do: 'echo' });
    await untilEnded(database, jobId);
    const stranger = opened.contextFor();
    const isNotFound = (error: unknown): boolean => error instanceof Problem && error.code === 'not-found';
    await assert.rejects(getJob(stranger, jobId), isNotFound);
    await assert.rejects(watchJobEvents(stranger, jobId), isNotFound);
    await assert.rejects(cancelJob(stranger, jobId), isNotFound);
    await assert.rejects(jobs.cancel(stranger.workspaceId, jobId), isNotFound);
    assert.deepEqual((await listJobs(stranger, { limit: 10 })).items, []);
    const count = await stranger.transaction((transaction) =>
      database.textQuery(
        transaction,
        'select (select count(*) from job_events) + (select count(*) from pgboss.job_common) as n',
      ),
    );
    assert.equal(Number(count.rows[0]!.n), 0);
  });

  test('jobs are listed newest first, in pages, by state and subject', async () => {
    const workspaceId = newId('workspace');
    const context = opened.contextFor({ workspaceId });
    const ids: string[] = [];
    for (let index = 0; index < 5; index++) ids.push(await start({ do: 'echo' }, workspaceId));
    for (const id of ids) await untilEnded(database, id);
    const first = await listJobs(context, { limit: 3, state: 'succeeded', subjectId: 'subject' });
    assert.deepEqual(
      first.items.map(({ id }) => id),
      ids.toReversed().slice(0, 3),
    );
    const second = await listJobs(context, { limit: 3, cursor: first.nextCursor! });
    assert.deepEqual(
      second.items.map(({ id }) => id),
      ids.toReversed().slice(3),
    );
    assert.equal(second.nextCursor, null);
    assert.deepEqual((await listJobs(context, { limit: 3, state: 'failed' })).items, []);
  });

  test('events come in order, numbered, and end with the final state', async () => {
    const jobId = await start({ do: 'flood', count: 3_000 });
    const events = await eventsOf(jobId);
    const ids = events.map(({ id }) => id);
    assert.deepEqual(
      ids,
      ids.toSorted((a, b) => a - b),
    );
    assert.equal(new Set(ids).size, ids.length);
    assert.deepEqual(statesIn(events), ['queued', 'running', 'succeeded']);
    assert.equal(events.at(-1)!.event, 'state');
    assert.equal(dataOf(events.findLast(({ event }) => event === 'progress')!).message, 'event 2999');
    assert.ok(events.length < 1_500, `${events.length} events`);
  });

  test('watching resumes where it was left, live', async () => {
    const jobId = await start({ do: 'busy-reporting', forMs: 1_500 });
    const controller = new AbortController();
    const context = opened.contextFor({
      workspaceId: (await jobRow(database, jobId)).workspaceId,
      signal: controller.signal,
    });
    const seen: number[] = [];
    for await (const { id, event } of await watchJobEvents(context, jobId)) {
      seen.push(id);
      if (event === 'progress') break;
    }
    assert.equal((await jobRow(database, jobId)).state, 'running', 'events arrive while it runs');
    const rest = await eventsOf(jobId, undefined, seen.at(-1));
    assert.ok(rest.every(({ id }) => id > seen.at(-1)!));
    assert.equal(dataOf(rest.at(-1)!).state, 'succeeded');
    assert.deepEqual(await eventsOf(jobId, undefined, rest.at(-1)!.id), []);
  });

  test('a watcher that leaves is let go', async () => {
    const jobId = await start({ do: 'ignore-abort' });
    const controller = new AbortController();
    const watching = eventsOf(jobId, controller.signal);
    await until(database, jobId, ({ state }) => state === 'running');
    controller.abort();
    await watching;
    await jobs.cancel((await jobRow(database, jobId)).workspaceId, jobId);
    await untilEnded(database, jobId);
  });

  test('of many events the newest are kept, and those of the state', async () => {
    const jobId = await start({ do: 'echo' });
    await untilEnded(database, jobId);
    const at = new Date();
    for (let batch = 0; batch < 11; batch++) {
      const events = Array.from({ length: 1_000 }, (_, index) => ({
        name: 'curve',
        data: { batch, index },
        at,
      }));
      await database.asSystem('test', (transaction) => appendEvents(transaction, jobId, events));
    }
    const kept = await database.asSystem('test', (transaction) => listJobEvents(transaction, jobId));
    const curves = kept.filter(({ name }) => name === 'curve').length;
    assert.ok(curves > 9_990 && curves <= 10_500, `${curves}`);
    assert.equal(kept.filter(({ name }) => name === 'state').length, 3);
    assert.deepEqual(kept.at(-1)!.data, { batch: 10, index: 999 });
  });

  test('text that the database cannot store is cleaned, not lost with its job', async () => {
    const jobId = await start({ do: 'unstorable' });
    const events = await eventsOf(jobId);
    const row = await jobRow(database, jobId);
    assert.equal(row.problem?.code, 'file-unreadable');
    assert.equal(row.problem?.detail, 'column "ab\ufffd"');
    assert.deepEqual(await effectsOf(database, jobId), ['file-unreadable']);
    assert.deepEqual(dataOf(events.find(({ event }) => event === 'columns')!), {
      names: ['ab'],
      counts: { cd: 1 },
    });
  });

  test('cancelling a queued job ends it at once', async () => {
    const busy = [await start({ do: 'sleep', forMs: 60_000 }), await start({ do: 'sleep', forMs: 60_000 })];
    for (const id of busy) await until(database, id, ({ state }) => state === 'running');
    const workspaceId = newId('workspace');
    const jobId = await start({ do: 'echo' }, workspaceId);
    assert.equal(await jobs.cancel(workspaceId, jobId), 'cancelled');
    const row = await jobRow(database, jobId);
    assert.equal(row.state, 'cancelled');
    assert.equal(row.attempt, 0);
    assert.equal(row.problem?.code, 'cancelled');
    assert.deepEqual(await effectsOf(database, jobId), ['cancelled']);
    assert.equal(await jobs.cancel(workspaceId, jobId), 'cancelled', 'again changes nothing');
    for (const id of busy) await jobs.cancel((await jobRow(database, id)).workspaceId, id);
    for (const id of busy) assert.equal((await untilEnded(database, id)).state, 'cancelled');
  });

  for (const behaviour of ['wait-for-abort', 'ignore-abort', 'busy-reporting']) {
    test(`cancelling a running job ends it: ${behaviour}`, async (test) => {
      const workspaceId = newId('workspace');
      const jobId = await start({ do: behaviour, forMs: 120_000 }, workspaceId);
      const controller = new AbortController();
      const context = opened.contextFor({ workspaceId, signal: controller.signal });
      let pid = 0;
      for await (const event of await watchJobEvents(context, jobId)) {
        if (event.event !== 'waiting') continue;
        pid = Number(dataOf(event).pid);
        break;
      }
      const startMs = performance.now();
      const shown = await cancelJob(context, jobId);
      assert.ok(['running', 'cancelled'].includes(shown.state));
      assert.equal((await untilEnded(database, jobId)).state, 'cancelled');
      test.diagnostic(`after ${Math.round(performance.now() - startMs)} ms`);
      assert.deepEqual(await effectsOf(database, jobId), ['cancelled']);
      assert.ok(!isAlive(pid));
    });
  }

  const endings: [Behaviour, string, number][] = [
    [{ do: 'throw' }, 'internal', 1],
    [{ do: 'throw-later' }, 'internal', 1],
    [{ do: 'bigint' }, 'internal', 1],
    [{ do: 'huge-output', bytes: maxOutputBytes }, 'internal', 1],
    [{ do: 'problem', code: 'file-unreadable' }, 'file-unreadable', 1],
    [{ do: 'problem', code: 'disk-full' }, 'disk-full', 3],
    [{ do: 'exit', code: 0 }, 'worker-lost', 3],
    [{ do: 'kill-itself' }, 'worker-lost', 3],
    [{ do: 'allocate', memoryMiB: 256 }, 'memory-limit', 1],
    [{ do: 'busy', forMs: 60_000, timeoutMs: 500 }, 'time-limit', 1],
    [{ do: 'echo', failIn: 'prepare', failCode: 'file-empty' }, 'file-empty', 1],
    [{ do: 'echo', failIn: 'complete', failCode: 'bug' }, 'internal', 3],
    [{ do: 'echo', failIn: 'complete-transaction', failCode: 'file-empty' }, 'file-empty', 1],
  ];
  for (const [behaviour, code, attempts] of endings) {
    const { do: what, failIn } = behaviour;
    test(`${[what, failIn].filter(Boolean).join(', failing in ')} ends as ${code} after ${attempts}`, async () => {
      const jobId = await start(behaviour);
      const row = await untilEnded(database, jobId);
      assert.equal(row.state, 'failed');
      assert.equal(row.problem?.code, code);
      assert.equal(row.attempt, attempts);
      assert.deepEqual(await effectsOf(database, jobId), [code]);
      assert.doesNotMatch(JSON.stringify(row.problem), /\.ts|a mistake in|\/tmp/, 'nothing of ours leaks');
      assert.equal(statesIn(await eventsOf(jobId)).length, 2 * attempts + 1);
    });
  }

  test('the host half is tried again when the world was away for a moment', async () => {
    for (const failIn of ['prepare', 'complete', 'complete-transaction'] as const) {
      const jobId = await start({ do: 'echo', failIn, failCode: 'unavailable', failTimes: 1 });
      assert.equal((await untilEnded(database, jobId)).state, 'succeeded');
      assert.equal((await effectsOf(database, jobId)).length, 1);
    }
  });

  test('a job ends even when its kind cannot say so to the subject', async () => {
    const jobId = await start({ do: 'throw', failIn: 'fail', failCode: 'bug' });
    const row = await untilEnded(database, jobId);
    assert.equal(row.problem?.code, 'internal');
    assert.deepEqual(await effectsOf(database, jobId), []);
  });

  test('no more jobs run at a time than there is room for', async () => {
    const ids = await Promise.all(Array.from({ length: 6 }, () => start({ do: 'sleep', forMs: 300 })));
    let most = 0;
    for (;;) {
      const states = await Promise.all(ids.map(async (id) => (await jobRow(database, id)).state));
      most = Math.max(most, states.filter((state) => state === 'running').length);
      if (states.every((state) => state === 'succeeded')) break;
      await sleep(20);
    }
    assert.ok(most <= 2, `${most} ran`);
  });

  test('a stopped host gives its jobs back, and the try does not count', async () => {
    const jobId = await start({ do: 'sleep', forMs: 2_500 });
    await until(database, jobId, ({ state }) => state === 'running');
    await opened.stopHost();
    const given = await jobRow(database, jobId);
    assert.equal(given.state, 'queued');
    assert.equal(given.attempt, 0);
    opened.startHost();
    const row = await untilEnded(database, jobId);
    assert.equal(row.state, 'succeeded');
    assert.equal(row.attempt, 1);
    assert.equal((await effectsOf(database, jobId)).length, 1);
  });

  test('a job of a kind that the host does not know waits for one that does', async () => {
    const jobId = await start({ do: 'echo' });
    await untilEnded(database, jobId);
    // Queued as another version would have.
    const unknown = { ...testKind, name: 'kind-of-the-future' };
    const workspaceId = newId('workspace');
    await assert.rejects(
      database.inWorkspace({ workspaceId, projectId: null }, (transaction) =>
        jobs.start(
          transaction,
          unknown,
          { do: 'echo' },
          { workspaceId, projectId: null, subjectId: 's', startedBy: 't' },
        ),
      ),
      /not registered/,
    );
    const queued = await database.asSystem('test', async (transaction) => {
      const deliveryId = await jobs.parts.queue.add(transaction, { jobId, workspaceId });
      await database.textQuery(
        transaction,
        `update jobs set kind = 'kind-of-the-future', state = 'queued', delivery_id = $2 where id = $1`,
        [jobId, deliveryId],
      );
      await database.textQuery(transaction, `select pg_notify('pilvi_jobs', 'queued')`);
      return deliveryId;
    });
    const row = await until(database, jobId, ({ deliveryId }) => deliveryId !== queued);
    assert.equal(row.state, 'queued');
  });

  function isAlive(pid: number): boolean {
    return existsSync(`/proc/${pid}`);
  }
}
