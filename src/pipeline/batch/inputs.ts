// What a batch reads and what it goes through, looked up and compared before anything is paid.
import { Problem } from '../../base/problems.ts';
import { minuteMs } from '../../base/time.ts';
import type { BatchInput, BatchModel } from '../../contract/batch.ts';
import type { ColumnType, ImportOptions } from '../../contract/dataset.ts';
import type { Context } from '../../platform/context.ts';
import { requireReadyVersion, uploadedFile } from '../data/data.ts';
import { importLimitsOf, taskOptions } from '../data/import/source-limits.ts';
import { predictionTarget } from '../deploy/deploy.ts';
import { getModelVersion, type ModelVersion } from '../registry/registry.ts';
import type { CountTaskInput, CountTaskOutput } from './count-task.ts';

/** Blobs that hold the rows, and how they are read. `table`: Parquet content of a dataset. `file`: as it was uploaded. */
export interface StoredInput {
  kind: 'table' | 'file';
  parts: { sha256: string; sizeBytes: number }[];
  options: ImportOptions;
}

export interface KnownInput {
  stored: StoredInput;
  label: string;
  rowCount: number;
  columns: string[];
}

const countLimits = { memoryBytes: 1_073_741_824, timeoutMs: 10 * minuteMs };

/** Looks at the input; a file is read once to count its rows. Throws `not-found`, `wrong-state`, or what is wrong with it. */
export async function knownInput(
  context: Context,
  projectId: string,
  { input, model }: { input: BatchInput; model: ModelVersion },
): Promise<KnownInput> {
  if (input.kind === 'upload') return await knownUpload(context, projectId, { input, model });
  const version = await requireReadyVersion(context, input.versionId);
  if (version.projectId !== projectId)
    throw new Problem('not-found', `The project has no dataset version ${input.versionId}.`);
  const { datasetName, number, rowCount, columns, contentSha256 } = version;
  const parts = [{ sha256: contentSha256, sizeBytes: 0 }];
  return {
    stored: { kind: 'table', parts, options: {} },
    label: `${datasetName}, version ${number}`,
    rowCount,
    columns: columns.map(({ name }) => name),
  };
}

async function knownUpload(
  context: Context,
  projectId: string,
  { input, model }: { input: BatchInput & { kind: 'upload' }; model: ModelVersion },
): Promise<KnownInput> {
  const { fileName, parts } = await uploadedFile(context, projectId, input.uploadId);
  const counted = await context.jobs.runTask<CountTaskInput, CountTaskOutput>(
    new URL('./count-task.ts', import.meta.url),
    {
      sourcePaths: await Promise.all(parts.map(({ sha256 }) => context.blobs.localPath(sha256))),
      options: taskOptions(input.options),
      limits: importLimitsOf(context.limits),
    },
    { limits: countLimits, signal: context.signal },
  );
  if (counted.rowCount === 0) throw new Problem('file-empty', 'The file has a header and no rows.');
  const { columns: given, ...options } = input.options;
  const types = counted.format === 'parquet' ? given : { ...textColumns(model, counted.columns), ...given };
  return {
    stored: { kind: 'file', parts, options: { ...options, ...(types && { columns: types }) } },
    label: fileName,
    rowCount: counted.rowCount,
    columns: counted.columns,
  };
}

/** Categories and texts stay as they are written: 007 is none of the categories that 7 is. */
function textColumns(model: ModelVersion, columns: readonly string[]): Record<string, { type: ColumnType }> {
  const written = new Set(
    model.fields.filter(({ kind }) => kind === 'categorical' || kind === 'text').map(({ name }) => name),
  );
  return Object.fromEntries(
    columns.filter((name) => written.has(name)).map((name) => [name, { type: 'text' }]),
  );
}

/** The version that answers: of an endpoint the one with most of its traffic. Throws `not-found`, `endpoint-not-ready`. */
export async function answeringVersion(
  context: Context,
  projectId: string,
  through: BatchModel,
): Promise<ModelVersion> {
  const version = await getModelVersion(context, await versionIdOf(context, projectId, through));
  if (version.projectId !== projectId)
    throw new Problem('not-found', `The project has no model version ${version.id}.`);
  if (version.format === 'onnx')
    throw new Problem(
      'onnx-unsupported',
      'Batches go through models made here; ask an endpoint for the answers of an imported ONNX model.',
    );
  return version;
}

async function versionIdOf(context: Context, projectId: string, through: BatchModel): Promise<string> {
  if (through.kind === 'model-version') return through.modelVersionId;
  const target = await predictionTarget(context, through.endpointId);
  if (target.projectId !== projectId)
    throw new Problem('not-found', `The project has no endpoint ${through.endpointId}.`);
  const [largest] = target.deployments.toSorted((one, other) => other.trafficShare - one.trafficShare);
  if (!largest) throw new Problem('endpoint-not-ready', `No version answers for ${through.endpointId}.`);
  return largest.modelVersionId;
}
