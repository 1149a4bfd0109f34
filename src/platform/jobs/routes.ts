// The routes of jobs.
import { cancelJob, getJob, listJobs, watchJob } from '../../contract/job.ts';
import { route, type Exchange, type Route } from '../http/route.ts';
import * as jobs from './jobs.ts';

export const jobRoutes: Route[] = [
  route(listJobs, (context, input) => jobs.listJobs(context, input)),
  route(getJob, (context, { jobId }) => jobs.getJob(context, jobId)),
  route(watchJob, (context, { jobId, after }, exchange) =>
    jobs.watchJobEvents(context, jobId, lastEventId(exchange) ?? after),
  ),
  route(cancelJob, (context, { jobId }) => jobs.cancelJob(context, jobId)),
];

/** Where a client that lost its connection was (the Last-Event-ID header of server-sent events). */
export function lastEventId(exchange: Exchange): number | undefined {
  const text = exchange.requestHeader('last-event-id') ?? '';
  return /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}
