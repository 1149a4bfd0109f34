// Divides the rows of a leaf on several threads: each part's rows go to scratch, lefts from its beginning on and rights,
// turned round, from its end down; when all lefts are counted, each part moves its rows to where they belong.
import { sideOf } from './partition';

/**
 * Divides the row numbers `begin` to `end` - 1 of the list `rows` by a column whose bytes lie `stride` bytes apart; `sides`
 * says 1 for bytes that go left. Writes the number of lefts to `lefts`, 4 bytes for each part.
 */
export function divideApart(
  rows: usize, column: usize, stride: usize, sides: usize, scratch: usize, shuffles: usize, lefts: usize,
  begin: usize, end: usize, thread: usize, part: usize,
): void {
  const first = scratch + (begin << 2);
  let left = first;
  let right = scratch + (end << 2);
  let at = rows + (begin << 2);
  const last = rows + (end << 2);
  // Four entries are written on both sides each time: the last rows, where they would overlap, go one by one.
  while (at + 32 <= last) {
    const four = v128.load(at);
    const mask =
      sideOf(column, stride, sides, load<u32>(at)) |
      (sideOf(column, stride, sides, load<u32>(at, 4)) << 1) |
      (sideOf(column, stride, sides, load<u32>(at, 8)) << 2) |
      (sideOf(column, stride, sides, load<u32>(at, 12)) << 3);
    const shuffle = shuffles + (<usize>mask << 4);
    v128.store(left, v128.swizzle(four, v128.load(shuffle)));
    const rights = v128.swizzle(four, v128.load(shuffle, 256));
    v128.store(right - 16, v128.shuffle<i32>(rights, rights, 3, 2, 1, 0));
    const leftCount = <usize>popcnt(mask);
    left += leftCount << 2;
    right -= (4 - leftCount) << 2;
    at += 16;
  }
  while (at < last) {
    const row = load<u32>(at);
    if (sideOf(column, stride, sides, row)) {
      store<u32>(left, row);
      left += 4;
    } else {
      right -= 4;
      store<u32>(right, row);
    }
    at += 4;
  }
  store<u32>(lefts + (part << 2), (left - first) >> 2);
}

/** Moves a part's rows into the list: lefts, and rights behind all lefts, to the places that `targets` says, 12 bytes each. */
export function placeDivided(
  rows: usize, scratch: usize, targets: usize, begin: usize, end: usize, thread: usize, part: usize,
): void {
  targets += part * 12;
  const lefts = <usize>load<u32>(targets);
  memory.copy(rows + (<usize>load<u32>(targets, 4) << 2), scratch + (begin << 2), lefts << 2);
  let to = rows + (<usize>load<u32>(targets, 8) << 2);
  const first = scratch + ((begin + lefts) << 2);
  let from = scratch + (end << 2);
  while (from >= first + 16) {
    from -= 16;
    const four = v128.load(from);
    v128.store(to, v128.shuffle<i32>(four, four, 3, 2, 1, 0));
    to += 16;
  }
  while (from > first) {
    from -= 4;
    store<u32>(to, load<u32>(from));
    to += 4;
  }
}
