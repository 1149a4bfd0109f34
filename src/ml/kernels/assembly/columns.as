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
 * Writes columns `first` to `last` - 1 of a group, whose addresses are at `columns`, into its rows from `begin` to
 * `end` - 1. Blocks of 256 rows stay in the first-level cache.
 */
export function interleave(columns: usize, columnCount: usize, rows: usize, stride: usize, begin: usize, end: usize): void {
  for (let block = begin; block < end; block += 256) {
    const blockEnd = block + 256 < end ? block + 256 : end;
    for (let column: usize = 0; column < columnCount; column++) {
      const from = <usize>load<u32>(columns + (column << 2));
      let to = rows + block * stride + column;
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
