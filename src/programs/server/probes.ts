// /healthz: the process answers. /readyz: it can do its work, that is, the database and the blob store answer.
import type { Hono } from 'hono';
import type { Services } from '../../platform/context.ts';

export function serveProbes(
  app: Pick<Hono, 'get'>,
  { database, blobs, log }: Pick<Services, 'database' | 'blobs' | 'log'>,
): void {
  app.get('/healthz', (http) => http.json({ status: 'ok' }));
  app.get('/readyz', async (http) => {
    try {
      await Promise.all([database.ping(), blobs.ping()]);
      return http.json({ status: 'ready' });
    } catch (error) {
      log.warn({ error }, 'not ready');
      return http.json({ status: 'not ready' }, 503);
    }
  });
}
