// The embedded database: PGlite, Postgres compiled to WebAssembly, in a folder or in memory. One process, one
// connection; transactions take turns. Committed rows survive `kill -9` (tests: pglite.test.ts).
//
// The ordinary `pg` client talks to it through a stream that hands its bytes to the engine (pglite-stream.ts), so
// that everything above the wire (types, errors, drizzle) is the same code as with a Postgres server.
import { EventEmitter } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import pg from 'pg';
import { secondMs } from '../../base/time.ts';
import { createDatabase } from '../database/database.ts';
import { migrateDatabase } from '../database/migrate.ts';
import type { Database } from '../ports/database.ts';
import type { Log } from '../ports/log.ts';
import { lockFolder } from './folder-lock.ts';
import { PgliteStream } from './pglite-stream.ts';

export interface PgliteOptions {
  /** Where the database lives; `memory` forgets it at the end. */
  storage: { folder: string } | 'memory';
  log: Log;
  /** A data folder as a tar file to begin with where there is none: saves the seconds that making one takes. */
  template?: Blob;
}

/** Opens the embedded database and migrates it. Throws `data-folder-in-use` or `database-unusable`. */
export async function openPglite({ storage, log, template }: PgliteOptions): Promise<Database> {
  const unlock = storage === 'memory' ? async () => {} : await lockNewFolder(storage.folder);
  let engine: PGlite | undefined;
  try {
    engine = new PGlite(engineOptions(storage, template));
    await engine.waitReady;
    return await connect(engine, unlock, log);
  } catch (error) {
    await engine?.close();
    await unlock();
    throw error;
  }
}

/** A migrated, empty data folder as a tar file: a `template` for later databases. */
export async function makePgliteTemplate(): Promise<Blob> {
  const engine = new PGlite(engineOptions('memory', undefined));
  try {
    await engine.waitReady;
    const client = new pg.Client({ stream: () => new PgliteStream(engine), user: 'postgres' });
    await client.connect();
    await migrateDatabase(client).finally(() => client.end());
    return await engine.dumpDataDir('none');
  } finally {
    await engine.close();
  }
}

async function connect(engine: PGlite, unlock: () => Promise<void>, log: Log): Promise<Database> {
  const notifications = new EventEmitter().setMaxListeners(0);
  const pool = new pg.Pool({
    stream: () => new PgliteStream(engine),
    user: 'postgres',
    max: 1,
    idleTimeoutMillis: 0,
    connectionTimeoutMillis: 30 * secondMs,
  });
  pool.on('connect', (client) => {
    client.on('notification', ({ channel, payload }) => notifications.emit(channel, payload ?? ''));
    client.on('error', (error) => log.error({ error }, 'embedded database failed'));
  });
  pool.on('error', () => {}); // Logged by the client's own listener.
  const client = await pool.connect();
  await migrateDatabase(client).finally(() => client.release());
  return createDatabase({
    dialect: 'pglite',
    pool,
    log,
    listen: async (channel, wake) => {
      notifications.on(channel, wake);
      await pool.query(`listen ${pg.escapeIdentifier(channel)}`);
      return async () => void notifications.off(channel, wake);
    },
    close: async () => {
      await pool.end();
      await engine.close();
      await unlock();
    },
  });
}

async function lockNewFolder(folder: string): Promise<() => Promise<void>> {
  await mkdir(dirname(folder), { recursive: true, mode: 0o700 });
  return lockFolder(folder);
}

function engineOptions(storage: PgliteOptions['storage'], template: Blob | undefined) {
  if (storage === 'memory') return { dataDir: 'memory://', ...(template && { loadDataDir: template }) };
  const isNew = !existsSync(join(storage.folder, 'PG_VERSION'));
  return { dataDir: storage.folder, ...(template && isNew && { loadDataDir: template }) };
}
