// Jobs: background work, watched while it runs.
import { z } from 'zod';
import { idParam, isoTime, operation, page, pageQuery } from './operation.ts';
import { problemSchema } from './problem.ts';

const tag = 'Job';

export const jobStates = ['queued', 'running', 'succeeded', 'failed', 'cancelled'] as const;
export type JobState = (typeof jobStates)[number];

export const job = z
  .object({
    id: z.string(),
    kind: z.string().describe('dataset-import, training, ...'),
    state: z.enum(jobStates),
    projectId: z.string().nullable(),
    subjectId: z.string().describe('The dataset version or training that it works for.'),
    attempt: z.number().int().describe('How often it was started; above 1 after a worker was lost.'),
    progress: z.object({ share: z.number(), message: z.string() }),
    problem: problemSchema.nullable(),
    createdAt: isoTime,
    startedAt: isoTime.nullable(),
    finishedAt: isoTime.nullable(),
  })
  .meta({ id: 'Job' });

/** One event of a job. `name` is `state`, `progress`, or one of the kind's own (a training's are in training.ts). */
export const jobEvent = z
  .object({
    sequence: z.number().int(),
    at: isoTime,
    name: z.string(),
    data: z.record(z.string(), z.unknown()),
  })
  .meta({ id: 'JobEvent' });

export const listJobs = operation({
  operationId: 'listJobs',
  method: 'get',
  path: '/jobs',
  summary: 'Jobs, newest first',
  tag,
  policy: 'job:read',
  request: {
    query: pageQuery.extend({
      state: z.enum(jobStates).optional(),
      subjectId: z.string().max(64).optional(),
      projectId: z.string().max(64).optional(),
    }),
  },
  response: { status: 200, json: page(job) },
  problems: [],
});

export const getJob = operation({
  operationId: 'getJob',
  method: 'get',
  path: '/jobs/{jobId}',
  summary: 'One job',
  tag,
  policy: 'job:read',
  request: { params: idParam('jobId') },
  response: { status: 200, json: job },
  problems: ['not-found'],
});

export const watchJob = operation({
  operationId: 'watchJob',
  method: 'get',
  path: '/jobs/{jobId}/events',
  summary: 'The events of a job as they happen; resumes after Last-Event-ID, ends after the final state',
  tag,
  policy: 'job:read',
  request: {
    params: idParam('jobId'),
    query: z.object({ after: z.coerce.number().int().min(0).optional() }),
  },
  response: { status: 200, events: jobEvent },
  problems: ['not-found'],
});

export const cancelJob = operation({
  operationId: 'cancelJob',
  method: 'post',
  path: '/jobs/{jobId}/cancel',
  summary: 'Ask a job to end',
  tag,
  policy: 'job:cancel',
  request: { params: idParam('jobId') },
  response: { status: 202, json: job },
  problems: ['not-found'],
});
