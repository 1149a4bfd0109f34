// Whether a dataset version has more rows than a search can hold in memory, and if so, which rows are for what: a sample
// to search among, rows to learn from, rows to stop by, rows held out. Each is an interval of draws (data/row-stream.ts).
import type { Recipe } from '../../contract/training.ts';
import type { Draws } from '../../ml/frame/row-stream.ts';
import { searchableRows } from '../../ml/search/affordable-rows.ts';
import { canDraw, openRowStream, type OpenRowStream } from '../data/row-stream.ts';

export interface RowParts {
  stream: OpenRowStream;
  holdout: Draws;
  /** Among the rows learned from. */
  sample: Draws;
  learned: Draws;
  stopping: Draws;
}

/** More rows than that would make the search slow and teach it little. */
const mostSampleRows = 500_000;
const mostHoldoutRows = 500_000;
const mostStoppingRows = 200_000;
const stoppingShare = 0.1;

/**
 * The parts; `undefined` when the search can hold all rows, or the recipe needs them in one place (rankings, groups, an
 * order of time, a limit of latency). Close the stream.
 * @param options `memoryBytes`: what the search may take beyond its frame
 */
export async function rowPartsOf(
  contentPath: string,
  { recipe, memoryBytes, workFolder }: { recipe: Recipe; memoryBytes: number; workFolder: string },
): Promise<RowParts | undefined> {
  const needsAll =
    recipe.task === 'ranking' ||
    recipe.groupColumn !== null ||
    recipe.timeColumn !== null ||
    recipe.maxPredictMs !== null;
  if (needsAll) return undefined;
  const stream = await openRowStream(contentPath, { workFolder, seed: recipe.seed });
  const parts = divide(stream, { recipe, memoryBytes });
  if (!parts) stream.close();
  return parts;
}

function divide(
  stream: OpenRowStream,
  { recipe, memoryBytes }: { recipe: Recipe; memoryBytes: number },
): RowParts | undefined {
  const { rowCount, columnNames } = stream;
  const fitting = searchableRows({ memoryBytes, columnCount: columnNames.length - 1 });
  if (rowCount <= fitting || !canDraw(columnNames)) return undefined;
  const held = Math.min(recipe.holdoutShare, mostHoldoutRows / rowCount);
  const sampled = Math.min(mostSampleRows, fitting) / rowCount;
  const stopped = Math.min(stoppingShare, mostStoppingRows / rowCount);
  const last = 1 - stopped;
  return {
    stream,
    holdout: { from: 0, to: held },
    sample: { from: held, to: Math.min(last, held + sampled) },
    learned: { from: held, to: last },
    stopping: { from: last, to: 1 },
  };
}
