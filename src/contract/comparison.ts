// Comparisons: what would change if another version answered for an endpoint. The requests in its log are replayed on a
// candidate and on the version that answers now; decisions that differ are flips. A rule of the endpoint says how many
// flips, and of which kind, hold a candidate back.
import { z } from 'zod';
import { explanation } from './explanation.ts';
import { idParam, isoTime, operation, page, pageQuery } from './operation.ts';
import { problemSchema } from './problem.ts';

const tag = 'Comparison';

const estimate = z.object({
  value: z.number(),
  lower: z.number().describe('Of an interval of 95 %.'),
  upper: z.number(),
});

const versionLabel = z.object({
  modelVersionId: z.string(),
  modelName: z.string(),
  versionNumber: z.number().int(),
});

const time = z.iso.datetime({ offset: true });

export const comparisonQuestion = z
  .object({
    modelVersionId: z.string().max(64).describe('The candidate.'),
    from: time.nullable().default(null).describe('Replay requests from then on; null: all that are kept.'),
    to: time.nullable().default(null).describe('Replay requests before it; null: until now.'),
    threshold: z
      .number()
      .gt(0)
      .lt(1)
      .nullable()
      .default(null)
      .describe(
        'Two classes: decide for the positive class from this probability on, instead of by what the versions say.',
      ),
    tolerance: z
      .number()
      .min(0)
      .nullable()
      .default(null)
      .describe('Numbers: a change up to this is no flip; null: a twentieth of the range of the answers.'),
    maxRows: z
      .number()
      .int()
      .min(1)
      .max(5_000_000)
      .default(100_000)
      .describe('Of more requests a sample is replayed, and the result says so.'),
  })
  .meta({ id: 'ComparisonQuestion' });

export const comparisonResult = z
  .object({
    rowCount: z.number().int().describe('Requests that both versions could be asked for.'),
    loggedRowCount: z.number().int().describe('Requests that the log holds of this time.'),
    loggedShare: z.number().describe('The share of requests that the endpoint logs now.'),
    replayedShare: z.number().describe('Of the logged requests; less than 1: a sample.'),
    redactedRowCount: z.number().int().describe('Left out: values that a version looks at were not kept.'),
    redactedColumns: z.array(z.string()),
    unreadableRowCount: z.number().int().describe('Left out: the version that answers now refuses them.'),
    unanswered: estimate
      .extend({ count: z.number().int() })
      .describe('Requests that the candidate refuses. They are no flips.'),
    unansweredReasons: z.array(z.string()).describe('Some of them in words.'),
    notes: z.array(z.string()).describe('What the figures leave out, in plain words.'),
    decision: z.object({
      kind: z.enum(['class', 'threshold', 'number']),
      threshold: z.number().nullable(),
      positiveClass: z.string().nullable(),
      tolerance: z.number().nullable(),
    }),
    flipped: estimate.extend({ count: z.number().int() }),
    moves: z
      .array(z.object({ from: z.string(), to: z.string(), count: z.number().int() }))
      .describe('Flips by decision, most frequent first; of numbers lower and higher.'),
    outcomes: z
      .object({
        knownCount: z.number().int(),
        bothRight: z.number().int(),
        onlyAnsweringRight: z.number().int(),
        onlyCandidateRight: z.number().int(),
        bothWrong: z.number().int(),
        lostAccuracy: estimate.describe(
          'By what share of known outcomes the candidate is right less often; of numbers: is closer to the truth less often.',
        ),
      })
      .nullable()
      .describe(
        'Where it is known what was true. Of numbers, right is the closer one; both are where they are equally close.',
      ),
    money: z
      .object({
        currency: z.string(),
        costsOf: z.enum(['answering', 'candidate']).describe('Whose costs count.'),
        lost: estimate.describe('What the candidate costs more on all these requests; negative: it saves.'),
        atStake: z.number().describe('Sum of what each flip changes, whichever way.'),
        knownRowCount: z
          .number()
          .int()
          .describe(
            'Flips counted by what turned out to be true; the others by the mean of what both versions hold likely.',
          ),
      })
      .nullable()
      .describe('Null where neither version knows what decisions cost.'),
    segments: z
      .array(
        z.object({
          column: z.string(),
          segment: z.string(),
          rowCount: z.number().int(),
          flipped: estimate.extend({ count: z.number().int() }),
          lostMoney: z.number().nullable(),
        }),
      )
      .describe('Parts of the requests of at least 30, most flipped first.'),
    flipCount: z.number().int().describe('Flips that are listed.'),
  })
  .meta({ id: 'ComparisonResult' });

