// A worker: runs jobs and reactions beside the servers that share its database and files, and answers nobody.
import { Problem } from '../../base/problems.ts';
import type { Configuration } from '../configuration.ts';
import { openRuntime } from '../runtime.ts';
import { openOutside } from '../services.ts';

/**
 * Starts a worker. Throws `configuration-invalid` with the embedded database, which only one process can open.
 * @returns what ends it: running jobs are given a moment, then handed back.
 */
export async function startWorker(configuration: Configuration): Promise<{ stop(): Promise<void> }> {
  if (configuration.DATABASE_URL === undefined) {
    throw new Problem(
      'configuration-invalid',
      'A worker shares the database of a server, and the embedded one can only be opened once. Set DATABASE_URL to your Postgres; a server with the embedded database runs its jobs itself.',
      { errors: [{ field: 'DATABASE_URL', message: 'must be set' }] },
    );
  }
  await using opened = new AsyncDisposableStack();
  await openRuntime(configuration, await openOutside(configuration, opened), opened);
  const running = opened.move();
  return { stop: () => running.disposeAsync() };
}
