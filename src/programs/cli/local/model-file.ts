// A model file that the reader named, opened and checked.
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { Problem } from '../../../base/problems.ts';
import { signerOf, type PublicKey, type Trust } from '../../../ml/model/header.ts';
import type { ModelContent } from '../../../ml/model/manifest.ts';
import { readModel } from '../../../ml/model/model.ts';
import { predictorOf, type Predictor } from '../../../ml/model/predictor.ts';
import { checkFile, isFile } from '../files.ts';

const largestBytes = 1024 ** 3;

/** Whether `reference` means a model file rather than something on a server. */
export async function isModelFile(reference: string): Promise<boolean> {
  return reference.endsWith('.pilvi') || (await isFile(reference));
}

/** Opens the model file at `path`. @throws Problem naming the file when it is not there, not valid or not trusted */
export async function openModelFile(path: string, trust?: Trust): Promise<Predictor> {
  return predictorOf((await readModelFile(path, trust)).content);
}

/** The whole content of the model file at `path`, and who signed it. @throws Problem as {@link openModelFile} does */
export async function readModelFile(
  path: string,
  trust?: Trust,
): Promise<{ content: ModelContent; signer: PublicKey | undefined }> {
  const { sizeBytes } = await checkFile(path);
  if (sizeBytes > largestBytes)
    throw new Problem('model-file-invalid', `"${path}" is larger than a model file can be.`);
  try {
    const bytes = await readFile(path);
    return { content: await readModel(bytes, trust), signer: signerOf(bytes) };
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    throw new Problem(error.code, `"${basename(path)}": ${error.message}`, { cause: error });
  }
}
