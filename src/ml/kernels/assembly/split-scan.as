// The best border of numeric features, found in a histogram: two bins a step, one division. The sum of hessians grows
// with every bin, so the admissible borders are one interval and the inner loop has no branch that depends on data.
// Gains are in units of the fixed-point numbers: (GL^2 HR + GR^2 HL) / (HL HR), each H with the penalty l2.

/** Fields of a feature, 4 bytes each: place of its cells in a histogram, bins, missing bin, default bin, whether a category. */
export const featureSize: usize = 32;

/** Gain of a border whose left side has the sums `g` and `h`, for two borders at once. */
// @ts-ignore: decorator
@inline
function gains(cells: v128, totalG: v128, totalH: v128, l2: v128): v128 {
  const g = f64x2.convert_low_i32x4_s(v128.shuffle<i32>(cells, cells, 1, 3, 1, 3));
  const h = f64x2.convert_low_i32x4_s(v128.shuffle<i32>(cells, cells, 0, 2, 0, 2));
  const left = f64x2.add(h, l2);
  const right = f64x2.add(f64x2.sub(totalH, h), l2);
  const rest = f64x2.sub(totalG, g);
  return f64x2.div(
    f64x2.add(f64x2.mul(f64x2.mul(g, g), right), f64x2.mul(f64x2.mul(rest, rest), left)),
    f64x2.mul(left, right),
  );
}

/** First of `count` sums whose hessian part is at least `bound`. Halving without branches, which would be guesses. */
// @ts-ignore: decorator
@inline
function firstAtLeast(sums: usize, count: i32, bound: i32): i32 {
  if (count <= 0) return 0;
  let low = 0;
  let rest = count;
  while (rest > 1) {
    const half = rest >> 1;
    low += select<i32>(half, 0, load<i32>(sums + (<usize>(low + half - 1) << 3)) < bound);
    rest -= half;
  }
  return low + i32(load<i32>(sums + (<usize>low << 3)) < bound);
}

/** The largest gain among borders `low` to `high` (both included), with `shift` added to each sum. */
function largestGain(sums: usize, low: i32, high: i32, shift: i64, totalG: v128, totalH: v128, l2: v128): f64 {
  const added = i64x2.splat(shift);
  const last = sums + (<usize>high << 3);
  let at = sums + (<usize>low << 3);
  if (low == high) {
    return f64x2.extract_lane(gains(i64x2.add(i64x2.splat(load<i64>(at)), added), totalG, totalH, l2), 0);
  }
  let most = f64x2.splat(0);
  while (at < last) {
    most = f64x2.pmax(most, gains(i64x2.add(v128.load(at), added), totalG, totalH, l2));
    at += 16;
  }
  // An odd number of borders: the last one together with the one before it, once more.
  if (at == last) most = f64x2.pmax(most, gains(i64x2.add(v128.load(last - 8), added), totalG, totalH, l2));
  const a = f64x2.extract_lane(most, 0);
  const b = f64x2.extract_lane(most, 1);
  return a > b ? a : b;
}

function firstOfGain(gain: f64, sums: usize, low: i32, shift: i64, totalG: v128, totalH: v128, l2: v128): i32 {
  let bin = low;
  while (
    f64x2.extract_lane(
      gains(i64x2.splat(load<i64>(sums + (<usize>bin << 3)) + shift), totalG, totalH, l2), 0,
    ) != gain
  ) bin++;
  return bin;
}

/** A bundled feature's cells with the default bin put back in: the leaf's sum minus those of the other bins. */
export function expand(cells: usize, binCount: i32, defaultBin: i32, total: i64, out: usize): void {
  let rest = total;
  for (let bin = 0; bin < binCount; bin++) {
    if (bin == defaultBin) continue;
    const cell = load<i64>(cells + (<usize>(bin < defaultBin ? bin : bin - 1) << 3));
    rest -= cell;
    store<i64>(out + (<usize>bin << 3), cell);
  }
  store<i64>(out + (<usize>defaultBin << 3), rest);
}

