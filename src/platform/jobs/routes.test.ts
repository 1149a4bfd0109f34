// The routes of jobs over HTTP: the event stream as browsers and the SDK read it.
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { idSource } from '../../base/ids.ts';
import { job as jobSchema, jobEvent } from '../../contract/job.ts';
import type { Services } from '../context.ts';
import { createContext } from '../context-factory.ts';
import { openLog } from '../drivers/log.ts';
import { createApp } from '../http/app.ts';
import type { Database } from '../ports/database.ts';
import { openTestDatabase } from '../testing.ts';
import { openTestJobs, startTestJob, until, untilEnded, type TestJobs } from './jobs.fixture.ts';
import type { OpenedJobs } from './jobs.ts';
import { jobRoutes } from './routes.ts';

const log = openLog({ level: 'silent' });
const newId = idSource();
const workspaceId = newId('workspace');
const stopping = new AbortController();
let folder: string;
let database: Database;
let closeDatabase: () => Promise<void>;
let opened: TestJobs;
let jobs: OpenedJobs;
let services: Services;
let app: ReturnType<typeof createApp>;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pilvi-jobs-'));
  ({ database, close: closeDatabase } = await openTestDatabase('pglite', log));
  opened = await openTestJobs({ database, log, workFolder: folder }, { concurrency: 1, stopGraceMs: 0 });
  ({ jobs, services } = opened);
  app = createApp({
    routes: jobRoutes,
    services,
    gate: {
      guard: () => undefined,
      admit: async () => ({
        actor: { kind: 'user', id: newId('user'), sessionId: newId('session') },
        workspaceId,
        projectId: null,
      }),
      headers: () => ({}),
    },
    version: '0',
    createContext: (who) => createContext(services, who),
    clientAddress: () => '127.0.0.1',
    stopping: stopping.signal,
  });
});

after(async () => {
  await opened.close();
  await closeDatabase();
  await rm(folder, { recursive: true });
});

interface Sent {
  id: number;
  event: string;
  data: ReturnType<typeof jobEvent.parse>;
}

async function readEvents(path: string, headers: Record<string, string> = {}): Promise<Sent[]> {
  const response = await app.request(`/api/v1${path}`, { headers });
  assert.equal(response.status, 200);
  assert.match(response.headers.get('content-type') ?? '', /^text\/event-stream/);
  return (await response.text())
    .split('\n\n')
    .filter((block) => block.includes('data:'))
    .map((block) => {
      const field = (name: string): string => new RegExp(`^${name}: ?(.*)$`, 'm').exec(block)?.[1] ?? '';
      return {
        id: Number(field('id')),
        event: field('event'),
        data: jobEvent.parse(JSON.parse(field('data'))),
      };
    });
}

test('the stream tells a job from its start to its end, as the contract says', async () => {
  const jobId = await startTestJob(services, jobs, { do: 'busy-reporting', forMs: 600 }, workspaceId);
  const events = await readEvents(`/jobs/${jobId}/events`);
  assert.deepEqual(
    events.filter(({ event }) => event === 'state').map(({ data }) => data.data.state),
    ['queued', 'running', 'succeeded'],
  );
  assert.ok(events.some(({ event }) => event === 'progress'));
  for (const { id, event, data } of events) {
    assert.equal(id, data.sequence);
    assert.equal(event, data.name);
  }
});

test('a client that comes back goes on after the last event that it had', async () => {
  const jobId = await startTestJob(services, jobs, { do: 'echo' }, workspaceId);
  await untilEnded(database, jobId);
  const all = await readEvents(`/jobs/${jobId}/events`);
  const [first] = all;
  assert.deepEqual(await readEvents(`/jobs/${jobId}/events?after=${first!.id}`), all.slice(1));
  assert.deepEqual(
    await readEvents(`/jobs/${jobId}/events`, { 'last-event-id': String(first!.id) }),
    all.slice(1),
  );
  assert.deepEqual(await readEvents(`/jobs/${jobId}/events`, { 'last-event-id': 'nonsense' }), all);
});

test('a job is read, listed and cancelled; one that is not there is not found', async () => {
  const jobId = await startTestJob(services, jobs, { do: 'ignore-abort' }, workspaceId);
  await until(database, jobId, ({ state }) => state === 'running');
  const shown = jobSchema.parse(await (await app.request(`/api/v1/jobs/${jobId}`)).json());
  assert.equal(shown.state, 'running');
  const cancelled = await app.request(`/api/v1/jobs/${jobId}/cancel`, { method: 'POST' });
  assert.equal(cancelled.status, 202);
  await untilEnded(database, jobId);
  const list = (await (await app.request('/api/v1/jobs?state=cancelled')).json()) as { items: unknown[] };
  assert.deepEqual(
    list.items.map((item) => jobSchema.parse(item).id),
    [jobId],
  );
  for (const path of ['/jobs/job_unknown', '/jobs/job_unknown/events']) {
    assert.equal((await app.request(`/api/v1${path}`)).status, 404);
  }
});

test('a server that stops ends its streams', async () => {
  const jobId = await startTestJob(services, jobs, { do: 'ignore-abort' }, workspaceId);
  await until(database, jobId, ({ state }) => state === 'running');
  const events = readEvents(`/jobs/${jobId}/events`);
  setTimeout(() => stopping.abort(), 100);
  assert.ok((await events).every(({ data }) => data.data.state !== 'succeeded'));
});
