// Derivatives of the losses, their packing into fixed-point numbers, sums over leaves and the moving of scores. A row's
// gradient and hessian lie side by side, 4 bytes each: as exact as the rounding can use, and half as much memory
// to move. They are computed and summed in 8 bytes; all orders of addition are those of the plain twin.
import { groupBytes } from './accumulate';
import { expOfNegative } from './exponential';

const leastHessian: f64 = 1e-9;

// @ts-ignore: decorator
@inline
function sigmoid(score: v128): v128 {
  const e = expOfNegative(f64x2.neg(f64x2.abs(score)));
  const one = f64x2.splat(1);
  const numerator = v128.bitselect(one, e, f64x2.ge(score, f64x2.splat(0)));
  return f64x2.div(numerator, f64x2.add(one, e));
}

// @ts-ignore: decorator
@inline
function loadTwo(at: usize, isWhole: bool): v128 {
  return isWhole ? v128.load(at) : v128.load64_zero(at);
}

/** Two numbers of 4 bytes, or one. */
// @ts-ignore: decorator
@inline
function loadTwoNarrow(at: usize, isWhole: bool): v128 {
  return f64x2.promote_low_f32x4(isWhole ? v128.load64_zero(at) : v128.load32_zero(at));
}

// @ts-ignore: decorator
@inline
function storeTwoNarrow(at: usize, values: v128, isWhole: bool): void {
  const narrow = f32x4.demote_f64x2_zero(values);
  if (isWhole) v128.store64_lane(at, narrow, 0);
  else v128.store32_lane(at, narrow, 0);
}

/** Weights and stores the derivatives of a row and, if `isWhole`, the next; `offset` is its number times 8. */
// @ts-ignore: decorator
@inline
function storeDerivatives(g: v128, h: v128, weights: usize, offset: usize, derivatives: usize, isWhole: bool): void {
  if (weights != 0) {
    const weight = loadTwo(weights + offset, isWhole);
    g = f64x2.mul(weight, g);
    h = f64x2.mul(weight, h);
  }
  const pairs = v128.shuffle<i32>(f32x4.demote_f64x2_zero(g), f32x4.demote_f64x2_zero(h), 0, 4, 1, 5);
  if (isWhole) v128.store(derivatives + offset, pairs);
  else v128.store64_lane(derivatives + offset, pairs, 0);
}

// @ts-ignore: decorator
@inline
function logisticOf(
  scores: usize, target: usize, weights: usize, derivatives: usize, offset: usize, isWhole: bool,
): void {
  const p = sigmoid(loadTwo(scores + offset, isWhole));
  const g = f64x2.sub(p, loadTwo(target + offset, isWhole));
  const h = f64x2.pmax(f64x2.splat(leastHessian), f64x2.mul(p, f64x2.sub(f64x2.splat(1), p)));
  storeDerivatives(g, h, weights, offset, derivatives, isWhole);
}

/** Logistic loss of rows `begin` to `end` - 1; `weights` may be 0. */
export function deriveLogistic(
  scores: usize, target: usize, weights: usize, derivatives: usize, begin: usize, end: usize,
): void {
  let row = begin;
  for (; row + 1 < end; row += 2) logisticOf(scores, target, weights, derivatives, row << 3, true);
  if (row < end) logisticOf(scores, target, weights, derivatives, row << 3, false);
}

/** Squared loss of rows `begin` to `end` - 1. */
export function deriveSquared(
  scores: usize, target: usize, weights: usize, derivatives: usize, begin: usize, end: usize,
): void {
  for (let row = begin; row < end; row += 2) {
    const isWhole = row + 1 < end;
    const offset = row << 3;
    const g = f64x2.sub(loadTwo(scores + offset, isWhole), loadTwo(target + offset, isWhole));
    storeDerivatives(g, f64x2.splat(1), weights, offset, derivatives, isWhole);
  }
}

// @ts-ignore: decorator
@inline
function softmaxOf(
  scores: usize, scoreStride: usize, probabilities: usize, stride: usize, classCount: usize, isWhole: bool,
): void {
  let highest = f64x2.splat(-Infinity);
  const behind = scores + classCount * scoreStride;
  for (let at = scores; at < behind; at += scoreStride) highest = f64x2.pmax(highest, loadTwo(at, isWhole));
  let sum = f64x2.splat(0);
  let to = probabilities;
  for (let at = scores; at < behind; at += scoreStride) {
    const e = expOfNegative(f64x2.sub(loadTwo(at, isWhole), highest));
    sum = f64x2.add(sum, e);
    storeTwoNarrow(to, e, isWhole);
    to += stride;
  }
  const inverse = f64x2.div(f64x2.splat(1), sum);
  for (let at = probabilities; at < to; at += stride)
    storeTwoNarrow(at, f64x2.mul(loadTwoNarrow(at, isWhole), inverse), isWhole);
}

