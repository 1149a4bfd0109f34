// A Postgres server (`DATABASE_URL`), 15 or newer, through `pg`. A lost connection fails the transactions on it with
// `unavailable`; the next ones open new connections by themselves.
import pg from 'pg';
import { minuteMs, secondMs } from '../../base/time.ts';
import { createDatabase } from '../database/database.ts';
import { asDatabaseError } from '../database/errors.ts';
import { migrateDatabase } from '../database/migrate.ts';
import type { Database } from '../ports/database.ts';
import type { Log } from '../ports/log.ts';
import { openListener } from './postgres-listener.ts';

export interface PostgresOptions {
  /** As in libpq: `postgres://user:password@host:port/database?sslmode=...`. */
  url: string;
  log: Log;
  /** Connections that this process opens at most; one more listens for notifications. */
  maxConnectionCount?: number;
}

/** Connects and migrates. Throws `unavailable` when the server does not answer, or `database-unusable`. */
export async function openPostgres({
  url,
  log,
  maxConnectionCount = 10,
}: PostgresOptions): Promise<Database> {
  const pool = new pg.Pool({
    connectionString: url,
    max: maxConnectionCount,
    application_name: 'pilvi',
    connectionTimeoutMillis: 10 * secondMs,
    keepAlive: true,
    // Transactions hold no slow work: what takes this long is stuck and would hold its locks for ever.
    statement_timeout: minuteMs,
    idle_in_transaction_session_timeout: minuteMs,
  });
  pool.on('connect', (client) =>
    client.on('error', (error) => log.warn({ error }, 'database connection lost')),
  );
  pool.on('error', () => {}); // Logged by the client's own listener.
  try {
    await migrateOver(url);
  } catch (error) {
    await pool.end();
    throw asDatabaseError(error);
  }
  const listener = openListener({ url, log });
  return createDatabase({
    dialect: 'postgres',
    pool,
    log,
    listen: listener.listen,
    close: async () => {
      await listener.close();
      await pool.end();
    },
  });
}

/** Migrates over a connection of its own, which may wait for other servers and take its time. */
async function migrateOver(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10 * secondMs });
  client.on('error', () => {}); // The query under way fails with the same error.
  try {
    await client.connect();
    await migrateDatabase(client);
  } finally {
    await client.end();
  }
}
