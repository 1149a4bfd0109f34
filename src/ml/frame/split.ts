// Seeded ways to divide rows: a holdout and folds, each class in equal shares where classes are given, and no group cut
// in two where groups are given.
// Same seed, same rows. Indices come back in ascending order, so that downstream memory access stays sequential.
import { assert } from '../../base/assert.ts';
import { seededRandom, shuffle } from '../../base/random.ts';

export interface SplitOptions {
  rowCount: number;
  seed: number;
  /** A class number for each row; rows of each class are then divided in equal shares. */
  strata?: Int32Array;
  /** A group number for each row; rows of a group stay together, and classes are then not looked at. */
  groups?: Int32Array;
}

/** Two disjoint sets of rows; `second` holds about `share` of them, at least one row (and group) of each side. */
export function splitRows(options: SplitOptions & { share: number }): {
  first: Int32Array;
  second: Int32Array;
} {
  const { rowCount, share } = options;
  assert(rowCount >= 2 && share > 0 && share < 1, 'a split needs two rows and a share between 0 and 1');
  if (options.groups) return splitGroups(options.groups, options);
  const order = dealingOrder(options);
  const count = Math.min(rowCount - 1, Math.max(1, Math.round(rowCount * share)));
  const isSecond = new Uint8Array(rowCount);
  // Rows lie class by class in `order`; taking evenly spaced ones takes the same share of each class.
  for (let index = 0; index < count; index++)
    isSecond[order[Math.floor(((index + 0.5) * rowCount) / count)]!] = 1;
  return { first: rowsWhere(isSecond, 0), second: rowsWhere(isSecond, 1) };
}

/**
 * `foldCount` sets of validation rows which together are all rows, sizes equal within one, classes in equal shares.
 * With groups, sizes are as equal as whole groups allow.
 */
export function foldRows(
  options: SplitOptions & { foldCount: number },
): { training: Int32Array; validation: Int32Array }[] {
  const { rowCount, foldCount } = options;
  assert(foldCount >= 2 && foldCount <= rowCount, `cannot make ${foldCount} folds of ${rowCount} rows`);
  const foldOf = options.groups ? foldOfGroups(options.groups, options) : new Int32Array(rowCount);
  if (!options.groups) dealingOrder(options).forEach((row, index) => (foldOf[row] = index % foldCount));
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

/**
 * Groups in a random order go to the second side as long as that brings it nearer to its share. Two groups are kept for
 * the first, where there are three, so that it can be split again.
 */
function splitGroups(
  groups: Int32Array,
  { seed, share }: { seed: number; share: number },
): { first: Int32Array; second: Int32Array } {
  const { members, sizes } = membersOf(groups);
  assert(sizes.length >= 2, 'a split between groups needs two of them');
  const order = shuffledNumbers(sizes.length, seed);
  const isSecond = new Uint8Array(sizes.length);
  let count = 0;
  for (const group of order.subarray(Math.min(2, sizes.length - 1))) {
    if (count + sizes[group]! / 2 > groups.length * share) continue;
    isSecond[group] = 1;
    count += sizes[group]!;
  }
  // All are too large: the smallest is nearest.
  if (count === 0)
    isSecond[order.reduce((least, group) => (sizes[group]! < sizes[least]! ? group : least))] = 1;
  const side = Uint8Array.from(members, (group) => isSecond[group]!);
  return { first: rowsWhere(side, 0), second: rowsWhere(side, 1) };
}

/** The fold of each row: groups in a random order, the largest first, each to the fold that has the fewest rows. */
function foldOfGroups(
  groups: Int32Array,
  { seed, foldCount }: { seed: number; foldCount: number },
): Int32Array {
  const { members, sizes } = membersOf(groups);
  assert(foldCount <= sizes.length, `cannot make ${foldCount} folds of ${sizes.length} groups`);
  const order = shuffledNumbers(sizes.length, seed);
  const place = new Int32Array(sizes.length);
  order.forEach((group, index) => (place[group] = index));
  order.sort((a, b) => sizes[b]! - sizes[a]! || place[a]! - place[b]!);
  const rowCounts = new Float64Array(foldCount);
  const foldOf = new Int32Array(sizes.length);
  for (const group of order) {
    const fold = rowCounts.reduce((least, count, index) => (count < rowCounts[least]! ? index : least), 0);
    foldOf[group] = fold;
    rowCounts[fold]! += sizes[group]!;
  }
  return members.map((group) => foldOf[group]!);
}

/** Groups numbered in the order of their first row: that of each row, and how many rows each has. */
function membersOf(groups: Int32Array): { members: Int32Array; sizes: number[] } {
  const numbers = new Map<number, number>();
  const sizes: number[] = [];
  const members = groups.map((group) => {
    const number = numbers.get(group) ?? numbers.size;
    numbers.set(group, number);
    sizes[number] = (sizes[number] ?? 0) + 1;
    return number;
  });
  return { members, sizes };
}

function shuffledNumbers(count: number, seed: number): Int32Array {
  return shuffle(
    Int32Array.from({ length: count }, (_, index) => index),
    seededRandom(seed),
  );
}

function rowsWhere(flags: Uint8Array, wanted: number): Int32Array {
  return Int32Array.from({ length: flags.length }, (_, row) => row).filter((row) => flags[row] === wanted);
}
