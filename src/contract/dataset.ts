// Datasets: named, with immutable versions. A version is made by an import job from an upload, a file on the server,
// an address, or the kept source of an earlier version read again with corrected options.
import { z } from 'zod';
import { displayName, idParam, isoTime, operation, page, pageQuery } from './operation.ts';
import { problemSchema } from './problem.ts';

const tag = 'Dataset';

export const columnTypes = ['integer', 'number', 'boolean', 'date', 'datetime', 'text'] as const;
export const columnType = z.enum(columnTypes);
export type ColumnType = z.infer<typeof columnType>;

/** How a file is read. Whatever is left out is detected; what was detected is shown in the version and can be corrected. */
export const importOptions = z
  .object({
    format: z
      .enum(['csv', 'json-lines', 'parquet'])
      .optional()
      .describe('csv covers every delimited text, TSV included.'),
    compression: z.enum(['none', 'gzip']).optional(),
    encoding: z.enum(['utf-8', 'utf-16le', 'utf-16be', 'windows-1252', 'iso-8859-1']).optional(),
    delimiter: z.string().min(1).max(4).optional(),
    quote: z.string().max(1).optional().describe('Empty where fields are never quoted.'),
    escape: z
      .string()
      .max(1)
      .optional()
      .describe('Stands before a quote inside a quoted field; the quote itself unless said otherwise.'),
    hasHeader: z.boolean().optional(),
    decimalSeparator: z.enum(['.', ',']).optional(),
    dateFormat: z.string().max(40).optional().describe('Such as %d.%m.%Y.'),
    nullValues: z
      .array(z.string().max(40))
      .max(20)
      .optional()
      .describe('Texts that mean "missing", besides the empty one.'),
    raggedRows: z
      .enum(['refuse', 'fill', 'skip'])
      .optional()
      .describe('Rows with too few or too many fields; refused unless said otherwise.'),
    columns: z
      .record(z.string(), z.object({ type: columnType }))
      .optional()
      .describe('Types to use instead of the detected ones, by column name.'),
  })
  .meta({ id: 'ImportOptions' });
export type ImportOptions = z.infer<typeof importOptions>;

export const importSource = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('upload'), uploadId: z.string().max(64) }),
  z.object({
    kind: z.literal('path'),
    path: z.string().min(1).max(4096).describe("A file in one of the server's import folders."),
  }),
  z.object({ kind: z.literal('url'), url: z.url().max(4096) }),
  z.object({
    kind: z.literal('version'),
    versionId: z.string().max(64).describe('Read the kept source of this version again.'),
  }),
]);
export type ImportSource = z.infer<typeof importSource>;

export const datasetColumn = z.object({ name: z.string(), type: columnType }).meta({ id: 'DatasetColumn' });

export const versionStates = ['importing', 'ready', 'failed'] as const;

export const datasetVersion = z
  .object({
    id: z.string(),
    datasetId: z.string(),
    number: z.number().int(),
    state: z.enum(versionStates),
    jobId: z.string(),
    sourceLabel: z.string().describe('File name or address that it was made from.'),
    /** What the file was read with, detected or given; empty until it is ready. */
    options: importOptions,
    columns: z.array(datasetColumn),
    rowCount: z.number().int().nullable(),
    sizeBytes: z.number().int().nullable().describe('Of the Parquet content.'),
    contentSha256: z.string().nullable(),
    profileJobId: z
      .string()
      .nullable()
      .describe('The job that describes its columns; started when it is ready.'),
    warnings: z.array(z.string()),
    problem: problemSchema.nullable(),
    createdAt: isoTime,
  })
  .meta({ id: 'DatasetVersion' });

export const dataset = z
  .object({
    id: z.string(),
    projectId: z.string(),
    name: z.string(),
    createdAt: isoTime,
    latestVersion: datasetVersion.nullable(),
  })
  .meta({ id: 'Dataset' });

const warningCodes = [
  'constant',
  'id-like',
  'duplicate-rows',
  'duplicate-column',
  'mostly-missing',
  'mixed-types',
  'leakage-suspect',
  'high-cardinality',
  'skewed',
] as const;

