// Gradient histograms. A cell is 64 bits: the sum of fixed-point gradients in the high half (signed), of fixed-point
// hessians in the low half: one load, one addition and one store for each row and column. Rows lie in groups of at
// most 32 byte columns, so that one 32-bit load brings the bins of four. In a wide group each column has 256 cells of
// its own; in a narrow one eight columns share them, and their bytes already say which 32 are theirs.

/** Rows that are gathered before they are added: 64 of 32 bytes and their cells fit the first-level cache. */
const chunk: usize = 64;

// @ts-ignore: decorator
@inline
function addTo(cell: usize, value: i64): void {
  store<i64>(cell, load<i64>(cell) + value);
}

/** Adds to the cells of four columns, `step` bytes apart, the first of them at `histogram`. */
// @ts-ignore: decorator
@inline
function addWord(histogram: usize, word: u32, value: i64, step: usize): void {
  addTo(histogram + ((word << 3) & 0x7f8), value);
  addTo(histogram + step + ((word >> 5) & 0x7f8), value);
  addTo(histogram + 2 * step + ((word >> 13) & 0x7f8), value);
  addTo(histogram + 3 * step + ((word >> 21) & 0x7f8), value);
}

/** Straight-line code for each number of words. */
// @ts-ignore: decorator
@inline
function addWideRows(words: i32, rows: usize, stride: usize, cells: usize, count: usize, histogram: usize): void {
  const end = cells + (count << 3);
  while (cells < end) {
    const value = load<i64>(cells);
    addWord(histogram, load<u32>(rows), value, 2048);
    if (words > 1) addWord(histogram + 8192, load<u32>(rows, 4), value, 2048);
    if (words > 2) addWord(histogram + 16384, load<u32>(rows, 8), value, 2048);
    if (words > 3) addWord(histogram + 24576, load<u32>(rows, 12), value, 2048);
    if (words > 4) addWord(histogram + 32768, load<u32>(rows, 16), value, 2048);
    if (words > 5) addWord(histogram + 40960, load<u32>(rows, 20), value, 2048);
    if (words > 6) addWord(histogram + 49152, load<u32>(rows, 24), value, 2048);
    if (words > 7) addWord(histogram + 57344, load<u32>(rows, 28), value, 2048);
    rows += stride;
    cells += 8;
  }
}

/** Rows of a wide group. */
function addWide(words: u32, rows: usize, stride: usize, cells: usize, count: usize, histogram: usize): void {
  switch (words) {
    case 1: return addWideRows(1, rows, stride, cells, count, histogram);
    case 2: return addWideRows(2, rows, stride, cells, count, histogram);
    case 3: return addWideRows(3, rows, stride, cells, count, histogram);
    case 4: return addWideRows(4, rows, stride, cells, count, histogram);
    case 5: return addWideRows(5, rows, stride, cells, count, histogram);
    case 6: return addWideRows(6, rows, stride, cells, count, histogram);
    case 7: return addWideRows(7, rows, stride, cells, count, histogram);
    default: return addWideRows(8, rows, stride, cells, count, histogram);
  }
}

/** As for wide groups; two words share a region. */
// @ts-ignore: decorator
@inline
function addNarrowRows(words: i32, rows: usize, stride: usize, cells: usize, count: usize, histogram: usize): void {
  const end = cells + (count << 3);
  while (cells < end) {
    const value = load<i64>(cells);
    addWord(histogram, load<u32>(rows), value, 0);
    if (words > 1) addWord(histogram, load<u32>(rows, 4), value, 0);
    if (words > 2) addWord(histogram + 2048, load<u32>(rows, 8), value, 0);
    if (words > 3) addWord(histogram + 2048, load<u32>(rows, 12), value, 0);
    if (words > 4) addWord(histogram + 4096, load<u32>(rows, 16), value, 0);
    if (words > 5) addWord(histogram + 4096, load<u32>(rows, 20), value, 0);
    if (words > 6) addWord(histogram + 6144, load<u32>(rows, 24), value, 0);
    if (words > 7) addWord(histogram + 6144, load<u32>(rows, 28), value, 0);
    rows += stride;
    cells += 8;
  }
}

