// How long a batch may take, from how long the model takes for some rows now. A guess, and called one.
import { availableParallelism } from 'node:os';
import type { Context } from '../../platform/context.ts';
import { openModelVersion, type ModelVersion } from '../registry/registry.ts';
import type { KnownInput } from './inputs.ts';

/** Starting, opening the model, storing the result. */
const overheadSeconds = 3;
/** Reading and writing a value on one core. */
const secondsPerValue = 5e-8;
/** Reading a value of a file that is no Parquet. */
const secondsPerFileValue = 2e-7;
/** What row objects take above columns is about what the machine does besides. */
const tryRows = [1, 64] as const;
const shortTryMs = 5;

/** Seconds of wall clock. */
export async function estimatedSeconds(
  context: Context,
  { model, input }: { model: ModelVersion; input: KnownInput },
): Promise<number> {
  const { model: predictor } = await openModelVersion(context, model.id);
  let secondsPerRow = 0;
  for (const count of tryRows) {
    const rows = Array.from({ length: count }, () => ({}));
    const startMs = performance.now();
    // oxlint-disable-next-line no-await-in-loop -- the second try is for models that were quick in the first
    await predictor.predictRows(rows);
    const elapsedMs = performance.now() - startMs;
    secondsPerRow = elapsedMs / 1000 / count;
    if (elapsedMs > shortTryMs) break;
  }
  const { rowCount, columns, stored } = input;
  const values = rowCount * columns.length;
  const reading = values * (stored.kind === 'file' ? secondsPerFileValue : secondsPerValue);
  const answering = (rowCount * secondsPerRow) / availableParallelism();
  return Math.ceil(overheadSeconds + reading + answering);
}
