// Model files in formats of others, made by a worker (export-task.ts) whenever one is asked for.
import { Problem } from '../../base/problems.ts';
import { minuteMs } from '../../base/time.ts';
import type { ModelFormat } from '../../contract/model.ts';
import type { Context } from '../../platform/context.ts';
import type { StreamOutput } from '../../platform/http/route.ts';
import type { ExportTaskInput, ExportTaskOutput } from './export-task.ts';
import { downloadModelFile, getModelVersion, modelFilePath } from './registry.ts';

const taskModule = new URL('./export-task.ts', import.meta.url);
const limits = { memoryBytes: 2048 * 1_048_576, timeoutMs: minuteMs };

/** The file of a version in a format. Throws `not-found` or `export-unsupported`. */
export async function exportModelFile(
  context: Context,
  versionId: string,
  format: ModelFormat,
): Promise<StreamOutput> {
  const { modelName, number, format: own } = await getModelVersion(context, versionId);
  if (format === own) return await downloadModelFile(context, versionId);
  if (own === 'onnx') {
    const detail = 'The model was imported as ONNX and has no model file of its own. Download it as ONNX.';
    throw new Problem('export-unsupported', detail, {
      errors: [{ field: 'format', message: 'must be onnx for this version' }],
    });
  }
  const { base64 } = await context.jobs.runTask<ExportTaskInput, ExportTaskOutput>(
    taskModule,
    { modelPath: (await modelFilePath(context, versionId)).path },
    { limits, signal: context.signal },
  );
  const bytes = Buffer.from(base64, 'base64');
  return {
    contentType: 'application/octet-stream',
    body: (async function* () {
      yield bytes;
    })(),
    sizeBytes: bytes.length,
    fileName: `${modelName}-${number}.${format}`,
  };
}
