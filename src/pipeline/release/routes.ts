// The addresses of releases.
import * as operations from '../../contract/release.ts';
import { route, type Route } from '../../platform/http/route.ts';
import {
  approveRelease,
  getRelease,
  listReleases,
  pauseRelease,
  promoteRelease,
  resumeRelease,
  rollBackRelease,
  startRelease,
} from './release.ts';

export const releaseRoutes: Route[] = [
  route(operations.startRelease, (context, { endpointId, body }) =>
    startRelease(context, { endpointId, ...body }),
  ),
  route(operations.listReleases, (context, input) => listReleases(context, input)),
  route(operations.getRelease, (context, { releaseId }) => getRelease(context, releaseId)),
  route(operations.approveRelease, (context, { releaseId, body }) =>
    approveRelease(context, releaseId, body),
  ),
  route(operations.pauseRelease, (context, { releaseId, body }) => pauseRelease(context, releaseId, body)),
  route(operations.resumeRelease, (context, { releaseId, body }) => resumeRelease(context, releaseId, body)),
  route(operations.promoteRelease, (context, { releaseId, body }) =>
    promoteRelease(context, releaseId, body),
  ),
  route(operations.rollBackRelease, (context, { releaseId, body }) =>
    rollBackRelease(context, releaseId, body),
  ),
];
