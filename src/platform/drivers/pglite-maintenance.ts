// What a Postgres server's background processes do, for the embedded database, which has none: checkpoints, so that
// the write-ahead log and the time of recovery stay small, and vacuum, so that changed tables do.
import type pg from 'pg';
import { minuteMs } from '../../base/time.ts';
import type { Log } from '../ports/log.ts';

const intervalMs = minuteMs;
const maxWalBytes = 32 * 1_048_576;
/** As autovacuum: this many rows, and this share of the table (autovacuum_vacuum_threshold, _scale_factor). */
const vacuumRule = 'n_dead_tup > 500 + 0.2 * n_live_tup or n_mod_since_analyze > 500 + 0.2 * n_live_tup';

/** Looks after the database behind `pool` every minute, until the returned function is called. */
export function startMaintenance(pool: pg.Pool, log: Log): () => Promise<void> {
  let running = Promise.resolve();
  const timer = setInterval(() => {
    running = maintain(pool).catch((error: unknown) => log.warn({ error }, 'database maintenance failed'));
  }, intervalMs);
  timer.unref();
  return async () => {
    clearInterval(timer);
    await running;
  };
}

/** One round: each statement on its own, so that others get their turn in between. */
export async function maintain(pool: pg.Pool): Promise<void> {
  // What has changed is counted with some delay otherwise.
  await pool.query('select pg_stat_force_next_flush()');
  const { rows: wornTables } = await pool.query<{ name: string }>(
    `select format('%I.%I', schemaname, relname) as name from pg_stat_user_tables where ${vacuumRule}`,
  );
  for (const { name } of wornTables) await pool.query(`vacuum (analyze) ${name}`);
  const { rows } = await pool.query<{ bytes: string }>(
    'select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), redo_lsn) as bytes from pg_control_checkpoint()',
  );
  if (Number(rows[0]?.bytes) > maxWalBytes) await pool.query('checkpoint');
}
