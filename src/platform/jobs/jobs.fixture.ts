// A kind of job whose task does what a test asks (drivers/misbehaving-task.fixture.ts) and whose effects are counted:
// one row for each time that its `complete` or `fail` took effect, written in the transaction of the job's state.
import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import { idSource } from '../../base/ids.ts';
import type { JsonObject } from '../../base/json.ts';
import { Problem } from '../../base/problems.ts';
import { systemClock } from '../../base/time.ts';
import type { Services } from '../context.ts';
import type { Database, Transaction } from '../ports/database.ts';
import type { JobKind } from '../ports/jobs.ts';
import type { Log } from '../ports/log.ts';
import { openTestServices, type TestServices } from '../testing.ts';
import { JobHost } from './host.ts';
import { openJobs, type OpenedJobs } from './jobs.ts';
import { findJob, type JobRow } from './rows.ts';
import { isEnded } from './states.ts';

export const taskModule = new URL('../drivers/misbehaving-task.fixture.ts', import.meta.url);

export type Behaviour = JsonObject & {
  do: string;
  memoryMiB?: number;
  timeoutMs?: number;
  /** Which half of the host is to fail, and how often it does. */
  failIn?: 'prepare' | 'complete' | 'complete-transaction' | 'fail';
  failTimes?: number;
  failCode?: 'unavailable' | 'file-empty' | 'bug';
};

const failures = new Map<string, number>();

function failOnPurpose(behaviour: Behaviour, half: Behaviour['failIn'], jobId: string): void {
  if (behaviour.failIn !== half) return;
  const count = (failures.get(jobId) ?? 0) + 1;
  failures.set(jobId, count);
  if (count > (behaviour.failTimes ?? Number.POSITIVE_INFINITY)) return;
  if (behaviour.failCode === 'bug') throw new TypeError('a mistake in the host half');
  throw new Problem(behaviour.failCode ?? 'file-empty', `The ${half} half was told to fail.`);
}

export const testKind: JobKind<Behaviour> = {
  name: 'test-task',
  payload: z.looseObject({ do: z.string() }) as unknown as z.ZodType<Behaviour>,
  taskModule,
  retryLimit: 2,
  async prepare(_context, behaviour, { jobId }) {
    failOnPurpose(behaviour, 'prepare', jobId);
    const { memoryMiB = 400, timeoutMs = 120_000 } = behaviour;
    return { input: behaviour, limits: { memoryBytes: memoryMiB * 1_048_576, timeoutMs } };
  },
  async complete(_context, behaviour, output, { jobId, attempt }) {
    failOnPurpose(behaviour, 'complete', jobId);
    return async (transaction) => {
      await addEffect(transaction, jobId, `succeeded ${attempt} ${JSON.stringify(output)}`);
      failOnPurpose(behaviour, 'complete-transaction', jobId);
    };
  },
  async fail(_context, behaviour, problem, { jobId }) {
    failOnPurpose(behaviour, 'fail', jobId);
    return async (transaction) => await addEffect(transaction, jobId, problem.code);
  },
};

async function addEffect(transaction: Transaction, jobId: string, what: string): Promise<void> {
  await transaction.execute(sql`insert into fixture.effects (job_id, what) values (${jobId}, ${what})`);
}

/** A server of jobs: its parts, and a host that runs what is started. */
export interface TestJobs {
  jobs: OpenedJobs;
  services: Services;
  contextFor: TestServices['contextFor'];
  startHost(): void;
  stopHost(): Promise<void>;
  /** Ends the host, and all but the database. */
  close(): Promise<void>;
}

/** Opens jobs of the test kind on a database, with work folders below `workFolder`, and starts a host. */
export async function openTestJobs(
  { database, log, workFolder }: { database: Database; log: Log; workFolder: string },
  { concurrency, stopGraceMs }: { concurrency: number; stopGraceMs: number },
): Promise<TestJobs> {
  await makeEffectsTable(database);
  const jobs = await openJobs({
    database,
    clock: systemClock,
    newId: idSource(),
    log,
    workFolder,
    kinds: [testKind],
    services: () => services,
  });
  const { services, contextFor, close } = await openTestServices({ database, jobs, log });
  let host: JobHost;
  const startHost = (): void => {
    host = new JobHost({ jobs, concurrency, stopGraceMs });
    host.start();
  };
  const stopHost = (): Promise<void> => host.stop();
  startHost();
  return {
    jobs,
    services,
    contextFor,
    startHost,
    stopHost,
    async close() {
      await stopHost();
      await jobs.close();
      await close();
    },
  };
}

/** Makes the table of effects; it is there after a restart. */
async function makeEffectsTable(database: Database): Promise<void> {
  await database.textQuery(
    null,
    `begin;
     select pg_advisory_xact_lock(7);
     create schema if not exists fixture;
     create table if not exists fixture.effects (job_id text not null, what text not null);
     grant usage on schema fixture to pilvi_tenant;
     grant all on fixture.effects to pilvi_tenant;
     commit`,
  );
}

/** What took effect for a job, in no order. */
export async function effectsOf(database: Database, jobId: string): Promise<string[]> {
  const { rows } = await database.textQuery(null, 'select what from fixture.effects where job_id = $1', [
    jobId,
  ]);
  return rows.map(({ what }) => String(what));
}

/** Starts a test job in a transaction of its own. */
export async function startTestJob(
  services: Services,
  jobs: OpenedJobs,
  behaviour: Behaviour,
  workspaceId: string,
): Promise<string> {
  const subject = { workspaceId, projectId: null, subjectId: 'subject', startedBy: 'test' };
  return await services.database.inWorkspace({ workspaceId, projectId: null }, (transaction) =>
    jobs.start(transaction, testKind, behaviour, subject),
  );
}

export async function jobRow(database: Database, jobId: string): Promise<JobRow> {
  const row = await database.asSystem('test', (transaction) => findJob(transaction, jobId));
  if (!row) throw new Error(`there is no job ${jobId}`);
  return row;
}

/** Waits until `holds` of the job's row. */
export async function until(
  database: Database,
  jobId: string,
  holds: (row: JobRow) => boolean,
): Promise<JobRow> {
  for (;;) {
    const row = await jobRow(database, jobId);
    if (holds(row)) return row;
    await sleep(25);
  }
}

export async function untilEnded(database: Database, jobId: string): Promise<JobRow> {
  return await until(database, jobId, ({ state }) => isEnded(state));
}
