// Importing an ONNX file that was uploaded: it is opened and run once before it becomes a version.
import type { z } from 'zod';
import { Problem } from '../../base/problems.ts';
import type { importOnnxModel as importOperation } from '../../contract/model.ts';
import type { Context } from '../../platform/context.ts';
import { uploadedFile } from '../data/data.ts';
import { examineOnnx, summariseOnnx } from './onnx.ts';
import { registerSummary, type ModelVersion } from './registry.ts';

type Wanted = z.output<(typeof importOperation)['request']['json']>;

/** Such files are opened in 2 GiB of memory, several times over: as bytes, as weights, and as answers on their way. */
const maxFileBytes = 268_435_456;

/**
 * Registers an uploaded ONNX file as a new version of the model called `modelName` (and the model, if it is new).
 * Throws `not-found` and `wrong-state` for the upload, `body-too-large`, `invalid-request` where something has to be
 * said that the file does not say, and what {@link examineOnnx} throws.
 */
export async function importOnnxModel(
  context: Context,
  { projectId, uploadId, modelName, ...options }: Wanted & { projectId: string },
): Promise<ModelVersion> {
  const { sizeBytes, stream } = await uploadedFile(context, projectId, uploadId);
  if (sizeBytes > maxFileBytes) {
    const detail = `The file has ${sizeBytes} bytes; ONNX models may have at most ${maxFileBytes}.`;
    throw new Problem('body-too-large', detail);
  }
  const { sha256 } = await context.blobs.put(stream, { maxBytes: maxFileBytes, signal: context.signal });
  const version = await examineOnnx(context, sha256, options);
  return await registerSummary(context, {
    projectId,
    modelName,
    fileSha256: sha256,
    fileSizeBytes: sizeBytes,
    lineage: null,
    summary: summariseOnnx(version),
  });
}
