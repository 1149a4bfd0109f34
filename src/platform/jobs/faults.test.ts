// kill -9 of worker processes and of whole servers at random points. Afterwards every job has ended, what it did took
// effect exactly once, and no process, work folder or queue entry is left.
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readdirSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { seededRandom, type Random } from '../../base/random.ts';
import { openLog } from '../drivers/log.ts';
import { openPglite } from '../drivers/pglite.ts';
import { openPostgres } from '../drivers/postgres.ts';
import type { Database } from '../ports/database.ts';
import { createPostgresDatabase, testPostgresUrl } from '../testing.ts';
import { effectsOf, jobRow, untilEnded, until, type Behaviour } from './jobs.fixture.ts';

const seeds = Array.from({ length: 20 }, (_, index) => index + 1);
const serverFile = fileURLToPath(new URL('./job-server.fixture.ts', import.meta.url));
const log = openLog({ level: 'silent' });
const onLinux = process.platform === 'linux';

class Server {
  readonly process: ChildProcess;
  readonly #lines: string[] = [];
  #woken = Promise.withResolvers<void>();

  constructor(folder: string, url?: string) {
    // Its folder in the environment, as its workers have theirs, is how the test finds what is left.
    this.process = spawn(process.execPath, [serverFile, folder, ...(url === undefined ? [] : [url])], {
      env: {
        PATH: process.env['PATH'],
        HOME: folder,
        TMPDIR: folder,
        PILVI_TEST_POSTGRES_URL: testPostgresUrl,
      },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.process.stdin!.on('error', () => undefined);
    this.process.once('exit', () => this.#woken.resolve());
    let rest = '';
    this.process.stdout!.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop()!;
      this.#lines.push(...lines);
      this.#woken.resolve();
      this.#woken = Promise.withResolvers();
    });
  }

  /** The next line that the server prints. */
  async line(): Promise<string> {
    while (this.#lines.length === 0) {
      assert.ok(this.process.exitCode === null && this.process.signalCode === null, 'the server runs');
      await this.#woken.promise;
    }
    return this.#lines.shift()!;
  }

  startJob(behaviour: Behaviour): void {
    this.say(JSON.stringify(behaviour));
  }

  say(line: string): void {
    this.process.stdin!.write(`${line}\n`);
  }

  async kill(): Promise<void> {
    this.process.kill('SIGKILL');
    await this.#gone();
  }

  async stop(): Promise<void> {
    this.say('stop');
    await this.#gone();
    assert.equal(this.process.exitCode, 0);
  }

  async #gone(): Promise<void> {
    if (this.process.exitCode === null && this.process.signalCode === null) await once(this.process, 'exit');
  }
}

