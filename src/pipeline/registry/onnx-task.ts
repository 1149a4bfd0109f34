// The worker's half of bringing a foreign model in: reads an ONNX file and runs it once, to see what it answers. Away from
// the server's own memory and thread, because a graph is a program that somebody else wrote.
import { readFile } from 'node:fs/promises';
import { tryModel } from '../../ml/onnx/first-run.ts';
import { readOnnx } from '../../ml/onnx/read.ts';
import { draftSignature, type OnnxOptions, type OnnxSignature } from '../../ml/onnx/signature.ts';
import { withoutZipMaps } from '../../ml/onnx/without-zip-maps.ts';
import { openOnnxSession } from '../../platform/drivers/onnx-runtime.ts';
import type { Task } from '../../platform/ports/jobs.ts';

/** What is known of where a file comes from. */
export interface OnnxSource {
  producer: string;
  irVersion: number;
  operatorSets: { domain: string; version: number }[];
}

export interface OnnxTaskInput {
  modelPath: string;
  options: OnnxOptions;
}

export const run: Task<OnnxTaskInput, { signature: OnnxSignature; source: OnnxSource }> = async ({
  modelPath,
  options,
}) => {
  const bytes = await readFile(modelPath);
  const file = readOnnx(bytes);
  const draft = draftSignature(file, options);
  const session = await openOnnxSession(withoutZipMaps(bytes));
  const signature = await tryModel(draft, (asked) => session.run(asked));
  const { producer, irVersion, operatorSets } = file;
  return { signature, source: { producer, irVersion, operatorSets } };
};
