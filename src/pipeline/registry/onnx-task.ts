// The worker's half of foreign models: opens an ONNX file in a runtime and keeps it open while the process lives, which
// is as long as rows come (lanes of platform/jobs). Away from the server's own memory and thread, because a graph is a
// program that somebody else wrote.
import { readFile } from 'node:fs/promises';
import { tryModel } from '../../ml/onnx/first-run.ts';
import { readOnnx } from '../../ml/onnx/read.ts';
import { draftSignature, type OnnxOptions, type OnnxSignature } from '../../ml/onnx/signature.ts';
import type { FeedAnswer, GraphRun } from '../../ml/onnx/tensors.ts';
import { withoutZipMaps } from '../../ml/onnx/without-zip-maps.ts';
import { openOnnxSession, type OnnxSession } from '../../platform/drivers/onnx-runtime.ts';
import type { Task } from '../../platform/ports/jobs.ts';

/** What is known of where a file comes from. */
export interface OnnxSource {
  producer: string;
  irVersion: number;
  operatorSets: { domain: string; version: number }[];
}

export type OnnxTaskInput = { modelPath: string } & (
  | { kind: 'open'; options: OnnxOptions }
  | { kind: 'run'; run: GraphRun }
);
/** By the kind of the question. */
export interface OnnxTaskOutput {
  opened?: { signature: OnnxSignature; source: OnnxSource };
  answers?: FeedAnswer[];
}

let kept: { modelPath: string; session: Promise<OnnxSession> } | undefined;

export const run: Task<OnnxTaskInput, OnnxTaskOutput> = async (input) => {
  const { modelPath } = input;
  if (input.kind === 'run') return { answers: await (await sessionOf(modelPath)).run(input.run) };
  const file = readOnnx(await readFile(modelPath));
  const draft = draftSignature(file, input.options);
  const session = await sessionOf(modelPath);
  const signature = await tryModel(draft, (asked) => session.run(asked));
  const { producer, irVersion, operatorSets } = file;
  return { opened: { signature, source: { producer, irVersion, operatorSets } } };
};

/** Blobs never change, so a path says which model it is. */
async function sessionOf(modelPath: string): Promise<OnnxSession> {
  if (kept?.modelPath !== modelPath) {
    const session = readFile(modelPath).then((bytes) => openOnnxSession(withoutZipMaps(bytes)));
    kept = { modelPath, session };
  }
  try {
    return await kept.session;
  } catch (error) {
    kept = undefined;
    throw error;
  }
}
