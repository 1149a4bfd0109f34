// Releases: how a model version is brought to an endpoint step by step, watched, and taken back when it is worse. One at a
// time for each endpoint; while it runs nothing else can be deployed there.
import { z } from 'zod';
import { idParam, isoTime, operation, page, pageQuery } from './operation.ts';

const tag = 'Release';

const share = z.number().gt(0).max(1);
const bakingMinutes = z
  .number()
  .min(0)
  .max(43_200)
  .describe('How long a step is watched before the next one. Time in which no server runs does not count.');

export const releaseStrategy = z
  .discriminatedUnion('kind', [
    z.object({
      kind: z.literal('all-at-once'),
      bakingMinutes: bakingMinutes.default(30),
    }),
    z.object({
      kind: z.literal('canary'),
      steps: z
        .array(z.object({ trafficShare: share, bakingMinutes }))
        .min(1)
        .max(20)
        .describe(
          'Shares of the traffic, each larger than the one before. After the last one it gets all of it.',
        ),
    }),
    z.object({
      kind: z.literal('linear'),
      stepCount: z
        .number()
        .int()
        .min(2)
        .max(50)
        .describe('So many equal steps; the last one is all of the traffic.'),
      bakingMinutes,
    }),
    z.object({
      kind: z.literal('shadow'),
      trafficShare: share.default(1).describe('The share of requests that are copied.'),
      bakingMinutes,
    }),
    z.object({
      kind: z.literal('challenger'),
      role: z.enum(['shadow', 'live']).describe('shadow: is asked copies. live: answers its share.'),
      trafficShare: share,
    }),
  ])
  .describe(
    'all-at-once: gets all of the traffic; the former version stays ready. canary: small shares first. linear: equal steps. shadow: answers copies of the requests, which nobody sees, before it gets all of the traffic. challenger: stays beside the current version until somebody decides.',
  )
  .meta({ id: 'ReleaseStrategy' });

const toleratedExtraShare = z.number().min(0).max(1);

export const releaseGuard = z
  .object({
    falseAlarmShare: z
      .number()
      .min(0.0001)
      .max(0.2)
      .default(0.01)
      .describe(
        'Of releases whose version is as good as the current one, at most this share is stopped by mistake, however often and long they are watched.',
      ),
    leastRequests: z
      .number()
      .int()
      .min(0)
      .max(1_000_000)
      .default(50)
      .describe(
        'The version answers so many requests in a step before the next one, and before it is judged.',
      ),
    onAlarm: z.enum(['roll-back', 'pause']).default('roll-back'),
    errors: z
      .object({ toleratedExtraShare: toleratedExtraShare.default(0.005) })
      .nullable()
      .default({ toleratedExtraShare: 0.005 })
      .describe(
        'Requests that it fails or refuses: so many more than the current version, of all, are tolerated. null: any.',
      ),
    latency: z
      .object({
        slowerThanMs: z
          .number()
          .min(0.5)
          .max(10_000)
          .nullable()
          .default(null)
          .describe(
            'Such answers are slow. null: those slower than 99 of 100 answers of the current version.',
          ),
        toleratedExtraShare: toleratedExtraShare.default(0.05),
      })
      .nullable()
      .default({ slowerThanMs: null, toleratedExtraShare: 0.05 })
      .describe('Slow answers: so many more, of all, are tolerated. null: any.'),
    quality: z
      .object({ toleratedExtraShare: toleratedExtraShare.default(0.02) })
      .nullable()
      .default({ toleratedExtraShare: 0.02 })
      .describe(
        'Where outcomes arrive: so many more mistakes, or answers far off, are tolerated. null: any.',
      ),
    answers: z
      .object({ toleratedShift: z.number().min(0).max(1).default(0.25) })
      .nullable()
      .default({ toleratedShift: 0.25 })
      .describe(
        'So much of its answers may be spread otherwise than those of the current version. null: all.',
      ),
  })
  .meta({ id: 'ReleaseGuard' });

