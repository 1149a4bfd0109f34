// Batches: many rows through a model as a job, from a table into a table. The price is quoted first.
import { z } from 'zod';
import { importOptions } from './dataset.ts';
import { jobStates } from './job.ts';
import { displayName, idParam, isoTime, microUsd, operation, page, pageQuery } from './operation.ts';
import { problemSchema } from './problem.ts';

const tag = 'Batch';

export const batchInput = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('dataset-version'), versionId: z.string().max(64) }),
  z.object({
    kind: z.literal('upload'),
    uploadId: z.string().max(64),
    options: importOptions.default({}).describe('How the file is read, where detecting it goes wrong.'),
  }),
]);
export type BatchInput = z.output<typeof batchInput>;

export const batchModel = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('model-version'), modelVersionId: z.string().max(64) }),
  z.object({
    kind: z.literal('endpoint'),
    endpointId: z
      .string()
      .max(64)
      .describe('The version that gets most of its traffic when the batch starts.'),
  }),
]);
export type BatchModel = z.output<typeof batchModel>;

/** What goes through what. */
const question = z.object({ input: batchInput, through: batchModel });

export const batchOutput = z.object({
  format: z.enum(['parquet', 'csv']).default('parquet').describe('Of the file to download.'),
  columns: z
    .array(z.string().max(1000))
    .max(10_000)
    .nullable()
    .default(null)
    .describe('Columns of the input that stand before the answers; null: all of them.'),
  badRows: z
    .enum(['mark', 'refuse'])
    .default('mark')
    .describe(
      'mark: a row with a value that does not fit has no answer, costs nothing, and the column "problem" says why. refuse: such a row ends the batch, which then costs nothing.',
    ),
  datasetName: displayName
    .nullable()
    .default(null)
    .describe(
      'Also keep the result as a version of the dataset of this name, which is made when it is missing.',
    ),
});
export type BatchOutput = z.output<typeof batchOutput>;

const callback = z.object({
  url: z
    .url({ protocol: /^https?$/ })
    .max(2048)
    .describe('Called with POST when the batch has ended; a public address.'),
  secret: z
    .string()
    .min(24)
    .max(200)
    .describe(
      'Signs the call (header webhook-signature, as Standard Webhooks has it); kept until it has arrived.',
    ),
});

export const batchQuote = z
  .object({
    rowCount: z.number().int(),
    maximumMicroUsd: microUsd.describe('What the batch sets aside; rows without an answer are not charged.'),
    estimatedSeconds: z.number(),
    modelVersionId: z.string(),
    modelName: z.string(),
    versionNumber: z.number().int(),
    columns: z.array(z.string()).describe('Of the input.'),
    missingColumns: z
      .array(z.string())
      .describe('The model reads them and the input lacks them: missing in every row.'),
    warnings: z.array(z.string()),
  })
  .meta({ id: 'BatchQuote' });

export const batch = z
  .object({
    id: z.string(),
    projectId: z.string(),
    jobId: z.string(),
    state: z.enum(jobStates),
    progress: z.object({ share: z.number(), message: z.string() }),
    inputLabel: z.string().describe('File name, or dataset and version.'),
    endpointId: z.string().nullable(),
    modelVersionId: z.string(),
    modelName: z.string(),
    versionNumber: z.number().int(),
    output: batchOutput,
    rowCount: z.number().int(),
    answeredRowCount: z.number().int().nullable(),
    problems: z
      .array(z.object({ row: z.number().int(), message: z.string() }))
      .describe('The first rows that have no answer; the first row of the input is 1.'),
    warnings: z.array(z.string()),
    fileSizeBytes: z.number().int().nullable(),
    datasetId: z.string().nullable(),
    datasetVersionId: z.string().nullable(),
    reservedMicroUsd: microUsd,
    chargedMicroUsd: microUsd.nullable(),
    callback: z
      .object({ url: z.string(), state: z.enum(['waiting', 'delivered', 'failed']), detail: z.string() })
      .nullable(),
    problem: problemSchema.nullable(),
    createdAt: isoTime,
    startedAt: isoTime.nullable(),
    finishedAt: isoTime.nullable(),
  })
  .meta({ id: 'Batch' });

const inputProblems = [
  'not-found',
  'wrong-state',
  'endpoint-not-ready',
  'prediction-input',
  'invalid-request',
  'onnx-unsupported',
  'file-empty',
  'file-unreadable',
  'row-ragged',
  'too-many-columns',
  'field-too-large',
  'decompression-limit',
] as const;

export const quoteBatch = operation({
  operationId: 'quoteBatch',
  method: 'post',
  path: '/projects/{projectId}/batch-quotes',
  summary: 'What a batch would cost and take: its rows are counted, its columns compared with the model',
  tag,
  policy: 'batch:read',
  request: { params: idParam('projectId'), json: question },
  response: { status: 200, json: batchQuote },
  problems: inputProblems,
});

export const createBatch = operation({
  operationId: 'createBatch',
  method: 'post',
  path: '/projects/{projectId}/batches',
  summary: 'Start a batch; what it can cost at most is set aside',
  tag,
  policy: 'batch:write',
  request: {
    params: idParam('projectId'),
    json: question.extend({
      output: batchOutput.default({ format: 'parquet', columns: null, badRows: 'mark', datasetName: null }),
      callback: callback.nullable().default(null),
      maxMicroUsd: microUsd.min(0).nullable().default(null).describe('Do not start if it could cost more.'),
    }),
  },
  response: { status: 202, json: batch },
  problems: [...inputProblems, 'column-unknown', 'budget-exceeded'],
});

export const listBatches = operation({
  operationId: 'listBatches',
  method: 'get',
  path: '/projects/{projectId}/batches',
  summary: 'The batches of a project, newest first',
  tag,
  policy: 'batch:read',
  request: {
    params: idParam('projectId'),
    query: pageQuery.extend({
      endpointId: z.string().max(64).optional(),
      modelVersionId: z.string().max(64).optional(),
    }),
  },
  response: { status: 200, json: page(batch) },
  problems: ['not-found'],
});

export const getBatch = operation({
  operationId: 'getBatch',
  method: 'get',
  path: '/batches/{batchId}',
  summary: 'One batch',
  tag,
  policy: 'batch:read',
  request: { params: idParam('batchId') },
  response: { status: 200, json: batch },
  problems: ['not-found'],
});

export const cancelBatch = operation({
  operationId: 'cancelBatch',
  method: 'post',
  path: '/batches/{batchId}/cancel',
  summary: 'Ask a batch to end; it then costs nothing',
  tag,
  policy: 'batch:write',
  request: { params: idParam('batchId') },
  response: { status: 202, json: batch },
  problems: ['not-found'],
});

export const downloadBatch = operation({
  operationId: 'downloadBatch',
  method: 'get',
  path: '/batches/{batchId}/file',
  summary: 'The file of a finished batch',
  tag,
  policy: 'batch:read',
  request: { params: idParam('batchId') },
  response: { status: 200, stream: ['application/vnd.apache.parquet', 'text/csv'] },
  problems: ['not-found', 'wrong-state'],
});

export const deleteBatch = operation({
  operationId: 'deleteBatch',
  method: 'delete',
  path: '/batches/{batchId}',
  summary: 'Remove a batch that has ended, and its file; a dataset made from it stays',
  tag,
  policy: 'batch:write',
  request: { params: idParam('batchId') },
  response: { status: 204 },
  problems: ['not-found', 'wrong-state'],
});
