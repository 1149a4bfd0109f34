// Endpoints: stable addresses; deployments: model versions behind them; predictions.
import { z } from 'zod';
import { idParam, isoTime, operation, page, pageQuery } from './operation.ts';
import { modelField } from './model.ts';

const tag = 'Endpoint';

/** Part of the address, so it is narrow. */
export const endpointName = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,59}$/, 'must be lower-case letters, digits and hyphens, and begin with a letter');

export const deployment = z
  .object({
    id: z.string(),
    modelVersionId: z.string(),
    modelName: z.string(),
    versionNumber: z.number().int(),
    role: z
      .enum(['live', 'shadow'])
      .describe(
        'live: answers. shadow: is asked copies of requests; its answers are logged and never returned.',
      ),
    trafficShare: z.number().describe('The share of requests that it answers, or is asked copies of.'),
    createdAt: isoTime,
  })
  .meta({ id: 'Deployment' });

/** What is kept of the predictions of an endpoint (contract/prediction-log.ts reads it). */
export const logSettings = z
  .object({
    share: z
      .number()
      .min(0)
      .max(1)
      .describe('The share of requests that is logged; which ones follows from their ids. 0: none.'),
    redactedColumns: z
      .array(z.string().min(1).max(500))
      .max(1000)
      .describe('Fields whose values are never written down. Such predictions cannot be computed again.'),
    keptDays: z.number().int().min(1).max(3650).describe('After so many days records are removed.'),
  })
  .meta({ id: 'LogSettings' });
export type LogSettings = z.output<typeof logSettings>;

/** How an endpoint is served: where its models answer, and how many processes they get. */
export const servingSettings = z
  .object({
    place: z
      .enum(['automatic', 'in-process', 'apart'])
      .describe(
        'Where models answer: in the server itself, which is fastest, or apart in processes of their own. Automatic: apart beyond 64 MiB. Models made elsewhere always answer apart.',
      ),
    minReplicas: z
      .number()
      .int()
      .min(0)
      .max(16)
      .describe(
        'Replicas that every server keeps ready, asked or not. 0: the first request after a pause waits until the model is loaded. Kept processes are charged by the minute.',
      ),
    maxReplicas: z
      .number()
      .int()
      .min(1)
      .max(64)
      .describe('Processes of one version on each server at most; the machine may have room for fewer.'),
    idleMinutes: z
      .number()
      .int()
      .min(1)
      .max(1440)
      .describe('After so many minutes without a request the last process ends.'),
  })
  .meta({ id: 'ServingSettings' });
export type ServingSettings = z.output<typeof servingSettings>;

/** How ready an endpoint is to answer, over all servers. */
export const servingStatus = z
  .object({
    state: z
      .enum(['cold', 'queued', 'loading', 'warm'])
      .describe(
        'The least ready of its versions. Cold: the next request loads the model. Queued: it waits for room on the machine.',
      ),
    versions: z.array(
      z.object({
        modelVersionId: z.string(),
        modelName: z.string(),
        versionNumber: z.number().int(),
        place: z.enum(['in-process', 'apart']).nullable().describe('null: not known before it is loaded.'),
        state: z.enum(['cold', 'queued', 'loading', 'warm']),
        loadedShare: z.number().nullable().describe('While it is loading: how much is done, 0 to 1.'),
        replicas: z.object({ ready: z.number().int(), loading: z.number().int() }),
        waitingCount: z.number().int().describe('Requests that wait for a replica.'),
        serverCount: z.number().int().describe('Servers on which it is warm.'),
        lastFailure: z
          .object({ at: isoTime, detail: z.string() })
          .nullable()
          .describe('The last replica that ended without being told to, and why.'),
      }),
    ),
  })
  .meta({ id: 'ServingStatus' });

export const endpoint = z
  .object({
    id: z.string(),
    projectId: z.string(),
    name: z.string(),
    state: z.enum(['ready', 'empty']),
    deployments: z.array(deployment),
    fields: z.array(modelField),
    /** Where to POST rows, relative to the server. */
    predictPath: z.string(),
    predictionCount: z.number().int(),
    log: logSettings,
    releaseId: z
      .string()
      .nullable()
      .describe('The release that moves the traffic now: until it ends nothing else can be deployed.'),
    serving: servingSettings,
    createdAt: isoTime,
  })
  .meta({ id: 'Endpoint' });

export const createEndpoint = operation({
  operationId: 'createEndpoint',
  method: 'post',
  path: '/projects/{projectId}/endpoints',
  summary: 'Make an endpoint and deploy a model version to it',
  tag,
  policy: 'endpoint:write',
  request: {
    params: idParam('projectId'),
    json: z.object({ name: endpointName, modelVersionId: z.string().max(64) }),
  },
  response: { status: 201, json: endpoint },
  problems: ['not-found', 'already-exists', 'signing-key-withdrawn'],
});

export const listEndpoints = operation({
  operationId: 'listEndpoints',
  method: 'get',
  path: '/projects/{projectId}/endpoints',
  summary: 'The endpoints of a project',
  tag,
  policy: 'endpoint:read',
  request: { params: idParam('projectId'), query: pageQuery },
  response: { status: 200, json: page(endpoint) },
  problems: ['not-found'],
});