/** Rows of a narrow group. */
function addNarrow(words: u32, rows: usize, stride: usize, cells: usize, count: usize, histogram: usize): void {
  switch (words) {
    case 1: return addNarrowRows(1, rows, stride, cells, count, histogram);
    case 2: return addNarrowRows(2, rows, stride, cells, count, histogram);
    case 3: return addNarrowRows(3, rows, stride, cells, count, histogram);
    case 4: return addNarrowRows(4, rows, stride, cells, count, histogram);
    case 5: return addNarrowRows(5, rows, stride, cells, count, histogram);
    case 6: return addNarrowRows(6, rows, stride, cells, count, histogram);
    case 7: return addNarrowRows(7, rows, stride, cells, count, histogram);
    default: return addNarrowRows(8, rows, stride, cells, count, histogram);
  }
}

// @ts-ignore: decorator
@inline
function addCounted(isNarrow: bool, words: u32, rows: usize, stride: usize, cells: usize, count: usize, histogram: usize): void {
  if (isNarrow) addNarrow(words, rows, stride, cells, count, histogram);
  else addWide(words, rows, stride, cells, count, histogram);
}

/** Copies `count` listed rows and their cells to `buffer` (rows) and `buffer` + 2,048 (cells): many misses in flight. */
function gather(list: usize, count: usize, rows: usize, stride: usize, cells: usize, buffer: usize): void {
  const end = list + (count << 2);
  let gathered = buffer + (chunk << 5);
  for (let at = list; at < end; at += 4) {
    store<i64>(gathered, load<i64>(cells + ((<usize>load<u32>(at)) << 3)));
    gathered += 8;
  }
  if (stride == 32) {
    for (let at = list; at < end; at += 4) {
      const row = rows + ((<usize>load<u32>(at)) << 5);
      v128.store(buffer, v128.load(row));
      v128.store(buffer, v128.load(row, 16), 16);
      buffer += 32;
    }
  } else if (stride == 24) {
    for (let at = list; at < end; at += 4) {
      const row = rows + (<usize>load<u32>(at)) * 24;
      v128.store(buffer, v128.load(row));
      store<u64>(buffer, load<u64>(row, 16), 16);
      buffer += 24;
    }
  } else if (stride == 16) {
    for (let at = list; at < end; at += 4) {
      v128.store(buffer, v128.load(rows + ((<usize>load<u32>(at)) << 4)));
      buffer += 16;
    }
  } else {
    for (let at = list; at < end; at += 4) {
      store<u64>(buffer, load<u64>(rows + ((<usize>load<u32>(at)) << 3)));
      buffer += 8;
    }
  }
}

/**
 * Adds rows to the cells of one group. `list` holds the numbers of the rows, 4 bytes each; with `list` 0, the rows are
 * `first` to `first` + `count` - 1. `buffer` is 2,560 bytes.
 */
export function addGroup(
  isNarrow: bool, words: u32, rows: usize, stride: usize, cells: usize, histogram: usize,
  list: usize, first: usize, count: usize, buffer: usize,
): void {
  if (list == 0) {
    addCounted(isNarrow, words, rows + first * stride, stride, cells + (first << 3), count, histogram);
    return;
  }
  while (count > 0) {
    const size = count < chunk ? count : chunk;
    gather(list, size, rows, stride, cells, buffer);
    addCounted(isNarrow, words, buffer, stride, buffer + (chunk << 5), size, histogram);
    list += size << 2;
    count -= size;
  }
}

/** `parent` becomes parent minus child; `size` bytes, a multiple of 16. */
export function subtract(parent: usize, child: usize, size: usize): void {
  const end = parent + size;
  while (parent < end) {
    v128.store(parent, i64x2.sub(v128.load(parent), v128.load(child)));
    parent += 16;
    child += 16;
  }
}

/** Sets `size` bytes to zero. */
export function clear(at: usize, size: usize): void {
  memory.fill(at, 0, size);
}

/** The sum of `count` cells. */
export function sumCells(cells: usize, count: usize, result: usize): void {
  let sum: i64 = 0;
  const end = cells + (count << 3);
  while (cells < end) {
    sum += load<i64>(cells);
    cells += 8;
  }
  store<i64>(result, sum);
}
