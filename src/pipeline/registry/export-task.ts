// The worker's half of exports: opens the model file and writes it anew, away from the server's own thread.
import { readFile } from 'node:fs/promises';
import { Problem } from '../../base/problems.ts';
import { readModel } from '../../ml/model/model.ts';
import { exportOnnx } from '../../ml/onnx/export.ts';
import type { Task } from '../../platform/ports/jobs.ts';

export interface ExportTaskInput {
  modelPath: string;
}

/** What crosses the process boundary is JSON. */
export interface ExportTaskOutput {
  base64: string;
}

/** As base64 it stays below what a task may answer. */
const largestBytes = 45 * 1_048_576;

export const run: Task<ExportTaskInput, ExportTaskOutput> = async ({ modelPath }) => {
  const bytes = exportOnnx(await readModel(await readFile(modelPath)));
  if (bytes.length > largestBytes) {
    throw new Problem(
      'export-unsupported',
      `As ONNX the model has ${Math.ceil(bytes.length / 1_048_576)} MiB, a server sends at most 45. Download the model file, and use "pilvi export" on it.`,
    );
  }
  return { base64: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64') };
};
