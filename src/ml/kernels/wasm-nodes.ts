// What the WebAssembly kernels do for each node of a tree: sum the rows of a leaf, find the gains of its features, divide
// its rows. Threads take parts of the rows or of the features.
import { sidesOfBytes } from './layout.ts';
import { cutsOf } from './threads.ts';
import type { GainSearch, OccupiedSearch, RowRange, TreeKernels } from './tree-kernels.ts';
import type { Shared } from './wasm-kernels.ts';
import { bytesOf, cellBytes } from './wasm-places.ts';

// Less work than that is done faster than threads are told of it.
/** Rows times columns: a part of a histogram. */
const fewestAdditions = 65_536;
const fewestHistogramBytes = 65_536;
const fewestDividedRows = 8192;
const fewestQuestions = 8;
const fewestCounts = 64;

/**
 * Each thread sums its parts of the rows into a histogram of its own; then each adds up parts of the cells, and takes
 * them from the parent's.
 */
export function fillerOf(opened: Shared): TreeKernels['fill'] {
  const { plan, places, team, views } = opened;
  const { rows, histograms, ownHistograms, filled, buffers } = places;
  const slotBytes = plan.layout.cellCount * cellBytes;
  const slotAt = (slot: number): number => histograms + slot * slotBytes;
  let filling = 0;
  return (slot, { begin, end, isInOrder }, parent) => {
    filling++;
    const { groupList, groupCount, columnCount, cellCount } = opened.drawn;
    const size = cellCount * cellBytes;
    const histogram = slotAt(slot);
    const list = isInOrder ? 0 : rows;
    const count = end - begin;
    const cuts = cutsOf(team, count, Math.ceil(fewestAdditions / Math.max(1, columnCount)));
    team.run(
      'fillHistogram',
      [groupList, groupCount, list, histogram, ownHistograms, size, filled, filling, buffers],
      cuts.map((cut) => begin + cut),
    );
    const threadCount = cuts.length === 2 ? 1 : team.threadCount;
    let isShared = false;
    for (let thread = 1; thread < threadCount; thread++)
      isShared ||= views.words[filled / 4 + thread] === filling;
    if (!isShared && parent === undefined) return;
    team.run(
      'joinHistograms',
      [
        histogram,
        ownHistograms,
        size,
        filled,
        filling,
        threadCount,
        parent === undefined ? 0 : slotAt(parent),
      ],
      cutsOf(team, size, fewestHistogramBytes),
    );
  };
}

/** At most two searches at a time. */
export function gains(
  { plan, places, team, views }: Shared,
  searches: readonly GainSearch[],
): Float64Array[] {
  const { words, numbers } = views;
  const histogramBytes = plan.layout.cellCount * cellBytes;
  let count = 0;
  searches.forEach((search, index) => {
    const at = places.searches + index * 64;
    words[at / 4] = places.histograms + search.slot * histogramBytes;
    words[at / 4 + 1] = search.gradient;
    words[at / 4 + 2] = search.hessian;
    words[at / 4 + 3] = search.leastHessian;
    numbers[at / 8 + 2] = search.l2;
    numbers[at / 8 + 3] = search.groupL2;
    numbers[at / 8 + 4] = search.smoothing;
    numbers[at / 8 + 5] = search.leastCategoryHessian;
    numbers[at / 8 + 6] = search.leastGroupHessian;
    search.features.forEach((feature, position) => {
      const question = places.questions / 4 + 3 * count++;
      words[question] = index;
      words[question + 1] = feature;
      words[question + 2] = search.borders?.[position] ?? -1;
    });
  });
  team.run(
    'gains',
    [places.questions, places.searches, places.features, places.gains, places.searchScratches],
    cutsOf(team, count, fewestQuestions, 1),
  );
  let next = places.gains / 8;
  return searches.map(({ features }) => {
    const first = next;
    next += features.length;
    return numbers.subarray(first, next);
  });
}

export function occupied(
  { plan, places, team, views }: Shared,
  { slot, gradient, hessian, features }: OccupiedSearch,
): Int32Array {
  const { words } = views;
  const histogram = places.histograms + slot * plan.layout.cellCount * cellBytes;
  words.set([histogram, gradient, hessian], places.searches / 4);
  features.forEach((feature, position) => {
    words[places.questions / 4 + 3 * position] = 0;
    words[places.questions / 4 + 3 * position + 1] = feature;
  });
  team.run(
    'findOccupied',
    [places.questions, places.searches, places.features, places.gains, places.searchScratches],
    cutsOf(team, features.length, fewestCounts, 1),
  );
  return words.subarray(places.gains / 4, places.gains / 4 + 2 * features.length);
}

/** Divides in place when alone; otherwise parts are divided apart, and placed when all lefts are counted. */
export function partition(
  opened: Shared,
  { begin, end }: RowRange,
  question: { feature: number; sides: Uint8Array },
): number {
  const { plan, places, run, team, views } = opened;
  const placed = plan.layout.features[question.feature]!;
  sidesOfBytes(placed, question.sides, views.sides);
  const { column, stride } = bytesOf(opened, placed.column);
  const { sides, rowScratch, shuffles, lefts, targets } = places;
  const rows = places.rows + begin * 4;
  const count = end - begin;
  const cuts = cutsOf(team, count, fewestDividedRows);
  if (cuts.length === 2)
    return begin + run.divideAlone(rows, count, column, stride, sides, rowScratch, shuffles);
  team.run('divideApart', [rows, column, stride, sides, rowScratch, shuffles, lefts], cuts);
  const { words } = views;
  let middle = 0;
  for (let part = 0; part + 1 < cuts.length; part++) middle += words[lefts / 4 + part]!;
  let left = 0;
  let right = middle;
  for (let part = 0; part + 1 < cuts.length; part++) {
    const leftCount = words[lefts / 4 + part]!;
    words.set([leftCount, left, right], targets / 4 + 3 * part);
    left += leftCount;
    right += cuts[part + 1]! - cuts[part]! - leftCount;
  }
  team.run('placeDivided', [rows, rowScratch, targets], cuts);
  return begin + middle;
}