export const getEndpoint = operation({
  operationId: 'getEndpoint',
  method: 'get',
  path: '/endpoints/{endpointId}',
  summary: 'One endpoint',
  tag,
  policy: 'endpoint:read',
  request: { params: idParam('endpointId') },
  response: { status: 200, json: endpoint },
  problems: ['not-found'],
});

export const deployModel = operation({
  operationId: 'deployModel',
  method: 'put',
  path: '/endpoints/{endpointId}/deployments',
  summary: 'Say which versions answer, and their shares of the traffic (they add up to 1)',
  tag,
  policy: 'endpoint:write',
  request: {
    params: idParam('endpointId'),
    json: z.object({
      deployments: z
        .array(z.object({ modelVersionId: z.string().max(64), trafficShare: z.number().min(0).max(1) }))
        .min(1)
        .max(10),
    }),
  },
  response: { status: 200, json: endpoint },
  problems: ['not-found', 'invalid-request', 'wrong-state', 'signing-key-withdrawn'],
});

export const setLogSettings = operation({
  operationId: 'setLogSettings',
  method: 'patch',
  path: '/endpoints/{endpointId}/log-settings',
  summary: 'Say what is kept of predictions from now on, and for how long; what is left out stays as it is',
  tag,
  policy: 'endpoint:write',
  request: { params: idParam('endpointId'), json: logSettings.partial() },
  response: { status: 200, json: endpoint },
  problems: ['not-found'],
});

export const setServingSettings = operation({
  operationId: 'setServingSettings',
  method: 'patch',
  path: '/endpoints/{endpointId}/serving-settings',
  summary: 'Say where models answer and how many replicas there are; what is left out stays as it is',
  tag,
  policy: 'endpoint:write',
  request: { params: idParam('endpointId'), json: servingSettings.partial() },
  response: { status: 200, json: endpoint },
  problems: ['not-found', 'invalid-request'],
});

export const getServingStatus = operation({
  operationId: 'getServingStatus',
  method: 'get',
  path: '/endpoints/{endpointId}/serving',
  summary: 'How ready an endpoint is to answer: its replicas, and how far they are loaded',
  tag,
  policy: 'endpoint:read',
  request: { params: idParam('endpointId') },
  response: { status: 200, json: servingStatus },
  problems: ['not-found'],
});

export const deleteEndpoint = operation({
  operationId: 'deleteEndpoint',
  method: 'delete',
  path: '/endpoints/{endpointId}',
  summary: 'Remove an endpoint and its log of predictions; its address stops answering',
  tag,
  policy: 'endpoint:write',
  request: { params: idParam('endpointId') },
  response: { status: 204 },
  problems: ['not-found'],
});

export const prediction = z
  .object({
    prediction: z.union([z.string(), z.number()]),
    probabilities: z.record(z.string(), z.number()).optional().describe('Classification: by class.'),
    likelyClasses: z
      .array(z.string())
      .optional()
      .describe(
        'Classification: the true class is among these in 90 of 100 cases, likeliest first; more than one where the model is not sure.',
      ),
    lower: z
      .number()
      .optional()
      .describe('Regression: the true value lies between lower and upper in 90 of 100 cases.'),
    upper: z.number().optional(),
  })
  .meta({ id: 'Prediction' });

/** What can go wrong in the process that runs a model made elsewhere. */
const modelProblems = [
  'signing-key-withdrawn',
  'onnx-unsupported',
  'memory-limit',
  'time-limit',
  'feature-not-installed',
] as const;

export const predict = operation({
  operationId: 'predict',
  method: 'post',
  path: '/endpoints/{endpointId}/predictions',
  summary: 'Predict for rows; a field that is missing or null counts as missing',
  tag,
  policy: 'endpoint:predict',
  request: {
    params: idParam('endpointId'),
    json: z.object({ rows: z.array(z.record(z.string(), z.unknown())).min(1) }),
    maxBodyBytes: 33_554_432,
  },
  response: {
    status: 200,
    json: z.object({
      requestId: z.string(),
      modelVersionId: z.string(),
      predictions: z.array(prediction),
      warnings: z.array(z.string()),
    }),
  },
  problems: [
    'not-found',
    'endpoint-not-ready',
    'prediction-input',
    'body-too-large',
    'budget-exceeded',
    ...modelProblems,
  ],
});

export const predictCsv = operation({
  operationId: 'predictCsv',
  method: 'post',
  path: '/endpoints/{endpointId}/predictions.csv',
  summary: 'Predict for a CSV file with a header; the answer is CSV, rows in input order',
  tag,
  policy: 'endpoint:predict',
  request: { params: idParam('endpointId'), stream: ['text/csv'], maxBodyBytes: 268_435_456 },
  response: { status: 200, stream: ['text/csv'] },
  problems: [
    'not-found',
    'endpoint-not-ready',
    'prediction-input',
    'body-too-large',
    'budget-exceeded',
    'file-empty',
    'file-unreadable',
    'field-too-large',
    'too-many-columns',
    ...modelProblems,
  ],
});
