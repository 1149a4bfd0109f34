// Models: named, with immutable versions, each one portable model file; aliases are movable names.
import { z } from 'zod';
import { displayName, idParam, isoTime, operation, page, pageQuery } from './operation.ts';
import { evaluation, evaluationSummary, featureImportance, tasks } from './evaluation.ts';

const tag = 'Model';

export const modelFormat = z.enum(['pilvi', 'onnx']).meta({
  description:
    'pilvi: the model file, with everything. onnx: for ONNX runtimes, from columns to the decision.',
});
export type ModelFormat = z.output<typeof modelFormat>;

/** One input of a model, enough to build a form from. */
export const modelField = z
  .object({
    name: z.string(),
    kind: z.enum(['numeric', 'categorical', 'boolean', 'date', 'text']),
    categories: z.array(z.string()).nullable().describe('Known values, most frequent first, at most 100.'),
    minimum: z.number().nullable(),
    maximum: z.number().nullable(),
    example: z.union([z.string(), z.number(), z.boolean(), z.null()]),
    missingShare: z.number(),
  })
  .meta({ id: 'ModelField' });

export const modelVersion = z
  .object({
    id: z.string(),
    modelId: z.string(),
    modelName: z.string(),
    projectId: z.string(),
    number: z.number().int(),
    task: z.enum(tasks),
    target: z.string(),
    classes: z.array(z.string()).nullable(),
    metric: z.string(),
    score: z.number().nullable(),
    evaluation: evaluation.nullable(),
    importance: featureImportance,
    fields: z.array(modelField),
    fileSha256: z.string(),
    fileSizeBytes: z.number().int(),
    signer: z
      .string()
      .nullable()
      .describe(
        'The public key that the file was signed with; null for an imported file without a signature, and for ONNX.',
      ),
    signature: z
      .object({
        publicKey: z.string(),
        keyId: z.string().describe('The first 16 digits of the public key, for people.'),
        by: z
          .enum(['this-installation', 'elsewhere'])
          .describe('this-installation: one of its servers. elsewhere: a key that is not known here.'),
        withdrawnAt: isoTime
          .nullable()
          .describe('When the key was withdrawn: the version is not used since then. Null: it was not.'),
      })
      .nullable()
      .describe(
        'Who signed the file. It is checked when the file is registered and each time it is opened. Null: nobody.',
      ),
    format: modelFormat.describe(
      'Of the file. An onnx file was made elsewhere: it predicts, and is not explained.',
    ),
    origin: z
      .enum(['trained', 'imported'])
      .describe('trained: by a training here. imported: brought as a file.'),
    /** What an ONNX file says of itself; null for a model file. */
    onnx: z
      .object({
        producer: z.string().describe('The program that wrote it; empty where it does not say.'),
        irVersion: z.number().int(),
        operatorSets: z.array(z.object({ domain: z.string(), version: z.number().int() })),
        batchRowCount: z.number().int().nullable().describe('Rows that it takes at once; null: any number.'),
        probabilities: z
          .enum(['given', 'softmax', 'none'])
          .describe(
            'given: by the model. softmax: made of its scores. none: it only decides, or gives a number.',
          ),
      })
      .nullable(),
    /** The training it came from; null for an imported file. */
    lineage: z
      .object({
        trainingId: z.string(),
        datasetId: z.string(),
        datasetName: z.string(),
        datasetVersionId: z.string(),
        datasetVersionNumber: z.number().int(),
      })
      .nullable(),
    aliases: z.array(z.string()),
    card: z.string().describe('The model card, Markdown.'),
    cardDocument: z
      .record(z.string(), z.unknown())
      .optional()
      .describe('The same card as JSON, for programs.'),
    createdAt: isoTime,
  })
  .meta({ id: 'ModelVersion' });

/** A version in a list. */
export const modelVersionSummary = modelVersion
  .omit({ importance: true, fields: true, card: true, cardDocument: true, onnx: true })
  .extend({ evaluation: evaluationSummary.nullable() })
  .meta({ id: 'ModelVersionSummary' });

export const model = z
  .object({
    id: z.string(),
    projectId: z.string(),
    name: z.string(),
    createdAt: isoTime,
    latestVersion: modelVersionSummary.nullable(),
    aliases: z.array(z.object({ alias: z.string(), versionNumber: z.number().int() })),
  })
  .meta({ id: 'Model' });

const aliasName = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,39}$/, 'must be lower-case letters, digits and hyphens');

export const listModels = operation({
  operationId: 'listModels',
  method: 'get',
  path: '/projects/{projectId}/models',
  summary: 'The models of a project',
  tag,
  policy: 'model:read',
  request: { params: idParam('projectId'), query: pageQuery },
  response: { status: 200, json: page(model) },
  problems: ['not-found'],
});