/** What one column holds. */
export const columnProfile = z
  .object({
    name: z.string(),
    type: columnType,
    role: z
      .enum(['numeric', 'categorical', 'boolean', 'date', 'text', 'id', 'constant', 'empty'])
      .describe('How a training would read it.'),
    missingCount: z.number().int(),
    distinctCount: z.number().int().describe('Approximate above 10,000.'),
    numeric: z
      .object({
        mean: z.number(),
        standardDeviation: z.number(),
        minimum: z.number(),
        maximum: z.number(),
        quantiles: z.array(z.object({ share: z.number(), value: z.number() })),
      })
      .nullable(),
    /** Dates as RFC 3339. */
    range: z.object({ earliest: z.string(), latest: z.string() }).nullable(),
    histogram: z
      .object({ edges: z.array(z.number()), counts: z.array(z.number().int()) })
      .nullable()
      .describe('Epoch milliseconds for dates, lengths for texts.'),
    topValues: z.array(z.object({ value: z.string(), count: z.number().int() })),
  })
  .meta({ id: 'ColumnProfile' });

export const datasetProfile = z
  .object({
    rowCount: z.number().int(),
    duplicateRowCount: z.number().int().nullable(),
    columns: z.array(columnProfile),
    correlations: z
      .array(z.object({ a: z.string(), b: z.string(), value: z.number() }))
      .describe('Pearson, numeric columns, strongest first.'),
    warnings: z.array(
      z.object({ code: z.enum(warningCodes), columns: z.array(z.string()), message: z.string() }),
    ),
    sampledRowCount: z
      .number()
      .int()
      .nullable()
      .describe('Rows that the costlier figures were computed from; null: all.'),
  })
  .meta({ id: 'DatasetProfile' });
export type DatasetProfile = z.infer<typeof datasetProfile>;

const cell = z.union([z.string(), z.number(), z.boolean(), z.null()]);

export const table = z
  .object({
    columns: z.array(z.object({ name: z.string(), type: z.string() })),
    rows: z.array(z.array(cell)),
  })
  .meta({ id: 'Table' });

const imported = z.object({ dataset, version: datasetVersion, jobId: z.string() });

export const importPreview = z
  .object({
    options: importOptions,
    columns: z.array(datasetColumn),
    rows: z.array(z.array(cell)),
    warnings: z.array(z.string()),
  })
  .meta({ id: 'ImportPreview' });

export const previewImport = operation({
  operationId: 'previewImport',
  method: 'post',
  path: '/projects/{projectId}/import-previews',
  summary: 'How a file would be read: detected options, types and the first 50 rows',
  tag,
  policy: 'dataset:write',
  request: {
    params: idParam('projectId'),
    json: z.object({ source: importSource, options: importOptions.default({}) }),
  },
  response: { status: 200, json: importPreview },
  problems: [
    'not-found',
    'file-empty',
    'file-unreadable',
    'row-ragged',
    'too-many-columns',
    'field-too-large',
    'decompression-limit',
    'path-forbidden',
  ],
});

export const createDataset = operation({
  operationId: 'createDataset',
  method: 'post',
  path: '/projects/{projectId}/datasets',
  summary: 'Make a dataset and import its first version',
  tag,
  policy: 'dataset:write',
  request: {
    params: idParam('projectId'),
    json: z.object({ name: displayName, source: importSource, options: importOptions.default({}) }),
  },
  response: { status: 202, json: imported },
  problems: [
    'not-found',
    'already-exists',
    'path-forbidden',
    'address-forbidden',
    'budget-exceeded',
    'wrong-state',
  ],
});

export const createDatasetVersion = operation({
  operationId: 'createDatasetVersion',
  method: 'post',
  path: '/datasets/{datasetId}/versions',
  summary: 'Import another version',
  tag,
  policy: 'dataset:write',
  request: {
    params: idParam('datasetId'),
    json: z.object({ source: importSource, options: importOptions.default({}) }),
  },
  response: { status: 202, json: imported },
  problems: ['not-found', 'path-forbidden', 'address-forbidden', 'budget-exceeded', 'wrong-state'],
});