/**
 * Turns scores (8 bytes) into probabilities (4 bytes), both class-major with `scoreStride` and `stride` bytes from class
 * to class.
 */
export function softmax(
  scores: usize, scoreStride: usize, probabilities: usize, stride: usize, classCount: usize, begin: usize, end: usize,
): void {
  let row = begin;
  for (; row + 1 < end; row += 2)
    softmaxOf(scores + (row << 3), scoreStride, probabilities + (row << 2), stride, classCount, true);
  if (row < end)
    softmaxOf(scores + (row << 3), scoreStride, probabilities + (row << 2), stride, classCount, false);
}

// @ts-ignore: decorator
@inline
function softmaxDerivativesOf(
  probabilities: usize, target: usize, weights: usize, derivatives: usize, row: usize, k: f64, factor: f64, isWhole: bool,
): void {
  const one = f64x2.splat(1);
  const p = loadTwoNarrow(probabilities + (row << 2), isWhole);
  const isClass = v128.and(f64x2.eq(loadTwo(target + (row << 3), isWhole), f64x2.splat(k)), one);
  const h = f64x2.mul(f64x2.mul(f64x2.splat(factor), p), f64x2.sub(one, p));
  storeDerivatives(
    f64x2.sub(p, isClass), f64x2.pmax(f64x2.splat(leastHessian), h), weights, row << 3, derivatives, isWhole,
  );
}

/** Derivatives of class `k` from its probabilities; `factor` is Friedman's K / (K - 1). */
export function deriveSoftmax(
  probabilities: usize, target: usize, weights: usize, derivatives: usize, k: f64, factor: f64, begin: usize, end: usize,
): void {
  let row = begin;
  for (; row + 1 < end; row += 2)
    softmaxDerivativesOf(probabilities, target, weights, derivatives, row, k, factor, true);
  if (row < end) softmaxDerivativesOf(probabilities, target, weights, derivatives, row, k, factor, false);
}

/** Gradient and hessian of the second of two rows. */
// @ts-ignore: decorator
@inline
function promoteUpper(derivatives: v128): v128 {
  return f64x2.promote_low_f32x4(v128.shuffle<i64>(derivatives, derivatives, 1, 1));
}

/**
 * Sums of |gradient| and of hessians, then the largest of each, 32 bytes at `results` for each of the blocks `begin` to
 * `end` - 1 of `blockRows` rows; within a block, even and odd rows are summed apart.
 */
export function sumBlocks(
  derivatives: usize, rowCount: usize, blockRows: usize, results: usize, begin: usize, end: usize,
): void {
  for (let block = begin; block < end; block++) {
    const first = block * blockRows;
    const behind = first + blockRows < rowCount ? first + blockRows : rowCount;
    const last = derivatives + (behind << 3);
    let at = derivatives + (first << 3);
    let even = f64x2.splat(0);
    let odd = f64x2.splat(0);
    let most = f32x4.splat(0);
    while (at + 8 < last) {
      const two = f32x4.abs(v128.load(at));
      most = f32x4.pmax(most, two);
      even = f64x2.add(even, f64x2.promote_low_f32x4(two));
      odd = f64x2.add(odd, promoteUpper(two));
      at += 16;
    }
    if (at < last) {
      const one = f32x4.abs(v128.load64_zero(at));
      most = f32x4.pmax(most, one);
      even = f64x2.add(even, f64x2.promote_low_f32x4(one));
    }
    const result = results + (block << 5);
    v128.store(result, f64x2.add(even, odd));
    v128.store(result, f64x2.pmax(f64x2.promote_low_f32x4(most), promoteUpper(most)), 16);
  }
}

// @ts-ignore: decorator
@inline
function mix(z: v128): v128 {
  z = i32x4.mul(v128.xor(z, i32x4.shr_u(z, 16)), i32x4.splat(0x21f0aaad));
  z = i32x4.mul(v128.xor(z, i32x4.shr_u(z, 15)), i32x4.splat(0x735a2d97));
  return i32x4.shr_u(v128.xor(z, i32x4.shr_u(z, 15)), 8);
}

// @ts-ignore: decorator
@inline
function rounded(derivatives: v128, units: v128, chances: v128): v128 {
  return i32x4.trunc_sat_f64x2_s_zero(f64x2.floor(f64x2.add(f64x2.mul(derivatives, units), chances)));
}

