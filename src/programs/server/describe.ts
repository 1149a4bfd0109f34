// GET /server: what this installation is and takes.
import { getServer } from '../../contract/server.ts';
import type { Services } from '../../platform/context.ts';
import { route, type Route } from '../../platform/http/route.ts';
import type { Configuration } from '../configuration.ts';
import { version } from '../version.ts';

export function serverRoute(
  configuration: Configuration,
  { database, mail, limits }: Pick<Services, 'database' | 'mail' | 'limits'>,
): Route {
  const { maxUploadBytes, maxColumns, maxPredictionRows, maxQuerySeconds, maxQueryRows } = limits;
  return route(getServer, async () => ({
    version,
    database: database.dialect,
    blobs: configuration.S3_BUCKET === undefined ? ('files' as const) : ('s3' as const),
    sendsMail: mail.isOn,
    limits: { maxUploadBytes, maxColumns, maxPredictionRows, maxQuerySeconds, maxQueryRows },
  }));
}