export const listDatasets = operation({
  operationId: 'listDatasets',
  method: 'get',
  path: '/projects/{projectId}/datasets',
  summary: 'The datasets of a project',
  tag,
  policy: 'dataset:read',
  request: { params: idParam('projectId'), query: pageQuery },
  response: { status: 200, json: page(dataset) },
  problems: ['not-found'],
});

export const getDataset = operation({
  operationId: 'getDataset',
  method: 'get',
  path: '/datasets/{datasetId}',
  summary: 'One dataset',
  tag,
  policy: 'dataset:read',
  request: { params: idParam('datasetId') },
  response: { status: 200, json: dataset },
  problems: ['not-found'],
});

export const deleteDataset = operation({
  operationId: 'deleteDataset',
  method: 'delete',
  path: '/datasets/{datasetId}',
  summary: 'Delete a dataset with its versions; models made from it stay',
  tag,
  policy: 'dataset:write',
  request: { params: idParam('datasetId') },
  response: { status: 204 },
  problems: ['not-found', 'wrong-state'],
});

export const listDatasetVersions = operation({
  operationId: 'listDatasetVersions',
  method: 'get',
  path: '/datasets/{datasetId}/versions',
  summary: 'The versions of a dataset, newest first',
  tag,
  policy: 'dataset:read',
  request: { params: idParam('datasetId'), query: pageQuery },
  response: { status: 200, json: page(datasetVersion) },
  problems: ['not-found'],
});

export const getDatasetVersion = operation({
  operationId: 'getDatasetVersion',
  method: 'get',
  path: '/dataset-versions/{versionId}',
  summary: 'One version',
  tag,
  policy: 'dataset:read',
  request: { params: idParam('versionId') },
  response: { status: 200, json: datasetVersion },
  problems: ['not-found'],
});

export const getDatasetProfile = operation({
  operationId: 'getDatasetProfile',
  method: 'get',
  path: '/dataset-versions/{versionId}/profile',
  summary: 'What a version holds, column by column; waits for some seconds when it has just been imported',
  tag,
  policy: 'dataset:read',
  request: { params: idParam('versionId') },
  response: { status: 200, json: datasetProfile },
  problems: ['not-found', 'wrong-state', 'profile-pending'],
});

export const getDatasetRows = operation({
  operationId: 'getDatasetRows',
  method: 'get',
  path: '/dataset-versions/{versionId}/rows',
  summary: 'Some rows of a version',
  tag,
  policy: 'dataset:read',
  request: {
    params: idParam('versionId'),
    query: z.object({
      offset: z.coerce.number().int().min(0).default(0),
      limit: z.coerce.number().int().min(1).max(500).default(50),
    }),
  },
  response: { status: 200, json: table },
  problems: ['not-found', 'wrong-state'],
});

export const downloadDatasetVersion = operation({
  operationId: 'downloadDatasetVersion',
  method: 'get',
  path: '/dataset-versions/{versionId}/content',
  summary: 'The version as Parquet',
  tag,
  policy: 'dataset:read',
  request: { params: idParam('versionId') },
  response: { status: 200, stream: ['application/vnd.apache.parquet'] },
  problems: ['not-found', 'wrong-state'],
});

export const queryResult = z
  .object({ table, rowCount: z.number().int(), truncated: z.boolean(), elapsedMs: z.number() })
  .meta({ id: 'QueryResult' });

export const runQuery = operation({
  operationId: 'runQuery',
  method: 'post',
  path: '/projects/{projectId}/queries',
  summary: 'SQL (SELECT) over the datasets of a project; each is a table by its name, newest version',
  tag,
  policy: 'dataset:query',
  request: {
    params: idParam('projectId'),
    json: z.object({
      sql: z.string().min(1).max(100_000),
      maxRows: z.number().int().min(1).max(100_000).default(1000),
    }),
  },
  response: { status: 200, json: queryResult },
  problems: ['not-found', 'query-invalid', 'query-forbidden', 'query-limit', 'budget-exceeded'],
});
