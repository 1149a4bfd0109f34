// Byte columns: from numbers to bins, from columns to rows, and into a new order.

/** `at` or, if the value is above the bound `step` - 1 behind it, `step` further on. */
// @ts-ignore: decorator
@inline
function further(value: f64, at: usize, step: usize): usize {
  return at + ((0 - <usize>(value > load<f64>(at + ((step - 1) << 3)))) & (step << 3));
}

/** The bin of a value whose bound was found. */
// @ts-ignore: decorator
@inline
function binOf(value: f64, at: usize, bounds: usize, missing: u32): u32 {
  return value == value ? <u32>((at - bounds) >> 3) : missing;
}

/**
 * Bins of numbers `begin` to `end` - 1 at `values` (8 bytes each), a byte each at `bins`: the number of bounds below the
 * value, or `missing` for NaN. `bounds` holds 255 numbers in order, padded with Infinity. Writes how many are NaN to
 * `missingCounts`, 4 bytes for each part.
 */
export function mapToBins(
  values: usize, bounds: usize, missing: u32, bins: usize, missingCounts: usize,
  begin: usize, end: usize, thread: usize, part: usize,
): void {
  let missingCount: u32 = 0;
  let index = begin;
  // Halving without branches, which would be guesses; four at a time hide each other's waiting.
  for (; index + 4 <= end; index += 4) {
    const from = values + (index << 3);
    const a = load<f64>(from);
    const b = load<f64>(from, 8);
    const c = load<f64>(from, 16);
    const d = load<f64>(from, 24);
    let atA = bounds;
    let atB = bounds;
    let atC = bounds;
    let atD = bounds;
    for (let step: usize = 128; step > 0; step >>= 1) {
      atA = further(a, atA, step);
      atB = further(b, atB, step);
      atC = further(c, atC, step);
      atD = further(d, atD, step);
    }
    missingCount += u32(a != a) + u32(b != b) + u32(c != c) + u32(d != d);
    store<u32>(
      bins + index,
      binOf(a, atA, bounds, missing) | (binOf(b, atB, bounds, missing) << 8) |
        (binOf(c, atC, bounds, missing) << 16) | (binOf(d, atD, bounds, missing) << 24),
    );
  }
  for (; index < end; index++) {
    const value = load<f64>(values + (index << 3));
    let at = bounds;
    for (let step: usize = 128; step > 0; step >>= 1) at = further(value, at, step);
    missingCount += u32(value != value);
    store<u8>(bins + index, binOf(value, at, bounds, missing));
  }
  store<u32>(missingCounts + (part << 2), missingCount);
}

/** Sorts words by the 11 bits from `shift` on, and leaves the order of equal ones. `counters` are 8,192 bytes. */
function sortByDigit(from: usize, to: usize, count: usize, shift: u64, counters: usize): void {
  memory.fill(counters, 0, 8192);
  const end = from + (count << 3);
  for (let at = from; at < end; at += 8) {
    const counter = counters + (<usize>((load<u64>(at) >> shift) & 2047) << 2);
    store<u32>(counter, load<u32>(counter) + 1);
  }
  let sum: u32 = 0;
  for (let at = counters; at < counters + 8192; at += 4) {
    const digits = load<u32>(at);
    store<u32>(at, sum);
    sum += digits;
  }
  for (let at = from; at < end; at += 8) {
    const bits = load<u64>(at);
    const counter = counters + (<usize>((bits >> shift) & 2047) << 2);
    const index = load<u32>(counter);
    store<u32>(counter, index + 1);
    store<u64>(to + (<usize>index << 3), bits);
  }
}

/** Sorts words that are nearly sorted by moving each down; `false` when that takes more than `most` steps. */
function straighten(words: usize, count: usize, most: usize): bool {
  const end = words + (count << 3);
  for (let at = words + 8; at < end; at += 8) {
    const word = load<u64>(at);
    let to = at;
    for (; to > words && load<u64>(to - 8) > word; to -= 8) {
      if (most == 0) {
        store<u64>(to, word);
        return false;
      }
      most--;
      store<u64>(to, load<u64>(to - 8));
    }
    store<u64>(to, word);
  }
  return true;
}