/** One feature's cells, as they would be without bundling, at `out` (256 cells). */
export function readCells(histogram: usize, feature: usize, total: i64, out: usize): void {
  const cells = histogram + load<u32>(feature);
  const binCount = load<i32>(feature, 4);
  const defaultBin = load<i32>(feature, 12);
  if (defaultBin >= 0) expand(cells, binCount, defaultBin, total, out);
  else memory.copy(out, cells, <usize>binCount << 3);
}

/** For two pairs of cells, four bytes-to-be of all ones where a cell is empty. */
// @ts-ignore: decorator
@inline
function emptyOfFour(cells: usize, offset: usize): v128 {
  const zero = i64x2.splat(0);
  const a = i64x2.eq(v128.load(cells + offset), zero);
  const b = i64x2.eq(v128.load(cells + offset, 16), zero);
  return v128.shuffle<i32>(a, b, 0, 2, 4, 6);
}

/** A bit for each of the 16 cells at `cells` that is not empty. */
// @ts-ignore: decorator
@inline
function busyOfSixteen(cells: usize): u32 {
  const lower = i16x8.narrow_i32x4_s(emptyOfFour(cells, 0), emptyOfFour(cells, 32));
  const upper = i16x8.narrow_i32x4_s(emptyOfFour(cells, 64), emptyOfFour(cells, 96));
  return <u32>~i8x16.bitmask(i8x16.narrow_i16x8_s(lower, upper)) & 0xffff;
}

/**
 * Writes to `sums` the sum up to each bin that has rows, and to `bins` which bin that is: a border behind an empty bin
 * divides the leaf as the one before it does. Returns how many there are. Most bins of small leaves are empty: 64
 * cells are looked at together, and only busy ones cost more. Up to 15 cells behind the last are read.
 */
function sumUp(cells: usize, count: i32, sums: usize, bins: usize): i32 {
  let sum: i64 = 0;
  const first = bins;
  for (let begin = 0; begin < count; begin += 64) {
    const block = cells + (<usize>begin << 3);
    const rest = count - begin;
    let busy = <u64>busyOfSixteen(block);
    if (rest > 16) busy |= <u64>busyOfSixteen(block + 128) << 16;
    if (rest > 32) busy |= <u64>busyOfSixteen(block + 256) << 32;
    if (rest > 48) busy |= <u64>busyOfSixteen(block + 384) << 48;
    if (rest < 64) busy &= (<u64>1 << rest) - 1;
    else if (busy == u64.MAX_VALUE) {
      for (let bin: usize = 0; bin < 64; bin++) {
        sum += load<i64>(block + (bin << 3));
        store<i64>(sums + (bin << 3), sum);
        store<u8>(bins + bin, <u8>(begin + bin));
      }
      sums += 512;
      bins += 64;
      continue;
    }
    while (busy != 0) {
      const bin = <usize>ctz(busy);
      busy &= busy - 1;
      sum += load<i64>(block + (bin << 3));
      store<i64>(sums, sum);
      store<u8>(bins, <u8>(begin + bin));
      sums += 8;
      bins++;
    }
  }
  return <i32>(bins - first);
}

/**
 * Searches the features whose numbers are at `list`. `floor` is the gain to beat, `least` the smallest sum of hessians of
 * a side. Writes to `result`: gain (8 bytes), left sum (8), position in the list or -1 (4), bin (4), missing left (4).
 * `scratch` is 4,352 bytes.
 */
