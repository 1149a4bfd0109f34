// How many rows a budget pays for. Of very large tables, or on a busy machine, a random part is learned from rather than to
// overrun; the model's warnings say so.
import { seededRandom, shuffle } from '../../base/random.ts';
import type { Clock } from '../../base/time.ts';
import { encodeFrame } from '../frame/encoding.ts';
import { fitEncoding } from '../frame/fit-encoding.ts';
import { selectRows, type Column } from '../frame/frame.ts';
import { splitRows } from '../frame/split.ts';
import { maximumTextCharacters } from '../frame/text-terms.ts';
import type { Recipe } from './recipe.ts';
import type { Target } from './task.ts';

/** What selecting, encoding and binning one value costs, and the share of the time that all of it may take. */
const secondsToPrepareCell = 1.2e-7;
/** The same of one character of a text. */
const secondsToPrepareCharacter = 8e-7;
const preparingShare = 0.25;
const fewestRows = 10;
/** Where all rows should take more than this share of the time, some are prepared to see what they take. */
const trialShare = 0.005;
const trialRows = 400;

/**
 * All usable rows, or a random part of them when all would need more memory, or a large part of the time. Of a ranking
 * it is a part of the groups, each of them whole.
 */
export function affordableRows(
  target: Target,
  {
    columns,
    groups,
    recipe,
    warnings,
    clock,
  }: {
    columns: readonly Column[];
    groups: Int32Array | undefined;
    recipe: Recipe;
    warnings: string[];
    clock: Clock | undefined;
  },
): Int32Array {
  const rowCount = target.rows.length;
  const all = Int32Array.from({ length: rowCount }, (_, index) => index);
  const { memoryBytes = Infinity, seconds = Infinity } = recipe.budget;
  const byMemory = searchableRows({
    memoryBytes,
    columnCount: columns.length,
    classCount: target.classes.length,
  });
  const characters = columns.reduce((sum, column) => sum + meanCharacters(column), 0);
  const usualSeconds = secondsToPrepareCell * (columns.length + 1) + secondsToPrepareCharacter * characters;
  const isWorthTrying =
    clock && recipe.budget.trials === undefined && usualSeconds * rowCount > trialShare * seconds;
  const secondsPerRow = isWorthTrying
    ? Math.max(usualSeconds, measuredSeconds(columns, target.rows, clock))
    : usualSeconds;
  const byTime = Math.floor((preparingShare * seconds) / secondsPerRow);
  const fitting = Math.max(fewestRows, Math.min(byMemory, byTime));
  if (fitting >= rowCount) return all;
  const limit = byMemory < byTime ? 'memory' : 'time';
  warnings.push(
    `To stay within the ${limit} limit, ${fitting} of ${rowCount} rows were used, drawn at random.`,
  );
  if (target.task === 'ranking') {
    const own = target.rows.map((row) => groups![row]!);
    return splitRows({ rowCount, share: fitting / rowCount, seed: recipe.seed, groups: own }).second;
  }
  return shuffle(all, seededRandom(recipe.seed)).slice(0, fitting).sort();
}

/** Rows that a search can hold; with as many classes as most targets have, unless told. */
export function searchableRows({
  memoryBytes,
  columnCount,
  classCount = 2,
}: {
  memoryBytes: number;
  columnCount: number;
  classCount?: number;
}): number {
  // Selected and encoded columns, bins, and for each output scores, gradients and predictions of a dozen trials.
  const bytesPerRow = columnCount * 25 + Math.max(1, classCount) * 160 + 200;
  return Math.floor(memoryBytes / bytesPerRow);
}

/** What preparing one of some evenly spaced rows takes, the second time: the first is slower than all that follow. */
function measuredSeconds(columns: readonly Column[], rows: Int32Array, clock: Clock): number {
  const count = Math.min(trialRows, rows.length);
  const tried = Int32Array.from(
    { length: count },
    (_, index) => rows[Math.floor((index * rows.length) / count)]!,
  );
  const some = selectRows({ rowCount: rows.length, columns }, tried);
  let startMs = 0;
  for (let round = 0; round < 2; round++) {
    startMs = clock.monotonicMs();
    encodeFrame(some, fitEncoding(some).encoding);
  }
  return (clock.monotonicMs() - startMs) / 1000 / count;
}

/** Of the texts of a column, as far as they are read; 0 for other columns. Some rows tell it well enough. */
function meanCharacters(column: Column): number {
  if (column.kind !== 'text') return 0;
  const step = Math.ceil(column.values.length / 1000);
  let sum = 0;
  let count = 0;
  for (let row = 0; row < column.values.length; row += step) {
    sum += Math.min(column.values[row]?.length ?? 0, maximumTextCharacters);
    count++;
  }
  return sum / count;
}