/**
 * Sorts columns `begin` to `end` - 1 of numbers, none of them NaN, by their bits: 11 at a time, which is several times as
 * fast as comparing. Those below the upper 33 are rarely needed: what they say is mended by moving a few numbers.
 * Column i has `counts[i]` numbers (4 bytes) at `values` + i x `size`; `scratch` is as large as the columns, `counters`
 * 8,192 bytes for each.
 */
export function sortNumbers(
  counts: usize, values: usize, size: usize, scratch: usize, counters: usize, begin: usize, end: usize,
): void {
  for (let column = begin; column < end; column++)
    sortColumn(values + column * size, load<u32>(counts + (column << 2)), scratch + column * size, counters + (column << 13));
}

function sortColumn(values: usize, count: usize, scratch: usize, counters: usize): void {
  const end = values + (count << 3);
  for (let at = values; at < end; at += 8) {
    // Flipped so that the order of the bits is that of the numbers: all bits of negative ones, the sign of others.
    const bits = load<u64>(at);
    store<u64>(at, bits ^ (<u64>(<i64>bits >> 63) | 0x8000000000000000));
  }
  sortByDigit(values, scratch, count, 31, counters);
  sortByDigit(scratch, values, count, 42, counters);
  sortByDigit(values, scratch, count, 53, counters);
  memory.copy(values, scratch, count << 3);
  if (!straighten(values, count, count)) {
    for (let shift: u64 = 0; shift < 66; shift += 22) {
      sortByDigit(values, scratch, count, shift, counters);
      sortByDigit(scratch, values, count, shift + 11, counters);
    }
  }
  for (let at = values; at < end; at += 8) {
    const bits = load<u64>(at);
    store<u64>(at, bits ^ (<u64>(<i64>~bits >> 63) | 0x8000000000000000));
  }
}

/**
 * Writes `columnCount` columns of a group, whose addresses are at `columns`, into its rows from `begin` to
 * `end` - 1, behind the 4 bytes that each row begins with. Blocks of 256 rows stay in the first-level cache.
 */
export function interleave(columns: usize, columnCount: usize, rows: usize, stride: usize, begin: usize, end: usize): void {
  for (let block = begin; block < end; block += 256) {
    const blockEnd = block + 256 < end ? block + 256 : end;
    for (let column: usize = 0; column < columnCount; column++) {
      const from = <usize>load<u32>(columns + (column << 2));
      let to = rows + block * stride + 4 + column;
      for (let row = block; row < blockEnd; row++) {
        store<u8>(to, load<u8>(from + row));
        to += stride;
      }
    }
  }
}

/** `to[i] = from[order[i]]` for bytes. */
export function permuteBytes(from: usize, to: usize, order: usize, count: usize): void {
  for (let index: usize = 0; index < count; index++)
    store<u8>(to + index, load<u8>(from + <usize>load<u32>(order + (index << 2))));
}

/** `to[i] = from[order[i]]` for numbers of 8 bytes. */
export function permuteNumbers(from: usize, to: usize, order: usize, count: usize): void {
  for (let index: usize = 0; index < count; index++)
    store<u64>(to + (index << 3), load<u64>(from + (<usize>load<u32>(order + (index << 2)) << 3)));
}

/**
 * `rows[i] = rows[order[i]]` in place, for rows of `size` bytes, a multiple of 8: follows the cycles of the order, whose
 * numbers are below 2^31. Their highest bits tell what is done, and are `isMarked` before, the opposite after. `spare` has
 * `size` bytes.
 */
export function permuteInPlace(
  rows: usize, size: usize, order: usize, count: usize, isMarked: u32, spare: usize,
): void {
  for (let first: usize = 0; first < count; first++) {
    if (load<u32>(order + (first << 2)) >> 31 != isMarked) continue;
    copyWords(spare, rows + first * size, size);
    let to = first;
    while (true) {
      const entry = load<u32>(order + (to << 2));
      store<u32>(order + (to << 2), entry ^ 0x80000000);
      const from = <usize>(entry & 0x7fffffff);
      if (from == first) break;
      copyWords(rows + to * size, rows + from * size, size);
      to = from;
    }
    copyWords(rows + to * size, spare, size);
  }
}

// @ts-ignore: decorator
@inline
function copyWords(to: usize, from: usize, size: usize): void {
  for (let at: usize = 0; at < size; at += 8) store<u64>(to + at, load<u64>(from + at));
}
