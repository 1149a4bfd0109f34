// Byte columns: from numbers to bins, from columns to rows, and into a new order.

/**
 * Bins of `count` numbers at `values` (8 bytes each), a byte each at `bins`: the number of bounds below the value, or
 * `missing` for NaN. `bounds` holds 255 numbers in order, padded with Infinity. Returns how many are NaN.
 */
export function mapToBins(values: usize, count: usize, bounds: usize, missing: u8, bins: usize): usize {
  let missingCount: usize = 0;
  for (let index: usize = 0; index < count; index++) {
    const value = load<f64>(values + (index << 3));
    let at = bounds;
    at += value > load<f64>(at, 127 << 3) ? 128 << 3 : 0;
    at += value > load<f64>(at, 63 << 3) ? 64 << 3 : 0;
    at += value > load<f64>(at, 31 << 3) ? 32 << 3 : 0;
    at += value > load<f64>(at, 15 << 3) ? 16 << 3 : 0;
    at += value > load<f64>(at, 7 << 3) ? 8 << 3 : 0;
    at += value > load<f64>(at, 3 << 3) ? 4 << 3 : 0;
    at += value > load<f64>(at, 1 << 3) ? 2 << 3 : 0;
    at += value > load<f64>(at) ? 1 << 3 : 0;
    const isMissing = value != value;
    missingCount += <usize>isMissing;
    store<u8>(bins + index, isMissing ? missing : <u8>((at - bounds) >> 3));
  }
  return missingCount;
}

/**
 * Sorts `count` numbers at `values`, none of them NaN, by their bits: six passes of 11 bits, which is several times as
 * fast as comparing. `scratch` is as large as the numbers, `counters` 49,152 bytes.
 */
export function sortNumbers(values: usize, count: usize, scratch: usize, counters: usize): void {
  memory.fill(counters, 0, 49152);
  const end = values + (count << 3);
  for (let at = values; at < end; at += 8) {
    // Flipped so that the order of the bits is that of the numbers: all bits of negative ones, the sign of others.
    let bits = load<u64>(at);
    bits ^= <u64>(<i64>bits >> 63) | 0x8000000000000000;
    store<u64>(at, bits);
    for (let pass: usize = 0; pass < 6; pass++) {
      const counter = counters + (pass << 13) + (<usize>((bits >> (<u64>pass * 11)) & 2047) << 2);
      store<u32>(counter, load<u32>(counter) + 1);
    }
  }
  let from = values;
  let to = scratch;
  for (let pass: usize = 0; pass < 6; pass++) {
    const shift = <u64>pass * 11;
    let sum: u32 = 0;
    const places = counters + (pass << 13);
    for (let at = places; at < places + 8192; at += 4) {
      const digits = load<u32>(at);
      store<u32>(at, sum);
      sum += digits;
    }
    for (let at = from; at < from + (count << 3); at += 8) {
      const bits = load<u64>(at);
      const place = places + (<usize>((bits >> shift) & 2047) << 2);
      const index = load<u32>(place);
      store<u32>(place, index + 1);
      store<u64>(to + (<usize>index << 3), bits);
    }
    const other = from;
    from = to;
    to = other;
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
