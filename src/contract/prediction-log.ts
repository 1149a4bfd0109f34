// The log of predictions: what an endpoint was asked and answered, what turned out to be true, and computing it again.
import { z } from 'zod';
import { queryResult } from './dataset.ts';
import { logSettings, prediction } from './endpoint.ts';
import { comparedWith, explanation } from './explanation.ts';
import { idParam, isoTime, operation, page, pageQuery } from './operation.ts';

const tag = 'Prediction log';

export const predictionId = z
  .string()
  .regex(/^req_[0-9a-z]{26}-\d{1,9}$/, 'must be an id of a prediction: REQUEST-ROW')
  .describe(
    'The id of the request and the place of the row in it, from 0: `req_...-0` is its first prediction.',
  );

const onePrediction = idParam('endpointId').extend({ predictionId });

const timeRange = {
  from: z.iso.datetime({ offset: true }).optional().describe('Answered at this time or later.'),
  to: z.iso.datetime({ offset: true }).optional().describe('Answered before this time.'),
};

export const actualValue = z.union([z.string().max(10_000), z.number(), z.boolean()]);

export const predictionLog = z
  .object({
    settings: logSettings,
    rowCount: z.number().int().describe('Predictions that are kept, those on their way into files included.'),
    pendingRowCount: z.number().int().describe('Of these, those that are not in a file yet.'),
    outcomeCount: z.number().int().describe('Outcomes that were kept; some may be of one prediction.'),
    lostRowCount: z
      .number()
      .int()
      .describe(
        'Predictions that were answered and should have been kept, but could not be: a disk was full.',
      ),
    lostAt: isoTime.nullable().describe('When that happened last.'),
    sizeBytes: z.number().int(),
    from: isoTime.nullable().describe('Of the oldest prediction in a file.'),
    to: isoTime.nullable(),
  })
  .meta({ id: 'PredictionLog' });

export const loggedPrediction = z
  .object({
    id: z.string(),
    requestId: z.string(),
    rowIndex: z.number().int(),
    time: isoTime,
    deploymentId: z.string(),
    revision: z.number().int(),
    modelVersionId: z.string(),
    modelFileSha256: z.string(),
    form: z.enum(['json', 'text']).describe('text: a row of a CSV file.'),
    given: z.record(z.string(), z.unknown()).describe('The row as it was given, without redacted fields.'),
    redacted: z.array(z.string()).describe('Fields that were given and whose values were not kept.'),
    answer: prediction,
    actual: z.string().nullable().describe('What turned out to be true; null: not known.'),
    actualAt: isoTime.nullable(),
    latencyMs: z.number(),
    askedBy: z.string().describe('The key or person.'),
  })
  .meta({ id: 'LoggedPrediction' });

/** Where a prediction comes from. */
const origin = z
  .object({
    modelName: z.string(),
    versionNumber: z.number().int(),
    task: z.string(),
    target: z.string(),
    trainedFrom: z
      .object({
        trainingId: z.string(),
        datasetName: z.string(),
        datasetVersionId: z.string(),
        datasetVersionNumber: z.number().int(),
      })
      .nullable()
      .describe('Null for a model that was brought.'),
  })
  .meta({ id: 'PredictionOrigin' });

export const getPredictionLog = operation({
  operationId: 'getPredictionLog',
  method: 'get',
  path: '/endpoints/{endpointId}/log',
  summary: 'What the log of an endpoint keeps, how much is in it, and what it lost',
  tag,
  policy: 'prediction:read',
  request: { params: idParam('endpointId') },
  response: { status: 200, json: predictionLog },
  problems: ['not-found'],
});

export const listLoggedPredictions = operation({
  operationId: 'listLoggedPredictions',
  method: 'get',
  path: '/endpoints/{endpointId}/log/predictions',
  summary: 'Logged predictions, newest requests first',
  tag,
  policy: 'prediction:read',
  request: {
    params: idParam('endpointId'),
    query: pageQuery.extend({
      ...timeRange,
      modelVersionId: z.string().max(64).optional(),
      outcome: z.enum(['known', 'unknown']).optional(),
      search: z.string().max(200).optional().describe('A part of an id, of a value given or of the answer.'),
    }),
  },
  response: { status: 200, json: page(loggedPrediction) },
  problems: ['not-found', 'too-many-requests', 'query-limit'],
});

export const getLoggedPrediction = operation({
  operationId: 'getLoggedPrediction',
  method: 'get',
  path: '/endpoints/{endpointId}/log/predictions/{predictionId}',
  summary: 'One logged prediction, with the model and the data that it comes from',
  tag,
  policy: 'prediction:read',
  request: { params: onePrediction },
  response: { status: 200, json: z.object({ prediction: loggedPrediction, origin }) },
  problems: ['not-found', 'too-many-requests'],
});

/** What computing a prediction again may fail with. */
const againProblems = [
  'not-found',
  'too-many-requests',
  'prediction-redacted',
  'model-file-untrusted',
  'memory-limit',
  'time-limit',
] as const;