export const gateCheck = z
  .object({
    measure: z.string(),
    limit: z.string().describe('As the rule has it, such as `<= 2%`.'),
    value: z.number().nullable().describe('Null: not known.'),
    passed: z.boolean(),
    words: z.string(),
  })
  .meta({ id: 'GateCheck' });

export const comparison = z
  .object({
    id: z.string(),
    endpointId: z.string(),
    state: z.enum(['making', 'ready', 'failed']),
    jobId: z.string(),
    candidate: versionLabel,
    answering: versionLabel.describe('Which answered most requests when the comparison was asked for.'),
    question: comparisonQuestion,
    result: comparisonResult.nullable(),
    verdict: z
      .object({
        rule: z.string(),
        passed: z.boolean(),
        reasons: z.array(z.string()).describe('Why not, with figures.'),
        checks: z.array(gateCheck),
      })
      .nullable()
      .describe('By the rule that the endpoint has now; null while there is no rule or no result.'),
    problem: problemSchema.nullable(),
    createdAt: isoTime,
  })
  .meta({ id: 'Comparison' });

/** What lists show. */
export const listedComparison = comparison
  .extend({
    result: comparisonResult.omit({ segments: true, moves: true, unansweredReasons: true }).nullable(),
  })
  .meta({ id: 'ListedComparison' });

const side = z.object({
  decision: z.string().describe('The class, or the number.'),
  sureness: z.number().nullable().describe('Of classes: the probability of the decision.'),
  explanation: explanation.nullable(),
});

export const comparisonFlip = z
  .object({
    predictionId: z.string(),
    time: isoTime,
    answering: side,
    candidate: side,
    lostMoney: z.number().nullable(),
    actual: z.string().nullable().describe('What turned out to be true.'),
  })
  .meta({ id: 'ComparisonFlip' });

export const gateRule = z
  .object({
    endpointId: z.string(),
    rule: z.string().nullable().describe('Null: nothing is held back.'),
    suggestion: z.string().describe('A rule to begin with.'),
    measures: z.array(z.object({ name: z.string(), words: z.string() })),
  })
  .meta({ id: 'GateRule' });

const endpointParams = idParam('endpointId');
const comparisonParams = idParam('comparisonId');

export const createComparison = operation({
  operationId: 'createComparison',
  method: 'post',
  path: '/endpoints/{endpointId}/comparisons',
  summary: 'Replay logged requests on another version, and compare its decisions with those of now',
  tag,
  policy: 'endpoint:write',
  request: { params: endpointParams, json: comparisonQuestion },
  response: { status: 202, json: comparison },
  problems: [
    'not-found',
    'invalid-request',
    'endpoint-not-ready',
    'onnx-unsupported',
    'signing-key-withdrawn',
  ],
});

export const listComparisons = operation({
  operationId: 'listComparisons',
  method: 'get',
  path: '/endpoints/{endpointId}/comparisons',
  summary: 'The comparisons of an endpoint, newest first',
  tag,
  policy: 'prediction:read',
  request: { params: endpointParams, query: pageQuery },
  response: { status: 200, json: page(listedComparison) },
  problems: ['not-found'],
});

export const getComparison = operation({
  operationId: 'getComparison',
  method: 'get',
  path: '/comparisons/{comparisonId}',
  summary: 'One comparison',
  tag,
  policy: 'prediction:read',
  request: { params: comparisonParams },
  response: { status: 200, json: comparison },
  problems: ['not-found'],
});

export const listComparisonFlips = operation({
  operationId: 'listComparisonFlips',
  method: 'get',
  path: '/comparisons/{comparisonId}/flips',
  summary: 'Flipped requests with both explanations: largest money first, else the most certain',
  tag,
  policy: 'prediction:read',
  request: { params: comparisonParams, query: pageQuery },
  response: { status: 200, json: page(comparisonFlip) },
  problems: ['not-found'],
});

export const getGateRule = operation({
  operationId: 'getGateRule',
  method: 'get',
  path: '/endpoints/{endpointId}/gate-rule',
  summary: 'The rule that a new version has to keep to before it is promoted',
  tag,
  policy: 'prediction:read',
  request: { params: endpointParams },
  response: { status: 200, json: gateRule },
  problems: ['not-found'],
});

export const setGateRule = operation({
  operationId: 'setGateRule',
  method: 'put',
  path: '/endpoints/{endpointId}/gate-rule',
  summary: 'Set the rule, such as "flipped <= 2% and worst_segment <= 5%"; null takes it away',
  tag,
  policy: 'endpoint:write',
  request: { params: endpointParams, json: z.object({ rule: z.string().max(500).nullable() }) },
  response: { status: 200, json: gateRule },
  problems: ['not-found', 'invalid-request'],
});