export const releaseApprovals = z
  .object({
    count: z.number().int().min(0).max(5).default(0).describe('So many people approve it; 0: nobody has to.'),
    before: z
      .enum(['first-step', 'all-traffic'])
      .default('first-step')
      .describe('What waits for them: the whole release, or only that it gets all of the traffic.'),
    notByStarter: z.boolean().default(false).describe('Whoever started it may not approve it.'),
  })
  .meta({ id: 'ReleaseApprovals' });

/** What a release starts from, besides the endpoint. */
export const newRelease = z
  .object({
    modelVersionId: z.string().max(64),
    strategy: releaseStrategy,
    guard: releaseGuard.prefault({}),
    approvals: releaseApprovals.prefault({}),
    note: z.string().max(1000).default('').describe('Why.'),
  })
  .meta({ id: 'NewRelease' });

const version = z.object({
  modelVersionId: z.string(),
  modelName: z.string(),
  versionNumber: z.number().int(),
});

const figures = z.object({
  requestCount: z.number().int(),
  errorShare: z.number().nullable(),
  slowShare: z.number().nullable(),
  medianMs: z.number().nullable().describe('Half of the answers took at most this.'),
  p99Ms: z.number().nullable(),
  outcomeCount: z.number().int().describe('Answers of which is known what turned out to be true.'),
  badShare: z.number().nullable().describe('Mistakes, or answers that were far off, of those.'),
});

export const releaseFinding = z
  .object({
    measure: z.enum(['errors', 'latency', 'quality', 'answers']),
    verdict: z
      .enum(['waiting', 'fine', 'worse'])
      .describe(
        'waiting: too little was seen. fine: not worse for all that is known. worse: the release is stopped.',
      ),
    candidate: z.number().nullable().describe('A share; of answers how far they are spread otherwise.'),
    current: z.number().nullable(),
    tolerated: z.number().describe('So much more than `current`.'),
    chance: z
      .number()
      .describe('At most this is the chance of such a difference by luck, whenever it is looked at.'),
    alarmBelow: z
      .number()
      .describe('It is worse when `chance` is below this and the difference is not tolerated.'),
    sentence: z.string(),
  })
  .meta({ id: 'ReleaseFinding' });

export const releaseComparison = z
  .object({
    lookedAt: isoTime,
    candidate: figures,
    current: figures,
    slowerThanMs: z.number().nullable(),
    findings: z.array(releaseFinding),
  })
  .meta({ id: 'ReleaseComparison' });

export const release = z
  .object({
    id: z.string(),
    projectId: z.string(),
    endpointId: z.string(),
    candidate: version,
    former: z
      .array(version.extend({ trafficShare: z.number() }))
      .describe('What answered before, and does after a roll-back.'),
    strategy: releaseStrategy,
    guard: releaseGuard,
    approvals: releaseApprovals,
    note: z.string(),
    state: z
      .enum(['waiting', 'baking', 'paused', 'finished', 'rolled-back', 'ended'])
      .describe(
        'waiting: see `waitingFor`. baking: a step is watched. paused: until somebody goes on. finished: it has all of the traffic. rolled-back: the former versions answer. ended: the endpoint is gone.',
      ),
    steps: z.array(
      z.object({
        role: z.enum(['shadow', 'live']),
        trafficShare: z.number(),
        bakingMinutes: z.number().nullable().describe('null: until somebody decides.'),
      }),
    ),
    stepIndex: z.number().int().nullable().describe('Where it is, from 0; null before the first step.'),
    bakedMinutes: z.number().describe('Of this step.'),
    stepRequestCount: z.number().int().describe('Requests that the version answered in this step.'),
    waitingFor: z.array(z.string()),
    approvedBy: z.array(z.object({ by: z.string(), note: z.string(), at: isoTime })),
    comparison: releaseComparison.nullable().describe('As of the last look, over all steps.'),
    reason: z.string().nullable().describe('Why it ended as it did, or pauses.'),
    startedBy: z.string(),
    createdAt: isoTime,
    endedAt: isoTime.nullable(),
  })
  .meta({ id: 'Release' });

