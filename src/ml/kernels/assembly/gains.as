// The largest gain of each feature of a leaf: what is left to do for the feature that wins is little, so this is the part
// that threads share. Borders of numbers are those of split-scan.as; divisions of categories are the same as, and in the
// order of, those that the host lists (../category-split.ts).
import { borderGain, expand, featureSize } from './split-scan';

/** Fewer categories than these and one more are tried one against the rest. */
const fewCategories: i32 = 4;
const longestPrefix: i32 = 32;

/** Bytes of a question: see {@link gains}. */
const questionSize: usize = 12;

// @ts-ignore: decorator
@inline
function gainOf(g: f64, h: f64, totalG: f64, totalH: f64, l2: f64): f64 {
  const left = h + l2;
  const right = totalH - h + l2;
  const rest = totalG - g;
  return (g * g * right + rest * rest * left) / (left * right);
}

/** As {@link borderGain}, for a category; `leaf` is that of {@link gains}, `scratch` has 6 KiB. */
function categoryGain(cells: usize, binCount: i32, leaf: usize, scratch: usize): f64 {
  const totalG = <f64>load<i32>(leaf, 4);
  const totalH = <f64>load<i32>(leaf, 8);
  const least = <f64>load<i32>(leaf, 12);
  const smoothing = load<f64>(leaf, 32);
  const leastCategory = load<f64>(leaf, 40);
  let count = 0;
  for (let bin = 0; bin < binCount; bin++) if (load<i64>(cells + (<usize>bin << 3)) != 0) count++;
  if (count < 2) return -1;
  let best: f64 = -1;
  if (count <= fewCategories) {
    const l2 = load<f64>(leaf, 16);
    for (let bin = 0; bin < binCount; bin++) {
      const cell = load<i64>(cells + (<usize>bin << 3));
      const h = <f64>(<i32>cell);
      if (cell == 0 || h < least || totalH - h < least) continue;
      const gain = gainOf(<f64>(<i32>(cell >> 32)), h, totalG, totalH, l2);
      if (gain > best) best = gain;
    }
    return best;
  }
  // Cells in the order of their ratios, equal ones in the order of their bins: by insertion, as they are few.
  const ratios = scratch;
  const ordered = scratch + 2048;
  let length = 0;
  for (let bin = 0; bin < binCount; bin++) {
    const cell = load<i64>(cells + (<usize>bin << 3));
    const h = <f64>(<i32>cell);
    if (cell == 0 || h < leastCategory) continue;
    const ratio = <f64>(<i32>(cell >> 32)) / (h + smoothing);
    let at = <usize>length << 3;
    for (; at > 0 && load<f64>(ratios + at - 8) > ratio; at -= 8) {
      store<f64>(ratios + at, load<f64>(ratios + at - 8));
      store<i64>(ordered + at, load<i64>(ordered + at - 8));
    }
    store<f64>(ratios + at, ratio);
    store<i64>(ordered + at, cell);
    length++;
  }
  const half = (length + 1) >> 1;
  const longest = half < longestPrefix ? half : longestPrefix;
  const forward = prefixGain(ordered, 8, longest, leaf);
  const backward = prefixGain(ordered + (<usize>(length - 1) << 3), -8, longest, leaf);
  return forward > backward ? forward : backward;
}

/** The largest gain of the first `longest` of these cells, `step` bytes apart, taken together one more at a time. */
function prefixGain(cells: usize, step: isize, longest: i32, leaf: usize): f64 {
  const totalG = <f64>load<i32>(leaf, 4);
  const totalH = <f64>load<i32>(leaf, 8);
  const least = <f64>load<i32>(leaf, 12);
  const l2 = load<f64>(leaf, 24);
  const leastGroup = load<f64>(leaf, 48);
  let best: f64 = -1;
  let g: f64 = 0;
  let h: f64 = 0;
  let inGroup: f64 = 0;
  for (let taken = 0; taken < longest; taken++) {
    const cell = load<i64>(cells);
    cells += step;
    const hessian = <f64>(<i32>cell);
    g += <f64>(<i32>(cell >> 32));
    h += hessian;
    inGroup += hessian;
    const rest = totalH - h;
    if (h < least || inGroup < leastGroup) continue;
    if (rest < least || rest < leastGroup) break;
    inGroup = 0;
    const gain = gainOf(g, h, totalG, totalH, l2);
    if (gain > best) best = gain;
  }
  return best;
}