export const getModel = operation({
  operationId: 'getModel',
  method: 'get',
  path: '/models/{modelId}',
  summary: 'One model',
  tag,
  policy: 'model:read',
  request: { params: idParam('modelId') },
  response: { status: 200, json: model },
  problems: ['not-found'],
});

export const listModelVersions = operation({
  operationId: 'listModelVersions',
  method: 'get',
  path: '/models/{modelId}/versions',
  summary: 'The versions of a model, newest first',
  tag,
  policy: 'model:read',
  request: { params: idParam('modelId'), query: pageQuery },
  response: { status: 200, json: page(modelVersionSummary) },
  problems: ['not-found'],
});

export const getModelVersion = operation({
  operationId: 'getModelVersion',
  method: 'get',
  path: '/model-versions/{versionId}',
  summary: 'One version',
  tag,
  policy: 'model:read',
  request: { params: idParam('versionId') },
  response: { status: 200, json: modelVersion },
  problems: ['not-found'],
});

export const downloadModelFile = operation({
  operationId: 'downloadModelFile',
  method: 'get',
  path: '/model-versions/{versionId}/file',
  summary: 'The portable model file (.pilvi), or the model in a format of others',
  tag,
  policy: 'model:read',
  request: { params: idParam('versionId'), query: z.object({ format: modelFormat.default('pilvi') }) },
  response: { status: 200, stream: ['application/octet-stream'] },
  problems: ['not-found', 'export-unsupported', 'signing-key-withdrawn'],
});

export const importModelFile = operation({
  operationId: 'importModelFile',
  method: 'post',
  path: '/projects/{projectId}/model-files',
  summary: 'Register a model file as a new version of a model',
  tag,
  policy: 'model:write',
  request: {
    params: idParam('projectId'),
    query: z.object({ modelName: displayName }),
    stream: ['application/octet-stream'],
    maxBodyBytes: 1_073_741_824,
  },
  response: { status: 201, json: modelVersion },
  problems: [
    'not-found',
    'model-file-invalid',
    'model-file-too-new',
    'signing-key-withdrawn',
    'body-too-large',
  ],
});

const columnName = z.string().min(1).max(1000);

export const importOnnxModel = operation({
  operationId: 'importOnnxModel',
  method: 'post',
  path: '/projects/{projectId}/onnx-models',
  summary: 'Register an uploaded ONNX file, made elsewhere, as a new version of a model',
  tag,
  policy: 'model:write',
  request: {
    params: idParam('projectId'),
    json: z.object({
      uploadId: z.string().max(64),
      modelName: displayName,
      task: z.enum(tasks).optional().describe('Left out, the form of the outputs tells it.'),
      target: columnName
        .optional()
        .describe('What is predicted. Versions that share an endpoint must have the same target.'),
      classes: z
        .array(z.string().max(1000))
        .min(2)
        .max(10_000)
        .optional()
        .describe('In the order of the scores, where the file does not name them.'),
      columns: z
        .array(columnName)
        .min(1)
        .max(20_000)
        .optional()
        .describe(
          'In the order in which the model takes them; left out, its inputs name them, or f0, f1, ...',
        ),
    }),
    maxBodyBytes: 8_388_608,
  },
  response: { status: 201, json: modelVersion },
  problems: [
    'not-found',
    'wrong-state',
    'onnx-invalid',
    'onnx-unsupported',
    'memory-limit',
    'time-limit',
    'worker-lost',
    'disk-full',
    'feature-not-installed',
  ],
});

export const signModelVersion = operation({
  operationId: 'signModelVersion',
  method: 'post',
  path: '/model-versions/{versionId}/signature',
  summary: 'Sign a version anew whose key was withdrawn: you vouch for the file that was registered',
  tag,
  policy: 'key:manage',
  request: { params: idParam('versionId') },
  response: { status: 200, json: modelVersion },
  problems: ['not-found', 'wrong-state', 'model-file-invalid'],
});

export const setModelAlias = operation({
  operationId: 'setModelAlias',
  method: 'put',
  path: '/models/{modelId}/aliases/{alias}',
  summary: 'Point an alias at a version',
  tag,
  policy: 'model:write',
  request: {
    params: z.object({ modelId: z.string().max(64), alias: aliasName }),
    json: z.object({ versionNumber: z.number().int().min(1) }),
  },
  response: { status: 200, json: model },
  problems: ['not-found'],
});

export const removeModelAlias = operation({
  operationId: 'removeModelAlias',
  method: 'delete',
  path: '/models/{modelId}/aliases/{alias}',
  summary: 'Remove an alias',
  tag,
  policy: 'model:write',
  request: { params: z.object({ modelId: z.string().max(64), alias: aliasName }) },
  response: { status: 204 },
  problems: ['not-found'],
});