export const rerunPrediction = operation({
  operationId: 'rerunPrediction',
  method: 'post',
  path: '/endpoints/{endpointId}/log/predictions/{predictionId}/rerun',
  summary:
    'Compute a logged prediction again with the same model file, and say whether the answer is identical',
  tag,
  policy: 'prediction:read',
  request: { params: onePrediction },
  response: {
    status: 200,
    json: z
      .object({
        isIdentical: z.boolean().describe('To the last bit.'),
        answer: prediction,
        logged: prediction,
        modelFileSha256: z.string(),
      })
      .meta({ id: 'Rerun' }),
  },
  problems: [...againProblems],
});

const explained = explanation.extend({ comparedWith }).meta({ id: 'LoggedExplanation' });

export const explainPrediction = operation({
  operationId: 'explainPrediction',
  method: 'post',
  path: '/endpoints/{endpointId}/log/predictions/{predictionId}/explanation',
  summary: 'Why a logged prediction came out as it did: what each column added',
  tag,
  policy: 'prediction:read',
  request: { params: onePrediction },
  response: { status: 200, json: explained },
  problems: [...againProblems, 'explanation-unsupported'],
});

export const getPredictionEvidence = operation({
  operationId: 'getPredictionEvidence',
  method: 'get',
  path: '/endpoints/{endpointId}/log/predictions/{predictionId}/evidence',
  summary: 'A signed document: the prediction, its model and data, the result of computing it again, and why',
  tag,
  policy: 'prediction:read',
  request: { params: onePrediction },
  response: {
    status: 200,
    json: z
      .object({
        kind: z.literal('prediction-evidence'),
        issuedAt: isoTime,
        prediction: loggedPrediction,
        origin,
        rerun: z
          .object({ isIdentical: z.boolean(), answer: prediction })
          .nullable()
          .describe('Null: fields were redacted.'),
        explanation: explained
          .nullable()
          .describe('Null: the model cannot be explained, or fields were redacted.'),
        signature: z
          .object({
            algorithm: z.literal('Ed25519'),
            publicKey: z.string().describe('Of a server of this installation, see listSigningKeys.'),
            value: z
              .string()
              .describe(
                'Hexadecimal; of all members but this one as canonical JSON: sorted keys, no spaces, UTF-8.',
              ),
          })
          .meta({ id: 'EvidenceSignature' }),
      })
      .meta({ id: 'PredictionEvidence' }),
  },
  problems: [...againProblems],
});

export const queryPredictionLog = operation({
  operationId: 'queryPredictionLog',
  method: 'post',
  path: '/endpoints/{endpointId}/log/queries',
  summary: 'SQL (SELECT) over the log of an endpoint: the table `predictions`, outcomes included',
  tag,
  policy: 'dataset:query',
  request: {
    params: idParam('endpointId'),
    json: z.object({
      sql: z.string().min(1).max(100_000),
      maxRows: z.number().int().min(1).max(100_000).default(1000),
    }),
  },
  response: { status: 200, json: queryResult },
  problems: [
    'not-found',
    'query-invalid',
    'query-forbidden',
    'query-limit',
    'budget-exceeded',
    'too-many-requests',
  ],
});

export const exportPredictionLog = operation({
  operationId: 'exportPredictionLog',
  method: 'get',
  path: '/endpoints/{endpointId}/log/predictions.parquet',
  summary: 'The log of an endpoint as one Parquet file, outcomes included',
  tag,
  policy: 'prediction:read',
  request: { params: idParam('endpointId'), query: z.object(timeRange) },
  response: { status: 200, stream: ['application/vnd.apache.parquet'] },
  problems: ['not-found', 'too-many-requests', 'disk-full', 'time-limit'],
});

const outcomesAnswer = z
  .object({
    keptCount: z.number().int(),
    unknownCount: z.number().int().describe('Ids that the log does not have; their outcomes are not kept.'),
    unknownIds: z.array(z.string()).describe('The first 100 of them.'),
    unfitCount: z
      .number()
      .int()
      .describe('Outcomes of predicted numbers that are no numbers; they are not kept.'),
    unfitIds: z.array(z.string()).describe('The first 100 of them.'),
  })
  .meta({ id: 'OutcomesAnswer' });

const outcomeProblems = ['not-found', 'too-many-requests', 'disk-full'] as const;

export const sendOutcomes = operation({
  operationId: 'sendOutcomes',
  method: 'post',
  path: '/endpoints/{endpointId}/outcomes',
  summary: 'Say what turned out to be true; sent again, the last one counts',
  tag,
  policy: 'endpoint:predict',
  request: {
    params: idParam('endpointId'),
    json: z.object({
      outcomes: z
        .array(z.object({ predictionId, actual: actualValue }))
        .min(1)
        .max(10_000),
    }),
    maxBodyBytes: 16_777_216,
  },
  response: { status: 200, json: outcomesAnswer },
  problems: [...outcomeProblems],
});

export const sendOutcomesCsv = operation({
  operationId: 'sendOutcomesCsv',
  method: 'post',
  path: '/endpoints/{endpointId}/outcomes.csv',
  summary: 'The same as a CSV file with the columns prediction_id and actual',
  tag,
  policy: 'endpoint:predict',
  request: { params: idParam('endpointId'), stream: ['text/csv'], maxBodyBytes: 268_435_456 },
  response: { status: 200, json: outcomesAnswer },
  problems: [
    ...outcomeProblems,
    'invalid-request',
    'prediction-input',
    'body-too-large',
    'file-empty',
    'file-unreadable',
    'field-too-large',
    'too-many-columns',
  ],
});