/** The gain of one border of a number, missing values on the side where they gain more; -1 when it is not admissible. */
function gainAt(cells: usize, missingBin: i32, border: i32, leaf: usize): f64 {
  let sums = i64x2.splat(0);
  const last = cells + (<usize>border << 3);
  let at = cells;
  for (; at < last; at += 16) sums = i64x2.add(sums, v128.load(at));
  let left = i64x2.extract_lane(sums, 0) + i64x2.extract_lane(sums, 1);
  if (at == last) left += load<i64>(last);
  const missing: i64 = missingBin < 0 ? 0 : load<i64>(cells + (<usize>missingBin << 3));
  const gain = gainOfLeft(left, leaf);
  return missing == 0 ? gain : max(gain, gainOfLeft(left + missing, leaf));
}

// @ts-ignore: decorator
@inline
function gainOfLeft(left: i64, leaf: usize): f64 {
  const totalH = load<i32>(leaf, 8);
  const least = load<i32>(leaf, 12);
  const h = <i32>left;
  if (h < least || totalH - h < least) return -1;
  return gainOf(<f64>(<i32>(left >> 32)), <f64>h, <f64>load<i32>(leaf, 4), <f64>totalH, load<f64>(leaf, 16));
}

/** A feature's cells in the histogram of a leaf, as they would be without bundling: in place, or at `out`. */
// @ts-ignore: decorator
@inline
function cellsOf(leaf: usize, feature: usize, out: usize): usize {
  const cells = <usize>load<u32>(leaf) + load<u32>(feature);
  const defaultBin = load<i32>(feature, 12);
  if (defaultBin < 0) return cells;
  const total = (<i64>load<i32>(leaf, 4) << 32) + <i64>load<i32>(leaf, 8);
  expand(cells, load<i32>(feature, 4), defaultBin, total, out);
  return out;
}

/**
 * Writes the first and the last bin of numbers that have rows, 4 bytes each, for questions `begin` to `end` - 1 to `results`;
 * equal ones where there are fewer than two. Questions, leaves and features are those of {@link gains}.
 */
export function findOccupied(
  questions: usize, leaves: usize, features: usize, results: usize, scratches: usize,
  begin: usize, end: usize, thread: usize,
): void {
  for (let question = begin; question < end; question++) {
    const leaf = leaves + (<usize>load<u32>(questions + question * questionSize) << 6);
    const feature = features + <usize>load<u32>(questions + question * questionSize, 4) * featureSize;
    const cells = cellsOf(leaf, feature, scratches + (thread << 13) + 6144);
    const missingBin = load<i32>(feature, 8);
    const count = missingBin < 0 ? load<i32>(feature, 4) : missingBin;
    let first = 0;
    let last = count - 1;
    while (first < last && load<i64>(cells + (<usize>first << 3)) == 0) first++;
    while (first < last && load<i64>(cells + (<usize>last << 3)) == 0) last--;
    store<i32>(results + (question << 3), first);
    store<i32>(results + (question << 3), last, 4);
  }
}

/**
 * Writes the gains of questions `begin` to `end` - 1, 8 bytes each, to `results`; -1 where nothing is admissible. A
 * question (12 bytes) is the number of a leaf, that of a feature, and the only border of a number to try, -1 for all. A leaf (64 bytes) is: place of its histogram (4
 * bytes), sums of gradients (4) and hessians (4), smallest hessian of a side (4), penalty (8), penalty of categories (8),
 * smoothing of their ratios (8), smallest hessian of a category (8) and of a group of them (8). `scratches` are 8 KiB for
 * each thread.
 */
export function gains(
  questions: usize, leaves: usize, features: usize, results: usize, scratches: usize,
  begin: usize, end: usize, thread: usize,
): void {
  const scratch = scratches + (thread << 13);
  for (let question = begin; question < end; question++) {
    const leaf = leaves + (<usize>load<u32>(questions + question * questionSize) << 6);
    const feature = features + <usize>load<u32>(questions + question * questionSize, 4) * featureSize;
    const border = load<i32>(questions + question * questionSize, 8);
    const binCount = load<i32>(feature, 4);
    const missingBin = load<i32>(feature, 8);
    const cells = cellsOf(leaf, feature, scratch + 6144);
    let gain: f64;
    if (load<u32>(feature, 16)) gain = categoryGain(cells, binCount, leaf, scratch);
    else if (border >= 0) gain = gainAt(cells, missingBin, border, leaf);
    else gain = borderGain(
      cells, binCount, missingBin, load<i32>(leaf, 4), load<i32>(leaf, 8), load<i32>(leaf, 12), load<f64>(leaf, 16), scratch,
    );
    store<f64>(results + (question << 3), gain);
  }
}