export const releaseWithHistory = release
  .extend({
    history: z
      .array(
        z.object({
          kind: z.enum([
            'started',
            'approved',
            'step',
            'waiting',
            'paused',
            'resumed',
            'promoted',
            'finished',
            'rolled-back',
            'ended',
          ]),
          stepIndex: z.number().int().nullable(),
          by: z.string().describe('Id of the person or key; `system` for the release itself.'),
          note: z.string(),
          at: isoTime,
        }),
      )
      .describe('Oldest first.'),
  })
  .meta({ id: 'ReleaseWithHistory' });

const releaseParams = idParam('releaseId');
const endpointParams = idParam('endpointId');
const because = z.object({ reason: z.string().max(1000).default('') });

export const startRelease = operation({
  operationId: 'startRelease',
  method: 'post',
  path: '/endpoints/{endpointId}/releases',
  summary: 'Bring a model version to an endpoint step by step',
  tag,
  policy: 'release:write',
  request: { params: endpointParams, json: newRelease },
  response: { status: 201, json: release },
  problems: ['not-found', 'invalid-request', 'wrong-state', 'endpoint-not-ready', 'signing-key-withdrawn'],
});

export const listReleases = operation({
  operationId: 'listReleases',
  method: 'get',
  path: '/endpoints/{endpointId}/releases',
  summary: 'The releases of an endpoint, newest first',
  tag,
  policy: 'release:read',
  request: { params: endpointParams, query: pageQuery },
  response: { status: 200, json: page(release) },
  problems: ['not-found'],
});

export const getRelease = operation({
  operationId: 'getRelease',
  method: 'get',
  path: '/releases/{releaseId}',
  summary: 'One release with its history',
  tag,
  policy: 'release:read',
  request: { params: releaseParams },
  response: { status: 200, json: releaseWithHistory },
  problems: ['not-found'],
});

export const approveRelease = operation({
  operationId: 'approveRelease',
  method: 'post',
  path: '/releases/{releaseId}/approvals',
  summary: 'Approve a release that waits for it',
  tag,
  policy: 'release:approve',
  request: { params: releaseParams, json: z.object({ note: z.string().max(1000).default('') }) },
  response: { status: 200, json: releaseWithHistory },
  problems: ['not-found', 'wrong-state', 'not-allowed'],
});

export const pauseRelease = operation({
  operationId: 'pauseRelease',
  method: 'post',
  path: '/releases/{releaseId}/pause',
  summary: 'Keep a release at its step; it is still watched, and rolled back when it is worse',
  tag,
  policy: 'release:write',
  request: { params: releaseParams, json: because },
  response: { status: 200, json: releaseWithHistory },
  problems: ['not-found', 'wrong-state'],
});

export const resumeRelease = operation({
  operationId: 'resumeRelease',
  method: 'post',
  path: '/releases/{releaseId}/resume',
  summary: 'Let a paused release go on',
  tag,
  policy: 'release:write',
  request: { params: releaseParams, json: because },
  response: { status: 200, json: releaseWithHistory },
  problems: ['not-found', 'wrong-state'],
});

export const promoteRelease = operation({
  operationId: 'promoteRelease',
  method: 'post',
  path: '/releases/{releaseId}/promote',
  summary: 'Give the version all of the traffic now; what the release has to wait for still holds',
  tag,
  policy: 'release:write',
  request: { params: releaseParams, json: because },
  response: { status: 200, json: releaseWithHistory },
  problems: ['not-found', 'wrong-state', 'signing-key-withdrawn'],
});

export const rollBackRelease = operation({
  operationId: 'rollBackRelease',
  method: 'post',
  path: '/releases/{releaseId}/roll-back',
  summary:
    'Let the former versions answer again; also after a release finished, until something else is deployed',
  tag,
  policy: 'release:write',
  request: { params: releaseParams, json: because },
  response: { status: 200, json: releaseWithHistory },
  problems: ['not-found', 'wrong-state', 'signing-key-withdrawn'],
});
