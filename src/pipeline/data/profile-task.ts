// The worker's half of describing a version: reads its Parquet content, returns the profile. No database, no network.
import type { DatasetProfile } from '../../contract/dataset.ts';
import { openDataEngine } from '../../platform/drivers/duckdb.ts';
import type { Task } from '../../platform/ports/jobs.ts';
import { engineShareOf } from './engine-share.ts';
import { asImportProblem } from './import/engine-problems.ts';
import { profileContent, type Content } from './profile/profile.ts';

export type ProfileTaskInput = Content & {
  /** Room on the disk for what does not fit into memory. */
  maxSpillBytes: number;
};

export type ProfileTaskOutput = { profile: DatasetProfile };

export const run: Task<ProfileTaskInput, ProfileTaskOutput> = async (input, context) => {
  const { maxSpillBytes, ...content } = input;
  const { workFolder, signal, progress } = context;
  const message = 'describing the columns';
  progress(0, message);
  const engine = await openDataEngine({
    ...engineShareOf(content.columns.length),
    workFolder,
    maxSpillBytes,
    readablePaths: [content.path],
  });
  signal.addEventListener('abort', () => engine.interrupt(), { once: true });
  try {
    return { profile: await profileContent(engine, content, (share) => progress(share, message)) };
  } catch (error) {
    signal.throwIfAborted();
    throw asImportProblem(error, 'parquet');
  } finally {
    engine.close();
  }
};