/** Processes whose environment names the folder: servers and their workers. */
function processesOf(folder: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/environ`, 'utf8').includes(`HOME=${folder}`);
      } catch {
        return false;
      }
    })
    .map(Number);
}

async function untilNoProcess(folder: string): Promise<void> {
  while (processesOf(folder).length > 0) await sleep(20);
}

function anyBehaviour(random: Random): Behaviour {
  const behaviours: Behaviour[] = [
    { do: 'echo', value: 1 },
    { do: 'busy-reporting', forMs: 100 + random.below(900) },
    { do: 'sleep', forMs: random.below(900) },
    { do: 'write', value: 'text' },
    { do: 'flood', count: 2_000 },
    { do: 'problem', code: 'file-empty' },
    { do: 'kill-itself' },
    { do: 'start-process', timeoutMs: 700 },
  ];
  return behaviours[random.below(behaviours.length)]!;
}

/** What must hold of every job in the database. Returns how many there are of each state. */
async function checkJobs(database: Database): Promise<Record<string, number>> {
  const { rows } = await database.textQuery(null, 'select id, attempt from jobs');
  const counts: Record<string, number> = {};
  for (const { id } of rows) {
    const row = await jobRow(database, String(id));
    const effects = await effectsOf(database, row.id);
    assert.equal(
      effects.length,
      1,
      `${row.id} is ${row.state} and took effect as ${JSON.stringify(effects)}`,
    );
    if (row.state === 'succeeded') assert.match(effects[0]!, new RegExp(`^succeeded ${row.attempt} `));
    else assert.equal(effects[0], row.problem?.code);
    assert.ok(['succeeded', 'failed'].includes(row.state), `${row.id} is ${row.state}`);
    assert.ok(row.attempt >= 1 && row.attempt <= 3, `${row.attempt} attempts`);
    const key = row.problem?.code ?? row.state;
    counts[key] = (counts[key] ?? 0) + 1;
  }
  const left = await database.textQuery(null, 'select count(*) as n from pgboss.job');
  assert.equal(Number(left.rows[0]!.n), 0, 'no queue entry is left');
  const gaps = await database.textQuery(
    null,
    `select job_id from job_events where name = 'state' group by job_id
     having (array_agg(data->>'state' order by sequence desc))[1] not in ('succeeded', 'failed')`,
  );
  assert.deepEqual(gaps.rows, [], 'the last event of each job is its end');
  return counts;
}

suite('kill -9 of workers', { skip: !onLinux && 'reads /proc' }, () => {
  let folder: string;
  let server: Server;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'pilvi-faults-'));
    server = new Server(folder);
    assert.equal(await server.line(), 'ready');
  });
  after(() => rm(folder, { recursive: true }));

  for (const seed of seeds) {
    test(`seed ${seed}`, async () => {
      const random = seededRandom(seed);
      for (let index = 0; index < 2; index++)
        server.startJob({ do: 'busy-reporting', forMs: random.below(700) });
      for (let kills = 1 + random.below(3); kills > 0; kills--) {
        await sleep(random.below(500));
        const workers = processesOf(folder).filter((pid) => pid !== server.process.pid);
        const victim = workers[random.below(Math.max(1, workers.length))];
        if (victim !== undefined) process.kill(victim, 'SIGKILL');
      }
      await server.line();
      await server.line();
    });
  }

  test('every job has ended and took effect once; nothing is left', async (context) => {
    await server.stop();
    // What was still to be tried is tried after a start, as every job of a stopped server.
    context.diagnostic(JSON.stringify(await finish(folder)));
  });
});

suite('kill -9 of a server on the embedded database', { skip: !onLinux && 'reads /proc' }, () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'pilvi-faults-'));
  });
  after(() => rm(folder, { recursive: true }));

  for (const seed of seeds) {
    test(`seed ${seed}`, async () => {
      const random = seededRandom(100 + seed);
      const server = new Server(folder);
      const count = 1 + random.below(4);
      for (let index = 0; index < count; index++) server.startJob(anyBehaviour(random));
      // A few are killed while they start, and a few while they take jobs in.
      if (seed % 5 !== 0) assert.equal(await server.line(), 'ready');
      if (seed % 5 > 1) for (let index = 0; index < count; index++) await server.line();
      await sleep(random.below(1_500));
      await server.kill();
      await untilNoProcess(folder);
    });
  }

  test('every job has ended and took effect once; nothing is left', async (context) => {
    context.diagnostic(JSON.stringify(await finish(folder)));
  });
});

/** Starts a server, waits until its jobs have ended, stops it and checks what is left. */
async function finish(folder: string): Promise<Record<string, number>> {
  const server = new Server(folder);
  assert.equal(await server.line(), 'ready');
  server.startJob({ do: 'echo' });
  const last = await server.line();
  server.say('wait');
  assert.equal(await server.line(), 'idle');
  await server.stop();
  await untilNoProcess(folder);
  assert.deepEqual(await readdir(join(folder, 'work')), [], 'no work folder is left');
  const database = await openPglite({ storage: { folder: join(folder, 'database') }, log });
  try {
    assert.equal((await jobRow(database, last)).state, 'succeeded');
    return await checkJobs(database);
  } finally {
    await database.close();
  }
}

suite(
  'servers that share a Postgres database',
  { skip: testPostgresUrl === undefined && 'PILVI_TEST_POSTGRES_URL is not set' },
  () => {
    let folder: string;
    let fresh: Awaited<ReturnType<typeof createPostgresDatabase>>;
    let database: Database;
    before(async () => {
      folder = await mkdtemp(join(tmpdir(), 'pilvi-faults-'));
      fresh = await createPostgresDatabase();
      database = await openPostgres({ url: fresh.url, log });
    });
    after(async () => {
      await database.close();
      await fresh.drop();
      await rm(folder, { recursive: true });
    });

    test('several start at once; what one leaves behind when killed, another takes over', async (context) => {
      const random = seededRandom(7);
      const servers = Array.from({ length: 3 }, () => new Server(folder, fresh.url));
      for (const server of servers) assert.equal(await server.line(), 'ready');
      const survivor = servers.pop()!;
      const ids: string[] = [];
      for (const server of servers) {
        for (let count = 0; count < 4; count++) {
          server.startJob(anyBehaviour(random));
          ids.push(await server.line());
        }
      }
      await sleep(random.below(500));
      for (const server of servers) await server.kill();
      for (const id of ids) await untilEnded(database, id);
      await survivor.stop();
      await untilNoProcess(folder);
      assert.deepEqual(await readdir(join(folder, 'work')).then((names) => names.length <= 2), true);
      context.diagnostic(JSON.stringify(await checkJobs(database)));
    });

    test('a server that was stopped for too long finds that its job is not its own any more', async () => {
      const frozen = new Server(folder, fresh.url);
      assert.equal(await frozen.line(), 'ready');
      frozen.startJob({ do: 'sleep', forMs: 3_000 });
      const id = await frozen.line();
      const taken = await until(database, id, ({ state }) => state === 'running');
      frozen.process.kill('SIGSTOP');
      const other = new Server(folder, fresh.url);
      assert.equal(await other.line(), 'ready');
      await until(database, id, ({ hostId }) => hostId !== null && hostId !== taken.hostId);
      frozen.process.kill('SIGCONT');
      const row = await untilEnded(database, id);
      assert.equal(row.state, 'succeeded');
      assert.equal(row.attempt, 2);
      assert.deepEqual(await effectsOf(database, id), ['succeeded 2 {"slept":true}']);
      await frozen.stop();
      await other.stop();
      await untilNoProcess(folder);
      assert.deepEqual(await readdir(join(folder, 'work')), [], 'the work folders of the killed were swept');
    });

    test('a job is cancelled through another server', async () => {
      const [one, two] = [new Server(folder, fresh.url), new Server(folder, fresh.url)];
      assert.equal(await one.line(), 'ready');
      one.startJob({ do: 'ignore-abort' });
      const id = await one.line();
      const { workspaceId } = await until(database, id, ({ state }) => state === 'running');
      assert.equal(await two.line(), 'ready');
      await database.inWorkspace({ workspaceId, projectId: null }, (transaction) =>
        database.textQuery(transaction, 'update jobs set cancel_requested_at = now() where id = $1', [id]),
      );
      assert.equal((await untilEnded(database, id)).state, 'cancelled');
      await one.stop();
      await two.stop();
      await untilNoProcess(folder);
    });
  },
);
