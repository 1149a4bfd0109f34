// Tables on their way into an ONNX runtime and out of it: what the halves on both sides of it agree on. All of it is
// JSON, because the runtime lives in a process of its own.
import type { InputType } from './signature-inputs.ts';

/** The values of one input, row by row; null is a number that is missing (NaN). */
export interface Feed {
  name: string;
  type: InputType;
  dimensionCount: 1 | 2;
  columnCount: number;
  values: (number | string | null)[];
}

/** The values of one output, row by row. */
export interface FeedAnswer {
  name: string;
  shape: number[];
  values: (number | string | null)[];
}

/** Rows through a graph, as many as it takes at once: `batchRowCount`, or any number where that is null. */
export interface GraphRun {
  feeds: Feed[];
  rowCount: number;
  batchRowCount: number | null;
  /** Names of the outputs that are wanted. */
  outputs: string[];
}

/** Parts of a run for a graph that takes a certain number of rows: the last row is repeated to fill the last part. */
export function batchesOf({ feeds, rowCount, batchRowCount }: Omit<GraphRun, 'outputs'>): Feed[][] {
  if (batchRowCount === null || batchRowCount === rowCount) return [feeds];
  const batches: Feed[][] = [];
  for (let from = 0; from < rowCount; from += batchRowCount)
    batches.push(feeds.map((feed) => ({ ...feed, values: rowsFrom(feed, from, batchRowCount) })));
  return batches;
}

function rowsFrom({ values, columnCount }: Feed, from: number, count: number): Feed['values'] {
  const part = values.slice(from * columnCount, (from + count) * columnCount);
  const last = part.slice(-columnCount);
  while (part.length < count * columnCount) part.push(...last);
  return part;
}

/** The answers of parts as one, cut to the rows that were asked for; undefined where a part did not answer row by row. */
export function joinAnswers(
  parts: readonly FeedAnswer[][],
  { rowCount, batchRowCount }: Pick<GraphRun, 'rowCount' | 'batchRowCount'>,
): FeedAnswer[] | undefined {
  const partRowCount = batchRowCount ?? rowCount;
  if (parts.some((part) => part.some((answer) => !isByRow(answer, partRowCount)))) return undefined;
  return parts[0]!.map(({ name, shape }, index) => {
    const width = shape.slice(1).reduce((product, length) => product * length, 1);
    const values = parts.flatMap((part) => part[index]!.values).slice(0, rowCount * width);
    return { name, shape: [rowCount, ...shape.slice(1)], values };
  });
}

/** One row alone may come back without a dimension for rows. */
function isByRow({ shape, values }: FeedAnswer, rowCount: number): boolean {
  return rowCount === 1 ? values.length > 0 : shape[0] === rowCount;
}
