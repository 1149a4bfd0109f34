// The largest gain of each feature of a leaf: what is left to do for the feature that wins is little, so this is the part
// that threads share. Borders of numbers are those of split-scan.as; divisions of categories are the same as, and in the
// order of, those that the host lists (../category-split.ts).
import { borderGain, expand, featureSize } from './split-scan';

/** Fewer categories than these and one more are tried one against the rest. */
const fewCategories: i32 = 4;
const longestPrefix: i32 = 32;

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

/**
 * Writes the gains of questions `begin` to `end` - 1, 8 bytes each, to `results`; -1 where nothing is admissible. A
 * question (8 bytes) is the number of a leaf and that of a feature. A leaf (64 bytes) is: place of its histogram (4
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
    const leaf = leaves + (<usize>load<u32>(questions + (question << 3)) << 6);
    const feature = features + <usize>load<u32>(questions + (question << 3), 4) * featureSize;
    const totalGradient = load<i32>(leaf, 4);
    const totalHessian = load<i32>(leaf, 8);
    const binCount = load<i32>(feature, 4);
    const defaultBin = load<i32>(feature, 12);
    let cells = <usize>load<u32>(leaf) + load<u32>(feature);
    if (defaultBin >= 0) {
      expand(cells, binCount, defaultBin, ((<i64>totalGradient) << 32) + <i64>totalHessian, scratch + 6144);
      cells = scratch + 6144;
    }
    store<f64>(
      results + (question << 3),
      load<u32>(feature, 16)
        ? categoryGain(cells, binCount, leaf, scratch)
        : borderGain(
            cells, binCount, load<i32>(feature, 8), totalGradient, totalHessian, load<i32>(leaf, 12),
            load<f64>(leaf, 16), scratch,
          ),
    );
  }
}
