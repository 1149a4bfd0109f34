// The embedded database: PGlite, Postgres compiled to WebAssembly, in a folder or in memory. One process, one
// session; transactions take turns. Committed rows survive `kill -9` (tests: pglite.test.ts).
//
// The ordinary `pg` client talks to it through a stream that hands its bytes to the engine, so that everything above
// the wire (types, errors, drizzle) is the same code as with a Postgres server.
import { EventEmitter } from 'node:events';
import { mkdirSync, readdirSync } from 'node:fs';
import pg from 'pg';
import { Problem } from '../../base/problems.ts';
import { secondMs } from '../../base/time.ts';
import { createDatabase } from '../database/database.ts';
import { migrateDatabase } from '../database/migrate.ts';
import type { Database } from '../ports/database.ts';
import type { Log } from '../ports/log.ts';
import { lockFolder } from './folder-lock.ts';
import { PgliteEngine } from './pglite-engine.ts';
import { startMaintenance } from './pglite-maintenance.ts';
import { PgliteStream } from './pglite-stream.ts';

export interface PgliteOptions {
  /** Where the database lives; `memory` forgets it at the end. */
  storage: { folder: string } | 'memory';
  log: Log;
  /** A data folder as a tar file to begin with where there is none: saves the seconds that making one takes. */
  template?: Blob;
}

/**
 * Opens the embedded database and migrates it. Throws `data-folder-in-use` or `database-unusable`. When it returns its
 * promise, the engine is starting in its thread, whatever keeps this one busy.
 */
export async function openPglite({ storage, log, template }: PgliteOptions): Promise<Database> {
  const folder = storage === 'memory' ? null : storage.folder;
  const unlock = folder === null ? () => {} : prepareFolder(folder);
  const engine = new PgliteEngine({ folder, template: template ?? null });
  try {
    await engine.running().catch(cannotStart);
    return await connect(engine, unlock, log);
  } catch (error) {
    await engine.close();
    unlock();
    throw error;
  }
}

/** A migrated, empty data folder as a tar file: a `template` for later databases. */
export async function makePgliteTemplate(): Promise<Blob> {
  const engine = new PgliteEngine({ folder: null, template: null });
  try {
    const client = new pg.Client({ stream: () => new PgliteStream(engine), user: 'postgres' });
    await client.connect();
    await migrateDatabase(client).finally(() => client.end());
    return await (await engine.running()).dump();
  } finally {
    await engine.close();
  }
}

async function connect(engine: PgliteEngine, unlock: () => void, log: Log): Promise<Database> {
  const channels = new Set<string>();
  const notifications = new EventEmitter().setMaxListeners(0);
  const pool = new pg.Pool({
    stream: () => new PgliteStream(engine, channels),
    user: 'postgres',
    max: 1,
    idleTimeoutMillis: 0,
    connectionTimeoutMillis: 30 * secondMs,
  });
  pool.on('connect', (client) => {
    client.on('notification', ({ channel, payload }) => notifications.emit(channel, payload ?? ''));
    client.on('error', (error) =>
      log.error({ error }, 'embedded database stopped; it is started again when needed'),
    );
  });
  pool.on('error', () => {}); // Logged by the client's own listener.
  const client = await pool.connect();
  await migrateDatabase(client).finally(() => client.release());
  const stopMaintenance = startMaintenance(pool, log);
  return createDatabase({
    dialect: 'pglite',
    pool,
    log,
    listen: async (channel, wake) => {
      notifications.on(channel, wake);
      channels.add(channel);
      await pool.query(`listen ${pg.escapeIdentifier(channel)}`);
      return async () => void notifications.off(channel, wake);
    },
    close: async () => {
      await stopMaintenance();
      await pool.end();
      await engine.close();
      unlock();
    },
  });
}

/** Locks the folder, which holds a database, or nothing. */
function prepareFolder(folder: string): () => void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const names = readdirSync(folder);
  if (names.length > 0 && !names.includes('PG_VERSION')) {
    throw new Problem(
      'database-unusable',
      'The folder of the database holds other files; it was left alone.',
    );
  }
  return lockFolder(folder);
}

function cannotStart(cause: unknown): never {
  const detail = 'The embedded database cannot be started: its folder is damaged or of another version.';
  throw new Problem('database-unusable', detail, { cause });
}
