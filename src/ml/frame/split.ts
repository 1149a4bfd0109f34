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
  /**
   * The number of each row's set, from 0, most of them one row: rows of a set stay together, and classes are divided
   * as evenly as whole sets allow. Not with groups.
   */
  sets?: Int32Array;
}

/** Two disjoint sets of rows; `second` holds about `share` of them, at least one row (and group) of each side. */
export function splitRows(options: SplitOptions & { share: number }): {
  first: Int32Array;
  second: Int32Array;
} {
  const { rowCount, share } = options;
  assert(rowCount >= 2 && share > 0 && share < 1, 'a split needs two rows and a share between 0 and 1');
  if (options.groups) return splitGroups(options.groups, options);
  if (options.sets) return splitSets(options.sets, options);
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
  const foldOf = foldOfRows(options);
  return Array.from({ length: foldCount }, (_, fold) => ({
    training: Int32Array.from({ length: rowCount }, (_unused, row) => row).filter(
      (row) => foldOf[row] !== fold,
    ),
    validation: Int32Array.from({ length: rowCount }, (_unused, row) => row).filter(
      (row) => foldOf[row] === fold,
    ),
  }));
}

function foldOfRows(options: SplitOptions & { foldCount: number }): Int32Array {
  const { groups, sets, rowCount, foldCount } = options;
  if (groups) return foldOfGroups(groups, options);
  if (sets) return foldOfSets(sets, options);
  const foldOf = new Int32Array(rowCount);
  dealingOrder(options).forEach((row, index) => (foldOf[row] = index % foldCount));
  return foldOf;
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

/** Class by class, sets go to the second side as long as that brings it nearer to its share of the classes so far. */
function splitSets(
  sets: Int32Array,
  { seed, strata, share }: SplitOptions & { share: number },
): { first: Int32Array; second: Int32Array } {
  const { members, sizes } = membersOf(sets);
  assert(sizes.length >= 2, 'a split between sets needs two of them');
  const isSecond = new Uint8Array(sizes.length);
  let count = 0;
  let reached = 0;
  for (const stratum of setsByStratum(members, sizes.length, { seed, strata })) {
    reached += stratum.reduce((sum, set) => sum + sizes[set]!, 0) * share;
    for (const set of stratum) {
      if (count + sizes[set]! / 2 > reached) continue;
      isSecond[set] = 1;
      count += sizes[set]!;
    }
  }
  const chosen = isSecond.reduce((sum, flag) => sum + flag, 0);
  if (chosen === 0) isSecond[0] = 1;
  if (chosen === sizes.length) isSecond[0] = 0;
  const side = Uint8Array.from(members, (set) => isSecond[set]!);
  return { first: rowsWhere(side, 0), second: rowsWhere(side, 1) };
}

/** The fold of each row: each set to the fold that has the fewest rows of its class, and of these the fewest at all. */
function foldOfSets(
  sets: Int32Array,
  { seed, strata, foldCount }: SplitOptions & { foldCount: number },
): Int32Array {
  const { members, sizes } = membersOf(sets);
  assert(foldCount <= sizes.length, `cannot make ${foldCount} folds of ${sizes.length} sets`);
  const rowCounts = new Float64Array(foldCount);
  const foldOf = new Int32Array(sizes.length);
  for (const stratum of setsByStratum(members, sizes.length, { seed, strata })) {
    const own = new Float64Array(foldCount);
    // The large ones first: the small ones then even out what they leave.
    for (const set of stratum.sort((a, b) => sizes[b]! - sizes[a]!)) {
      let least = 0;
      for (let fold = 1; fold < foldCount; fold++)
        if (own[fold]! < own[least]! || (own[fold] === own[least] && rowCounts[fold]! < rowCounts[least]!))
          least = fold;
      foldOf[set] = least;
      own[least]! += sizes[set]!;
      rowCounts[least]! += sizes[set]!;
    }
  }
  return members.map((set) => foldOf[set]!);
}

/** The sets of each class in a random order; a set is of the class of its first row. */
function setsByStratum(
  members: Int32Array,
  setCount: number,
  { seed, strata }: { seed: number; strata: Int32Array | undefined },
): number[][] {
  const stratumOf = new Int32Array(setCount).fill(-1);
  members.forEach((set, row) => {
    if (stratumOf[set]! < 0) stratumOf[set] = strata ? strata[row]! : 0;
  });
  const byStratum: number[][] = [];
  for (const set of shuffledNumbers(setCount, seed)) (byStratum[stratumOf[set]!] ??= []).push(set);
  return byStratum.filter((stratum) => stratum !== undefined);
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
