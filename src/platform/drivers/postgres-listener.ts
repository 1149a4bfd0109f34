// Notifications from a Postgres server: one connection of its own that listens to all channels, and is opened anew
// when it is lost. What was notified meanwhile is lost too, so that everyone is woken once after a reconnection.
import pg from 'pg';
import { secondMs } from '../../base/time.ts';
import type { Database } from '../ports/database.ts';
import type { Log } from '../ports/log.ts';

const reconnectDelayMs = 2 * secondMs;

export interface Listener {
  listen: Database['listen'];
  close(): Promise<void>;
}

/** A listener that connects when the first channel is asked for. */
export function openListener({ url, log }: { url: string; log: Log }): Listener {
  const wakers = new Map<string, Set<(payload: string) => void>>();
  let client: Promise<pg.Client> | undefined;
  let retry: NodeJS.Timeout | undefined;
  let isClosed = false;

  async function connect(): Promise<pg.Client> {
    const fresh = new pg.Client({
      connectionString: url,
      application_name: 'pilvi: listen',
      keepAlive: true,
    });
    fresh.on('notification', ({ channel, payload }) => wakeAll(channel, payload ?? ''));
    fresh.on('error', (error) => log.warn({ error }, 'notification connection lost'));
    fresh.once('end', reconnectLater);
    await fresh.connect();
    for (const channel of wakers.keys()) await listenOn(fresh, channel);
    return fresh;
  }

  function reconnectLater(): void {
    if (isClosed || retry) return;
    retry = setTimeout(() => {
      retry = undefined;
      client = connect();
      client.then(() => {
        for (const channel of wakers.keys()) wakeAll(channel, '');
      }, reconnectLater);
    }, reconnectDelayMs);
    retry.unref();
  }

  function wakeAll(channel: string, payload: string): void {
    for (const wake of wakers.get(channel) ?? []) wake(payload);
  }

  return {
    listen: async (channel, wake) => {
      const others = wakers.get(channel);
      if (others) others.add(wake);
      else {
        wakers.set(channel, new Set([wake]));
        client ??= connect();
        // A server that is away is no failure: the channel is listened to once it is back.
        await client.then((ready) => listenOn(ready, channel)).catch(reconnectLater);
      }
      return async () => void wakers.get(channel)?.delete(wake);
    },
    close: async () => {
      isClosed = true;
      clearTimeout(retry);
      await client?.then((ready) => ready.end()).catch(() => {});
    },
  };
}

async function listenOn(client: pg.Client, channel: string): Promise<void> {
  await client.query(`listen ${pg.escapeIdentifier(channel)}`);
}
