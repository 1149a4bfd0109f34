// The queue on pg-boss, in the schema `pgboss` of the same database: whose turn it is, in which order, not before
// when, and that no two hosts get the same entry. It is told nothing but the ids of the job and its workspace.
//
// An entry stands for one try of one job. It is made, taken and removed in the transaction that changes the job's
// row, so that the two never disagree; what a lost host leaves behind is found by the row. pg-boss's own supervision,
// schedules and workers are therefore switched off, and with them everything that would poll.
import { PgBoss, type Db } from 'pg-boss';
import { assert } from '../../base/assert.ts';
import { dayMs, secondMs } from '../../base/time.ts';
import { scopeSettings, tenantRole } from '../database/table.ts';
import type { Database, Transaction } from '../ports/database.ts';
import type { Log } from '../ports/log.ts';

/** One try of one job, waiting or taken. */
export interface Delivery {
  id: string;
  jobId: string;
}

/** The queue. All of it happens with the transaction that is passed. */
export interface Queue {
  /** Adds an entry; it can be taken after `delayMs`. Returns its id. */
  add(
    transaction: Transaction,
    job: { jobId: string; workspaceId: string },
    delayMs?: number,
  ): Promise<string>;
  /** Takes the oldest entry that is due; the transaction runs over all workspaces. */
  take(transaction: Transaction): Promise<Delivery | undefined>;
  /** Removes an entry, taken or not. */
  remove(transaction: Transaction, deliveryId: string): Promise<void>;
  close(): Promise<void>;
}

const schema = 'pgboss';
const queueName = 'jobs';
/** Of several servers that make the tables at once all but one fail, and find them there when they try again. */
const startAttempts = 5;

/** Opens the queue; makes or migrates its tables first. Safe when several servers start at once. */
export async function openQueue({ database, log }: { database: Database; log: Log }): Promise<Queue> {
  const boss = new PgBoss({
    db: executorFor(database, null),
    backend: database.dialect,
    schema,
    supervise: false,
    schedule: false,
    registerInstance: false,
    openTelemetry: { enabled: false },
    queueCacheIntervalSeconds: dayMs / secondMs,
    bamIntervalSeconds: dayMs / secondMs,
  });
  boss.on('error', (error) => log.error({ error }, 'the job queue failed'));
  boss.on('warning', (warning) => log.warn({ warning }, 'the job queue warns'));
  await boss.start({ attempts: startAttempts });
  if ((await boss.getQueue(queueName)) === null) await boss.createQueue(queueName);
  await database.textQuery(null, letTenantsUseTheQueue);
  const inTransaction = (transaction: Transaction): { db: Db } => ({
    db: executorFor(database, transaction),
  });
  return {
    add: async (transaction, { jobId, workspaceId }, delayMs = 0) => {
      const options = { ...inTransaction(transaction), startAfter: delayMs / secondMs };
      const id = await boss.send(queueName, { jobId, workspaceId }, options);
      assert(id !== null, 'the queue took the entry');
      return id;
    },
    take: async (transaction) => {
      const [entry] = await boss.fetch<{ jobId: string }>(queueName, inTransaction(transaction));
      return entry && { id: entry.id, jobId: entry.data.jobId };
    },
    remove: async (transaction, deliveryId) => {
      await boss.deleteJob(queueName, deliveryId, inTransaction(transaction));
    },
    close: () => boss.stop({ graceful: false }),
  };
}

function executorFor(database: Database, transaction: Transaction | null): Db {
  return { executeSql: (text, values) => database.textQuery(transaction, text, values) };
}

// Jobs are started and ended in transactions of a workspace, whose role may touch the entries of its workspace only.
const letTenantsUseTheQueue = `
do $$
begin
  if exists (select from pg_policies where schemaname = '${schema}' and tablename = 'job_common')
    and has_table_privilege('${tenantRole.name}', '${schema}.job_common', 'delete') then return;
  end if;
  perform pg_advisory_xact_lock(hashtext('pilvi job queue'));
  grant usage on schema ${schema} to ${tenantRole.name};
  grant select on ${schema}.queue to ${tenantRole.name};
  grant select, insert, delete on ${schema}.job_common to ${tenantRole.name};
  if not exists (select from pg_policies where schemaname = '${schema}' and tablename = 'job_common') then
    alter table ${schema}.job_common enable row level security;
    create policy tenant on ${schema}.job_common to ${tenantRole.name}
      using (data->>'workspaceId' = current_setting('${scopeSettings.workspaceId}', true));
  end if;
end
$$`;
