// Divides the rows of a leaf: stable and without branches. Four rows at a time are moved by one of sixteen shuffles;
// lefts stay in place, rights go to scratch and are copied behind the lefts: by the host when several threads divide.

/** Writes the shuffles: 16 masks of 16 bytes for the lefts, then as many for the rights. `at` is 512 bytes. */
export function writeShuffles(at: usize): void {
  for (let mask: u32 = 0; mask < 16; mask++) {
    let left = at + (mask << 4);
    let right = at + 256 + (mask << 4);
    for (let row: u32 = 0; row < 4; row++) {
      const bytes: u32 = 0x03020100 + row * 0x04040404;
      if ((mask >> row) & 1) {
        store<u32>(left, bytes);
        left += 4;
      } else {
        store<u32>(right, bytes);
        right += 4;
      }
    }
  }
}

// @ts-ignore: decorator
@inline
export function sideOf(column: usize, stride: usize, sides: usize, row: u32): u32 {
  return load<u8>(sides + <usize>load<u8>(column + <usize>row * stride));
}

// @ts-ignore: decorator
@inline
function divideBy(
  stride: usize, rows: usize, count: usize, column: usize, sides: usize, scratch: usize, shuffles: usize,
): usize {
  const end = rows + (count << 2);
  const fourEnd = rows + ((count & ~3) << 2);
  let left = rows;
  let right = scratch;
  let at = rows;
  while (at < fourEnd) {
    const four = v128.load(at);
    const mask =
      sideOf(column, stride, sides, load<u32>(at)) |
      (sideOf(column, stride, sides, load<u32>(at, 4)) << 1) |
      (sideOf(column, stride, sides, load<u32>(at, 8)) << 2) |
      (sideOf(column, stride, sides, load<u32>(at, 12)) << 3);
    const shuffle = shuffles + (<usize>mask << 4);
    v128.store(left, v128.swizzle(four, v128.load(shuffle)));
    v128.store(right, v128.swizzle(four, v128.load(shuffle, 256)));
    const lefts = <usize>popcnt(mask);
    left += lefts << 2;
    right += (4 - lefts) << 2;
    at += 16;
  }
  while (at < end) {
    const row = load<u32>(at);
    const isLeft = <usize>sideOf(column, stride, sides, row);
    store<u32>(left, row);
    store<u32>(right, row);
    left += isLeft << 2;
    right += (1 - isLeft) << 2;
    at += 4;
  }
  return (left - rows) >> 2;
}

/**
 * Divides the `count` row numbers at `rows` by a column whose bytes lie `stride` bytes apart: `sides` says 1 for bytes that
 * go left. `scratch` has 4 x `count` + 16 bytes. Returns the number of lefts, which are first now. Bytes side by side have
 * code of their own, because it is faster.
 */
export function divideAlone(
  rows: usize, count: usize, column: usize, stride: usize, sides: usize, scratch: usize, shuffles: usize,
): usize {
  const lefts = stride == 1
    ? divideBy(1, rows, count, column, sides, scratch, shuffles)
    : divideBy(stride, rows, count, column, sides, scratch, shuffles);
  memory.copy(rows + (lefts << 2), scratch, (count - lefts) << 2);
  return lefts;
}

/** Copies `size` bytes; the places may overlap. The host's own copying is slow where threads share the memory. */
export function move(to: usize, from: usize, size: usize): void {
  memory.copy(to, from, size);
}

/** Row i becomes `rows[i]` for rows `begin` to `end` - 1. */
export function countUp(rows: usize, begin: usize, end: usize): void {
  for (let row = begin; row < end; row++) store<u32>(rows + (row << 2), <u32>row);
}
