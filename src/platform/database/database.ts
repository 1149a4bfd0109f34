// The database port over a pool of Postgres connections. Both drivers share it: the embedded database speaks the
// same wire protocol (drivers/pglite.ts), so that types, errors and rollback are the same from laptop to cluster.
//
// A workspace's transaction takes the role `pilvi_tenant` and its scope in one statement; both end with the
// transaction, because they are set locally, so that a pooled connection never carries a scope to its next user.
import { AsyncLocalStorage } from 'node:async_hooks';
import { sql } from 'drizzle-orm';
import { drizzle, type NodePgClient } from 'drizzle-orm/node-postgres';
import { assert, present } from '../../base/assert.ts';
import { secondMs } from '../../base/time.ts';
import type { Database, Scope, TextQueryResult, Transaction } from '../ports/database.ts';
import type { Log } from '../ports/log.ts';
import { asDatabaseError } from './errors.ts';
import { scopeSettings, tenantRole } from './table.ts';

/** Transactions that are open for longer are named in the log: they hold no slow work. */
const slowTransactionMs = 1 * secondMs;

/** A pool of the `pg` package, and one connection, from a pool or not. */
export type ConnectionPool = Extract<NodePgClient, { idleCount: number }>;
export type Connection = Exclude<NodePgClient, ConnectionPool>;

/** What a driver brings. */
export interface DatabaseParts {
  dialect: Database['dialect'];
  pool: ConnectionPool;
  listen: Database['listen'];
  close: Database['close'];
  log: Log;
}

/** The port over `parts`, whose database is migrated and ready. */
export function createDatabase({ dialect, pool, listen, close, log }: DatabaseParts): Database {
  const current = new AsyncLocalStorage<{ open: boolean }>();
  const clients = new WeakMap<Transaction, Connection>();

  async function run<T>(
    reason: string,
    settings: Record<string, string>,
    work: (transaction: Transaction) => Promise<T>,
  ): Promise<T> {
    assertNotNested();
    const started = { open: true };
    const startMs = performance.now();
    try {
      return await current.run(started, () =>
        inTransaction(pool, async (transaction, client) => {
          clients.set(transaction, client);
          await transaction.execute(setLocally(settings));
          return work(transaction);
        }),
      );
    } catch (error) {
      throw asDatabaseError(error);
    } finally {
      started.open = false;
      const durationMs = Math.round(performance.now() - startMs);
      if (durationMs > slowTransactionMs) log.warn({ reason, durationMs }, 'slow transaction');
    }
  }

  // Work that a transaction started and nobody waited for still has the store: an ended one does not count.
  function assertNotNested(): void {
    assert(
      !current.getStore()?.open,
      'a transaction was started inside another; pass the open one down instead',
    );
  }

  return {
    dialect,
    inWorkspace: async ({ workspaceId, projectId }: Scope, work) => {
      assert(workspaceId !== '', 'a scope names a workspace');
      const settings = {
        role: tenantRole.name,
        [scopeSettings.workspaceId]: workspaceId,
        [scopeSettings.projectId]: projectId ?? '',
      };
      return run(`workspace ${workspaceId}`, settings, work);
    },
    asSystem: async (reason, work) => run(reason, { application_name: `pilvi: ${reason}` }, work),
    textQuery: async (transaction, text, values) => {
      if (transaction === null) assertNotNested();
      const client = transaction === null ? pool : present(clients.get(transaction), 'open transaction');
      try {
        return asTextResult(await client.query(text, values));
      } catch (error) {
        throw asDatabaseError(error);
      }
    },
    listen,
    ping: async () => {
      assertNotNested();
      try {
        await pool.query('select 1');
      } catch (error) {
        throw asDatabaseError(error);
      }
    },
    close,
  };
}

async function inTransaction<T>(
  pool: ConnectionPool,
  work: (transaction: Transaction, client: Connection) => Promise<T>,
): Promise<T> {
  const client = await pool.connect();
  // Undoing fails as well when the connection is lost; what went wrong first is what counts.
  let failure: { first: unknown } | undefined;
  try {
    return await drizzle(client).transaction((transaction) =>
      work(transaction, client).catch((error: unknown) => {
        failure = { first: error };
        throw error;
      }),
    );
  } catch (error) {
    throw failure ? failure.first : error;
  } finally {
    client.release();
  }
}

/** `set local` of each setting, in one statement with parameters; the role is a setting like the others. */
function setLocally(settings: Record<string, string>) {
  const calls = Object.entries(settings).map(([name, value]) => sql`set_config(${name}, ${value}, true)`);
  return sql`select ${sql.join(calls, sql`, `)}`;
}

interface QueryAnswer {
  rows: Record<string, unknown>[];
  rowCount: number | null;
}

function asTextResult(result: QueryAnswer | QueryAnswer[]): TextQueryResult {
  const answers = [result].flat();
  const rows = answers.flatMap((answer) => answer.rows);
  return { rows, rowCount: answers.at(-1)?.rowCount ?? rows.length };
}
