// Seeded ways to divide rows: a holdout and folds, each class in equal shares where classes are given.
// Same seed, same rows. Indices come back in ascending order, so that downstream memory access stays sequential.
import { assert } from '../../base/assert.ts';
import { seededRandom, shuffle } from '../../base/random.ts';

export interface SplitOptions {
  rowCount: number;
  seed: number;
  /** A class number for each row; rows of each class are then divided in equal shares. */
  strata?: Int32Array;
}

/** Two disjoint sets of rows; `second` holds about `share` of them, at least one of each side. */
export function splitRows(options: SplitOptions & { share: number }): {
  first: Int32Array;
  second: Int32Array;
} {
  const { rowCount, share } = options;
  assert(rowCount >= 2 && share > 0 && share < 1, 'a split needs two rows and a share between 0 and 1');
  const order = dealingOrder(options);
  const count = Math.min(rowCount - 1, Math.max(1, Math.round(rowCount * share)));
  const isSecond = new Uint8Array(rowCount);
  // Rows lie class by class in `order`; taking evenly spaced ones takes the same share of each class.
  for (let index = 0; index < count; index++)
    isSecond[order[Math.floor(((index + 0.5) * rowCount) / count)]!] = 1;
  return { first: rowsWhere(isSecond, 0), second: rowsWhere(isSecond, 1) };
}

/** `foldCount` sets of validation rows which together are all rows, sizes equal within one, classes in equal shares. */
export function foldRows(
  options: SplitOptions & { foldCount: number },
): { training: Int32Array; validation: Int32Array }[] {
  const { rowCount, foldCount } = options;
  assert(foldCount >= 2 && foldCount <= rowCount, `cannot make ${foldCount} folds of ${rowCount} rows`);
  const order = dealingOrder(options);
  const foldOf = new Int32Array(rowCount);
  for (let index = 0; index < rowCount; index++) foldOf[order[index]!] = index % foldCount;
  return Array.from({ length: foldCount }, (_, fold) => ({
    training: Int32Array.from({ length: rowCount }, (_unused, row) => row).filter(
      (row) => foldOf[row] !== fold,
    ),
    validation: Int32Array.from({ length: rowCount }, (_unused, row) => row).filter(
      (row) => foldOf[row] === fold,
    ),
  }));
}

/** All rows, shuffled, then gathered class by class: dealing them out in turn deals each class evenly. */
function dealingOrder({ rowCount, seed, strata }: SplitOptions): Int32Array {
  const order = shuffle(
    Int32Array.from({ length: rowCount }, (_, row) => row),
    seededRandom(seed),
  );
  if (!strata) return order;
  let classCount = 0;
  for (const stratum of strata) classCount = Math.max(classCount, stratum + 1);
  const starts = new Int32Array(classCount + 1);
  for (const stratum of strata) starts[stratum + 1]!++;
  for (let stratum = 0; stratum < classCount; stratum++) starts[stratum + 1]! += starts[stratum]!;
  const grouped = new Int32Array(rowCount);
  for (const row of order) grouped[starts[strata[row]!]!++] = row;
  return grouped;
}

function rowsWhere(flags: Uint8Array, wanted: number): Int32Array {
  return Int32Array.from({ length: flags.length }, (_, row) => row).filter((row) => flags[row] === wanted);
}
