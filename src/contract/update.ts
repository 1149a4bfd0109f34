// Automatic updates: an endpoint is kept fresh. When something happens that makes its model old (new data, an alert, a new
// engine, time), the model is trained again by the same recipe, has to pass the gate, and takes over; or it is said why not.
import { z } from 'zod';
import { idParam, isoTime, microUsd, operation, page, pageQuery } from './operation.ts';
import { releaseStrategy } from './release.ts';

const tag = 'Update';

const measures = ['moved-columns', 'answers', 'attributions', 'quality', 'performance', 'coverage'] as const;

export const updateSettings = z
  .object({
    isOn: z.boolean().describe('Whether triggers start updates. Somebody can always start one.'),
    onNewData: z.boolean().describe('When the dataset of the model gets a new version.'),
    onAlerts: z
      .array(z.enum(measures))
      .max(measures.length)
      .describe('When one of these alerts of monitoring opens, and while it is open when a report is ready.'),
    onNewEngine: z
      .boolean()
      .describe(
        'When Pilvi learned to learn better. The model that answers keeps its bits until another takes over.',
      ),
    everyHours: z.number().int().min(1).max(8784).nullable().describe('Null: not by the clock.'),
    restHours: z
      .number()
      .min(0)
      .max(8784)
      .describe(
        'So long after an update was started no trigger starts another; what happens meanwhile waits.',
      ),
    maxMicroUsdPerRun: microUsd
      .min(0)
      .nullable()
      .describe('An update whose training could cost more is not begun. Null: what the recipe allows.'),
    takesOver: z
      .object({
        strategy: releaseStrategy.refine(({ kind }) => kind !== 'challenger', {
          message: 'must come to an end by itself: a challenger stays until somebody decides',
          path: ['kind'],
        }),
        leastRequests: z
          .number()
          .int()
          .min(0)
          .max(1_000_000)
          .describe('It answers so many requests in each step, however long that takes.'),
      })
      .describe('How the new version takes over: by a release, which takes it back when it is worse.'),
  })
  .meta({ id: 'UpdateSettings' });

export const updateTrigger = z.object({
  kind: z.enum(['person', 'new-data', 'alert', 'new-engine', 'schedule']),
  words: z.string(),
  at: isoTime,
});

export const updatePolicy = z
  .object({
    endpointId: z.string(),
    settings: updateSettings,
    nextAt: isoTime.nullable().describe('By the clock.'),
    restsUntil: isoTime.nullable(),
    waiting: updateTrigger
      .nullable()
      .describe('What starts an update as soon as none runs and the rest is over.'),
  })
  .meta({ id: 'UpdatePolicy' });

const versionLabel = z.object({
  modelVersionId: z.string(),
  modelName: z.string(),
  versionNumber: z.number().int(),
});

export const updateStates = [
  'starting',
  'training',
  'comparing',
  'releasing',
  'promoted',
  'held-back',
  'skipped',
  'failed',
  'cancelled',
  'taken-back',
] as const;

export const update = z
  .object({
    id: z.string(),
    endpointId: z.string(),
    state: z
      .enum(updateStates)
      .describe(
        'held-back: the gate, or a release, did not let the new version through. skipped: there was nothing to learn. taken-back: somebody put the former versions back.',
      ),
    trigger: updateTrigger,
    former: versionLabel.describe('Which answered when it began.'),
    candidate: versionLabel.nullable(),
    trainingId: z.string().nullable(),
    comparisonId: z.string().nullable(),
    releaseId: z.string().nullable(),
    reasons: z.array(z.string()).describe('Why it ended as it did, in plain words.'),
    steps: z
      .array(z.object({ state: z.enum(updateStates), words: z.string(), at: isoTime }))
      .describe('Everything that was done, oldest first.'),
    startedBy: z.string(),
    createdAt: isoTime,
    endedAt: isoTime.nullable(),
  })
  .meta({ id: 'Update' });

const endpointParams = idParam('endpointId');
const updateParams = idParam('updateId');

export const getUpdatePolicy = operation({
  operationId: 'getUpdatePolicy',
  method: 'get',
  path: '/endpoints/{endpointId}/update-policy',
  summary: 'When an endpoint is updated by itself',
  tag,
  policy: 'prediction:read',
  request: { params: endpointParams },
  response: { status: 200, json: updatePolicy },
  problems: ['not-found'],
});

export const setUpdatePolicy = operation({
  operationId: 'setUpdatePolicy',
  method: 'patch',
  path: '/endpoints/{endpointId}/update-policy',
  summary: 'Change when an endpoint is updated by itself; what is left out stays as it is',
  tag,
  policy: 'endpoint:write',
  request: { params: endpointParams, json: updateSettings.partial() },
  response: { status: 200, json: updatePolicy },
  problems: ['not-found'],
});

export const startUpdate = operation({
  operationId: 'startUpdate',
  method: 'post',
  path: '/endpoints/{endpointId}/updates',
  summary: 'Update now: train again on the newest data, compare, and let the new version take over if it may',
  tag,
  policy: 'endpoint:write',
  request: { params: endpointParams },
  response: { status: 202, json: update },
  problems: ['not-found', 'wrong-state', 'endpoint-not-ready'],
});

export const listUpdates = operation({
  operationId: 'listUpdates',
  method: 'get',
  path: '/endpoints/{endpointId}/updates',
  summary: 'The updates of an endpoint, newest first',
  tag,
  policy: 'prediction:read',
  request: { params: endpointParams, query: pageQuery },
  response: { status: 200, json: page(update) },
  problems: ['not-found'],
});

export const getUpdate = operation({
  operationId: 'getUpdate',
  method: 'get',
  path: '/updates/{updateId}',
  summary: 'One update with its steps',
  tag,
  policy: 'prediction:read',
  request: { params: updateParams },
  response: { status: 200, json: update },
  problems: ['not-found'],
});

export const cancelUpdate = operation({
  operationId: 'cancelUpdate',
  method: 'post',
  path: '/updates/{updateId}/cancel',
  summary: 'End an update that runs; its training ends too, and nothing is promoted',
  tag,
  policy: 'endpoint:write',
  request: { params: updateParams },
  response: { status: 200, json: update },
  problems: ['not-found', 'wrong-state'],
});

export const takeBackUpdate = operation({
  operationId: 'takeBackUpdate',
  method: 'post',
  path: '/updates/{updateId}/take-back',
  summary: 'Put back the versions that answered before an update was promoted',
  tag,
  policy: 'endpoint:write',
  request: { params: updateParams },
  response: { status: 200, json: update },
  problems: ['not-found', 'wrong-state', 'invalid-request', 'signing-key-withdrawn'],
});