export function scan(
  histogram: usize, features: usize, list: usize, count: i32, totalGradient: i32, totalHessian: i32,
  least: i32, l2: f64, floor: f64, scratch: usize, result: usize,
): void {
  const totalG = f64x2.splat(<f64>totalGradient);
  const totalH = f64x2.splat(<f64>totalHessian);
  const penalty = f64x2.splat(l2);
  const bins = scratch + 4096;
  const total = ((<i64>totalGradient) << 32) + <i64>totalHessian;
  let best = floor;
  store<i32>(result, -1, 16);
  for (let position = 0; position < count; position++) {
    const feature = features + <usize>load<u32>(list + (<usize>position << 2)) * featureSize;
    let cells = histogram + load<u32>(feature);
    const binCount = load<i32>(feature, 4);
    const missingBin = load<i32>(feature, 8);
    const defaultBin = load<i32>(feature, 12);
    if (defaultBin >= 0) {
      expand(cells, binCount, defaultBin, total, scratch + 2048);
      cells = scratch + 2048;
    }
    const present = missingBin < 0 ? binCount : missingBin;
    const missing: i64 = missingBin < 0 ? 0 : load<i64>(cells + (<usize>missingBin << 3));
    const missingHessian = <i32>missing;
    let borders = sumUp(cells, present, scratch, bins);
    // Without missing values in the leaf the last border would leave nothing on the right.
    if (missingHessian == 0) borders--;
    let low = firstAtLeast(scratch, borders, least);
    let high = firstAtLeast(scratch, borders, totalHessian - least + 1) - 1;
    if (low <= high) {
      const gain = largestGain(scratch, low, high, 0, totalG, totalH, penalty);
      if (gain > best) {
        best = gain;
        const border = firstOfGain(gain, scratch, low, 0, totalG, totalH, penalty);
        const left = load<i64>(scratch + (<usize>border << 3));
        store<f64>(result, gain);
        store<i64>(result, left, 8);
        store<i32>(result, position, 16);
        store<i32>(result, <i32>load<u8>(bins + <usize>border), 20);
        // Where the leaf has no missing values, later ones follow the larger side.
        store<i32>(result, missingHessian == 0 && <i32>left > totalHessian - <i32>left ? 1 : 0, 24);
      }
    }
    if (missingHessian == 0) continue;
    low = firstAtLeast(scratch, borders, least - missingHessian);
    high = firstAtLeast(scratch, borders, totalHessian - least - missingHessian + 1) - 1;
    if (low > high) continue;
    const gain = largestGain(scratch, low, high, missing, totalG, totalH, penalty);
    if (gain > best) {
      best = gain;
      const border = firstOfGain(gain, scratch, low, missing, totalG, totalH, penalty);
      store<f64>(result, gain);
      store<i64>(result, load<i64>(scratch + (<usize>border << 3)) + missing, 8);
      store<i32>(result, position, 16);
      store<i32>(result, <i32>load<u8>(bins + <usize>border), 20);
      store<i32>(result, 1, 24);
    }
  }
}

/**
 * The largest gain among all borders of a feature, or -1 when none is admissible; see {@link scan}, which finds the border.
 */
export function borderGain(
  cells: usize, binCount: i32, missingBin: i32, totalGradient: i32, totalHessian: i32, least: i32, l2: f64, scratch: usize,
): f64 {
  const totalG = f64x2.splat(<f64>totalGradient);
  const totalH = f64x2.splat(<f64>totalHessian);
  const penalty = f64x2.splat(l2);
  const present = missingBin < 0 ? binCount : missingBin;
  const missing: i64 = missingBin < 0 ? 0 : load<i64>(cells + (<usize>missingBin << 3));
  const missingHessian = <i32>missing;
  let borders = sumUp(cells, present, scratch, scratch + 4096);
  if (missingHessian == 0) borders--;
  let low = firstAtLeast(scratch, borders, least);
  let high = firstAtLeast(scratch, borders, totalHessian - least + 1) - 1;
  let best: f64 = low <= high ? largestGain(scratch, low, high, 0, totalG, totalH, penalty) : -1;
  if (missingHessian == 0) return best;
  low = firstAtLeast(scratch, borders, least - missingHessian);
  high = firstAtLeast(scratch, borders, totalHessian - least - missingHessian + 1) - 1;
  if (low > high) return best;
  const gain = largestGain(scratch, low, high, missing, totalG, totalH, penalty);
  return gain > best ? gain : best;
}
