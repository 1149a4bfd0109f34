// How many rows an uploaded file has, and its columns: what a quote needs. The worker's half.
import type { Task } from '../../platform/ports/jobs.ts';
import { countFile, type CountedFile, type FileSource } from '../data/convert-file.ts';

export type CountTaskInput = FileSource;
export type CountTaskOutput = CountedFile;

export const run: Task<CountTaskInput, CountTaskOutput> = async (input, { workFolder, signal }) =>
  await countFile(input, { workFolder, signal });