/**
 * Packs rows `begin` (a multiple of 4) to `end` - 1 by stochastic rounding: floor(x + chance), where the chance is a hash
 * of the row and `seed`. Gradient and hessian are written, 16 bits each, before the row's columns in each of `groups` (see
 * fillHistogram). Up to three rows behind the last are written, too.
 */
export function pack(
  derivatives: usize, groups: usize, groupCount: usize, seed: i32, gradientUnits: f64, hessianUnits: f64,
  begin: usize, end: usize,
): void {
  const units = f64x2.replace_lane(f64x2.splat(gradientUnits), 1, hessianUnits);
  const one = f64x2.splat(1);
  const scale = f64x2.splat(1.0 / 16777216.0);
  const groupEnd = groups + groupCount * groupBytes;
  let counter = i32x4.add(
    i32x4.mul(i32x4.add(i32x4.splat(<i32>begin + 1), i32x4(0, 1, 2, 3)), i32x4.splat(0x9e3779b1)),
    i32x4.splat(seed),
  );
  const stride = i32x4.splat(<i32>(4 * <u32>0x9e3779b1));
  for (let row = begin; row < end; row += 4) {
    const z = mix(counter);
    counter = i32x4.add(counter, stride);
    const two = v128.load(derivatives + (row << 3));
    const nextTwo = v128.load(derivatives + (row << 3), 16);
    const lower = f64x2.mul(f64x2.convert_low_i32x4_u(z), scale);
    const upper = f64x2.mul(f64x2.convert_low_i32x4_u(v128.shuffle<i32>(z, z, 2, 3, 2, 3)), scale);
    const lowerRest = f64x2.sub(one, lower);
    const upperRest = f64x2.sub(one, upper);
    const a = rounded(f64x2.promote_low_f32x4(two), units, v128.shuffle<f64>(lower, lowerRest, 0, 2));
    const b = rounded(promoteUpper(two), units, v128.shuffle<f64>(lower, lowerRest, 1, 3));
    const c = rounded(f64x2.promote_low_f32x4(nextTwo), units, v128.shuffle<f64>(upper, upperRest, 0, 2));
    const d = rounded(promoteUpper(nextTwo), units, v128.shuffle<f64>(upper, upperRest, 1, 3));
    const ab = v128.shuffle<i16>(a, b, 2, 0, 10, 8, 2, 0, 10, 8);
    const cd = v128.shuffle<i16>(c, d, 2, 0, 10, 8, 2, 0, 10, 8);
    for (let group = groups; group < groupEnd; group += groupBytes) {
      const size = <usize>load<u32>(group, 8);
      const to = <usize>load<u32>(group, 12) + row * size;
      const third = to + (size << 1);
      v128.store32_lane(to, ab, 0);
      v128.store32_lane(to + size, ab, 1);
      v128.store32_lane(third, cd, 0);
      v128.store32_lane(third + size, cd, 1);
    }
  }
}

/**
 * Sums of the gradients and hessians of leaves `begin` to `end` - 1, each in the order of its rows, 16 bytes for each at
 * `results`. `leaves` holds the first row and the one behind the last, 4 bytes each, as positions in the list `rows`.
 */
export function sumLeaves(
  leaves: usize, rows: usize, derivatives: usize, results: usize, begin: usize, end: usize,
): void {
  for (let leaf = begin; leaf < end; leaf++) {
    let sum = f64x2.splat(0);
    const last = rows + (<usize>load<u32>(leaves + (leaf << 3), 4) << 2);
    for (let at = rows + (<usize>load<u32>(leaves + (leaf << 3)) << 2); at < last; at += 4)
      sum = f64x2.add(sum, loadTwoNarrow(derivatives + (<usize>load<u32>(at) << 3), true));
    v128.store(results + (leaf << 4), sum);
  }
}

/** Adds to the scores of the rows of leaves `begin` to `end` - 1 the leaf's value, 8 bytes for each at `values`. */
export function moveScores(
  leaves: usize, rows: usize, scores: usize, values: usize, begin: usize, end: usize,
): void {
  for (let leaf = begin; leaf < end; leaf++) {
    const value = load<f64>(values + (leaf << 3));
    const last = rows + (<usize>load<u32>(leaves + (leaf << 3), 4) << 2);
    for (let at = rows + (<usize>load<u32>(leaves + (leaf << 3)) << 2); at < last; at += 4) {
      const score = scores + (<usize>load<u32>(at) << 3);
      store<f64>(score, load<f64>(score) + value);
    }
  }
}
