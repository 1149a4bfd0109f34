// Gradient histograms. A histogram's cell is 64 bits: the sum of fixed-point gradients in the high half (signed), of
// fixed-point hessians in the low half: one load, one addition and one store for each row and column. Rows lie in groups.
// A row of a group begins with its own gradient (16 bits, signed) above its hessian (16 bits), so that a row costs no
// other look into memory, and goes on with up to 28 byte columns. In a wide group each column has 256 cells of its own;
// in a narrow one eight columns share them, and their bytes already say which 32 are theirs.

/**
 * Rows that are gathered or read before their columns are added, at most 16 at a time: the cells of 16 columns fit the
 * first-level cache, which makes additions a quarter faster than with those of 32; the chunk waits in the second level.
 */
const chunk: usize = 256;

/** Bytes of a row before its columns. */
const rowHead: usize = 4;

/** Of the description of a group: see {@link fillHistogram}. */
export const groupBytes: usize = 32;

// @ts-ignore: decorator
@inline
function valueOf(row: usize): i64 {
  const packed = load<i32>(row);
  return (<i64>(packed >> 16) << 32) + <i64>(packed & 0xffff);
}

/**
 * Straight-line code for rows of `count` columns, 2,048 bytes of cells each. Offsets are written out, because then they are
 * part of the instructions: five for each column. `columns` is where those of the first of `rows` begin.
 */
// @ts-ignore: decorator
@inline
function addWideRows(count: u32, rows: usize, columns: usize, stride: usize, rowCount: usize, histogram: usize): void {
  const end = rows + rowCount * stride;
  while (rows < end) {
    const value = valueOf(rows);
    let cell = histogram + (<usize>load<u8>(columns) << 3);
    store<i64>(cell, load<i64>(cell) + value);
    if (count > 1) {
      cell = histogram + (<usize>load<u8>(columns, 1) << 3);
      store<i64>(cell, load<i64>(cell, 2048) + value, 2048);
    }
    if (count > 2) {
      cell = histogram + (<usize>load<u8>(columns, 2) << 3);
      store<i64>(cell, load<i64>(cell, 4096) + value, 4096);
    }
    if (count > 3) {
      cell = histogram + (<usize>load<u8>(columns, 3) << 3);
      store<i64>(cell, load<i64>(cell, 6144) + value, 6144);
    }
    if (count > 4) {
      cell = histogram + (<usize>load<u8>(columns, 4) << 3);
      store<i64>(cell, load<i64>(cell, 8192) + value, 8192);
    }
    if (count > 5) {
      cell = histogram + (<usize>load<u8>(columns, 5) << 3);
      store<i64>(cell, load<i64>(cell, 10240) + value, 10240);
    }
    if (count > 6) {
      cell = histogram + (<usize>load<u8>(columns, 6) << 3);
      store<i64>(cell, load<i64>(cell, 12288) + value, 12288);
    }
    if (count > 7) {
      cell = histogram + (<usize>load<u8>(columns, 7) << 3);
      store<i64>(cell, load<i64>(cell, 14336) + value, 14336);
    }
    if (count > 8) {
      cell = histogram + (<usize>load<u8>(columns, 8) << 3);
      store<i64>(cell, load<i64>(cell, 16384) + value, 16384);
    }
    if (count > 9) {
      cell = histogram + (<usize>load<u8>(columns, 9) << 3);
      store<i64>(cell, load<i64>(cell, 18432) + value, 18432);
    }
    if (count > 10) {
      cell = histogram + (<usize>load<u8>(columns, 10) << 3);
      store<i64>(cell, load<i64>(cell, 20480) + value, 20480);
    }
    if (count > 11) {
      cell = histogram + (<usize>load<u8>(columns, 11) << 3);
      store<i64>(cell, load<i64>(cell, 22528) + value, 22528);
    }
    if (count > 12) {
      cell = histogram + (<usize>load<u8>(columns, 12) << 3);
      store<i64>(cell, load<i64>(cell, 24576) + value, 24576);
    }
    if (count > 13) {
      cell = histogram + (<usize>load<u8>(columns, 13) << 3);
      store<i64>(cell, load<i64>(cell, 26624) + value, 26624);
    }
    if (count > 14) {
      cell = histogram + (<usize>load<u8>(columns, 14) << 3);
      store<i64>(cell, load<i64>(cell, 28672) + value, 28672);
    }
    if (count > 15) {
      cell = histogram + (<usize>load<u8>(columns, 15) << 3);
      store<i64>(cell, load<i64>(cell, 30720) + value, 30720);
    }
    rows += stride;
    columns += stride;
  }
}

function addWide(count: u32, rows: usize, columns: usize, stride: usize, rowCount: usize, histogram: usize): void {
  switch (count) {
    case 1: return addWideRows(1, rows, columns, stride, rowCount, histogram);
    case 2: return addWideRows(2, rows, columns, stride, rowCount, histogram);
    case 3: return addWideRows(3, rows, columns, stride, rowCount, histogram);
    case 4: return addWideRows(4, rows, columns, stride, rowCount, histogram);
    case 5: return addWideRows(5, rows, columns, stride, rowCount, histogram);
    case 6: return addWideRows(6, rows, columns, stride, rowCount, histogram);
    case 7: return addWideRows(7, rows, columns, stride, rowCount, histogram);
    case 8: return addWideRows(8, rows, columns, stride, rowCount, histogram);
    case 9: return addWideRows(9, rows, columns, stride, rowCount, histogram);
    case 10: return addWideRows(10, rows, columns, stride, rowCount, histogram);
    case 11: return addWideRows(11, rows, columns, stride, rowCount, histogram);
    case 12: return addWideRows(12, rows, columns, stride, rowCount, histogram);
    case 13: return addWideRows(13, rows, columns, stride, rowCount, histogram);
    case 14: return addWideRows(14, rows, columns, stride, rowCount, histogram);
    case 15: return addWideRows(15, rows, columns, stride, rowCount, histogram);
    default: return addWideRows(16, rows, columns, stride, rowCount, histogram);
  }
}

/** As for wide groups; eight columns share 2,048 bytes. */
// @ts-ignore: decorator
@inline
function addNarrowRows(words: u32, rows: usize, stride: usize, count: usize, histogram: usize): void {
  const end = rows + count * stride;
  while (rows < end) {
    const value = valueOf(rows);
    const columns = rows + rowHead;
    let cell = histogram + (<usize>load<u8>(columns) << 3);
    store<i64>(cell, load<i64>(cell) + value);
    cell = histogram + (<usize>load<u8>(columns, 1) << 3);
    store<i64>(cell, load<i64>(cell) + value);
    cell = histogram + (<usize>load<u8>(columns, 2) << 3);
    store<i64>(cell, load<i64>(cell) + value);
    cell = histogram + (<usize>load<u8>(columns, 3) << 3);
    store<i64>(cell, load<i64>(cell) + value);
    if (words > 1) {
      cell = histogram + (<usize>load<u8>(columns, 4) << 3);
      store<i64>(cell, load<i64>(cell) + value);
      cell = histogram + (<usize>load<u8>(columns, 5) << 3);
      store<i64>(cell, load<i64>(cell) + value);
      cell = histogram + (<usize>load<u8>(columns, 6) << 3);
      store<i64>(cell, load<i64>(cell) + value);
      cell = histogram + (<usize>load<u8>(columns, 7) << 3);
      store<i64>(cell, load<i64>(cell) + value);
    }
    if (words > 2) {
      cell = histogram + (<usize>load<u8>(columns, 8) << 3);
      store<i64>(cell, load<i64>(cell, 2048) + value, 2048);
      cell = histogram + (<usize>load<u8>(columns, 9) << 3);
      store<i64>(cell, load<i64>(cell, 2048) + value, 2048);
      cell = histogram + (<usize>load<u8>(columns, 10) << 3);
      store<i64>(cell, load<i64>(cell, 2048) + value, 2048);
      cell = histogram + (<usize>load<u8>(columns, 11) << 3);
      store<i64>(cell, load<i64>(cell, 2048) + value, 2048);
    }
    if (words > 3) {
      cell = histogram + (<usize>load<u8>(columns, 12) << 3);
      store<i64>(cell, load<i64>(cell, 2048) + value, 2048);
      cell = histogram + (<usize>load<u8>(columns, 13) << 3);
      store<i64>(cell, load<i64>(cell, 2048) + value, 2048);
      cell = histogram + (<usize>load<u8>(columns, 14) << 3);
      store<i64>(cell, load<i64>(cell, 2048) + value, 2048);
      cell = histogram + (<usize>load<u8>(columns, 15) << 3);
      store<i64>(cell, load<i64>(cell, 2048) + value, 2048);
    }
    if (words > 4) {
      cell = histogram + (<usize>load<u8>(columns, 16) << 3);
      store<i64>(cell, load<i64>(cell, 4096) + value, 4096);
      cell = histogram + (<usize>load<u8>(columns, 17) << 3);
      store<i64>(cell, load<i64>(cell, 4096) + value, 4096);
      cell = histogram + (<usize>load<u8>(columns, 18) << 3);
      store<i64>(cell, load<i64>(cell, 4096) + value, 4096);
      cell = histogram + (<usize>load<u8>(columns, 19) << 3);
      store<i64>(cell, load<i64>(cell, 4096) + value, 4096);
    }
    if (words > 5) {
      cell = histogram + (<usize>load<u8>(columns, 20) << 3);
      store<i64>(cell, load<i64>(cell, 4096) + value, 4096);
      cell = histogram + (<usize>load<u8>(columns, 21) << 3);
      store<i64>(cell, load<i64>(cell, 4096) + value, 4096);
      cell = histogram + (<usize>load<u8>(columns, 22) << 3);
      store<i64>(cell, load<i64>(cell, 4096) + value, 4096);
      cell = histogram + (<usize>load<u8>(columns, 23) << 3);
      store<i64>(cell, load<i64>(cell, 4096) + value, 4096);
    }
    rows += stride;
  }
}

/** Rows of a narrow group. */
function addNarrow(words: u32, rows: usize, stride: usize, count: usize, histogram: usize): void {
  switch (words) {
    case 1: return addNarrowRows(1, rows, stride, count, histogram);
    case 2: return addNarrowRows(2, rows, stride, count, histogram);
    case 3: return addNarrowRows(3, rows, stride, count, histogram);
    case 4: return addNarrowRows(4, rows, stride, count, histogram);
    case 5: return addNarrowRows(5, rows, stride, count, histogram);
    default: return addNarrowRows(6, rows, stride, count, histogram);
  }
}

// @ts-ignore: decorator
@inline
function addChunk(isNarrow: bool, count: u32, rows: usize, stride: usize, rowCount: usize, histogram: usize): void {
  if (isNarrow) return addNarrow((count + 3) >> 2, rows, stride, rowCount, histogram);
  const first = count > 16 ? ((count + 7) >> 3) << 2 : count;
  const columns = rows + rowHead;
  addWide(first, rows, columns, stride, rowCount, histogram);
  if (count > 16) addWide(count - first, rows, columns + first, stride, rowCount, histogram + (first << 11));
}

/** Copies `count` listed rows to `buffer`: many misses in flight. */
function gather(list: usize, count: usize, rows: usize, stride: usize, buffer: usize): void {
  const end = list + (count << 2);
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
 * Copies rows of one or two vectors of 16 bytes to as many in `buffer`, from each the drawn columns alone. `shuffles` are
 * five vectors: which bytes of its first vector the first one takes, which of the second one if it `joins` both, which the
 * second one takes of the second; and, if it joins, what is added to either.
 */
// @ts-ignore: decorator
@inline
function pickRows(
  isListed: bool, isTwo: bool, joins: bool, list: usize, first: usize, count: usize, rows: usize, stride: usize,
  buffer: usize, shuffles: usize,
): void {
  const ofLower = v128.load(shuffles);
  const joined = v128.load(shuffles, 16);
  const ofUpper = v128.load(shuffles, 32);
  const addedLower = v128.load(shuffles, 48);
  const addedUpper = v128.load(shuffles, 64);
  let at = rows + first * stride;
  const end = buffer + (count << (isTwo ? 5 : 4));
  while (buffer < end) {
    if (isListed) {
      at = rows + <usize>load<u32>(list) * stride;
      list += 4;
    }
    let lower = i8x16.swizzle(v128.load(at), ofLower);
    if (isTwo) {
      const from = v128.load(at, 16);
      let upper = i8x16.swizzle(from, ofUpper);
      if (joins) {
        lower = v128.or(lower, i8x16.swizzle(from, joined));
        upper = i8x16.add(upper, addedUpper);
      }
      v128.store(buffer, upper, 16);
    }
    if (joins) lower = i8x16.add(lower, addedLower);
    v128.store(buffer, lower);
    buffer += isTwo ? 32 : 16;
    if (!isListed) at += stride;
  }
}

/** Returns the bytes from row to row in `buffer`. */
function pick(
  joins: bool, list: usize, first: usize, count: usize, rows: usize, stride: usize, buffer: usize, shuffles: usize,
): usize {
  if (stride > 16) {
    if (list == 0) {
      if (joins) pickRows(false, true, true, list, first, count, rows, stride, buffer, shuffles);
      else pickRows(false, true, false, list, first, count, rows, stride, buffer, shuffles);
    } else {
      if (joins) pickRows(true, true, true, list, first, count, rows, stride, buffer, shuffles);
      else pickRows(true, true, false, list, first, count, rows, stride, buffer, shuffles);
    }
    return 32;
  }
  if (list == 0) pickRows(false, false, true, list, first, count, rows, stride, buffer, shuffles);
  else pickRows(true, false, true, list, first, count, rows, stride, buffer, shuffles);
  return 16;
}

/**
 * Rows that are picked: those of narrow groups have all columns side by side, those of wide groups `lowerCount` of them
 * in the first 16 bytes, which spares a shuffle.
 */
// @ts-ignore: decorator
@inline
function addPicked(
  isNarrow: bool, columnCount: u32, lowerCount: u32, rows: usize, stride: usize, rowCount: usize, histogram: usize,
): void {
  if (isNarrow) return addNarrow((columnCount + 3) >> 2, rows, stride, rowCount, histogram);
  if (lowerCount > 0) addWide(lowerCount, rows, rows + rowHead, stride, rowCount, histogram);
  const rest = columnCount - lowerCount;
  if (rest > 0) addWide(rest, rows, rows + 16, stride, rowCount, histogram + (lowerCount << 11));
}

/** Adds rows to the cells of one group; see {@link fillHistogram}. */
function addGroup(
  group: usize, histogram: usize, list: usize, first: usize, count: usize, buffer: usize,
): void {
  const isNarrow = load<u32>(group) != 0;
  const columnCount = load<u32>(group, 4);
  const stride = <usize>load<u32>(group, 8);
  const rows = <usize>load<u32>(group, 12);
  const shuffles = <usize>load<u32>(group, 20);
  const lowerCount = load<u32>(group, 24);
  histogram += load<u32>(group, 16);
  while (count > 0) {
    const size = count < chunk ? count : chunk;
    if (shuffles != 0) {
      const step = pick(isNarrow, list, first, size, rows, stride, buffer, shuffles);
      addPicked(isNarrow, columnCount, lowerCount, buffer, step, size, histogram);
    } else if (list == 0) {
      addChunk(isNarrow, columnCount, rows + first * stride, stride, size, histogram);
    } else {
      gather(list, size, rows, stride, buffer);
      addChunk(isNarrow, columnCount, buffer, stride, size, histogram);
    }
    if (list == 0) first += size;
    else list += size << 2;
    count -= size;
  }
}

/**
 * Adds rows `begin` to `end` - 1 to the thread's histogram of `size` bytes: `histogram` for thread 0, one of those at
 * `own` for others. `filled` holds for each thread the number of the filling it last took part in (4 bytes): a histogram
 * is emptied by the first part of `filling` that the thread takes. `list` holds the numbers of the rows, 4 bytes each;
 * with `list` 0, these are the rows themselves. Each of `groups` has seven fields of 4 bytes: whether it is narrow, its
 * columns, bytes of a row, place of the rows, first byte in the histogram, place of what {@link pickRows} takes its
 * columns by, 0 for all, and how many of them lie in the first 16 bytes. `buffers` are 8 KiB for each thread.
 */
export function fillHistogram(
  groups: usize, groupCount: usize, list: usize, histogram: usize, own: usize, size: usize, filled: usize, filling: u32,
  buffers: usize, begin: usize, end: usize, thread: usize,
): void {
  const to = thread == 0 ? histogram : own + (thread - 1) * size;
  filled += thread << 2;
  if (load<u32>(filled) != filling) {
    memory.fill(to, 0, size);
    store<u32>(filled, filling);
  }
  const rows: usize = list == 0 ? 0 : list + (begin << 2);
  const groupEnd = groups + groupCount * groupBytes;
  for (; groups < groupEnd; groups += groupBytes)
    addGroup(groups, to, rows, begin, end - begin, buffers + (thread << 13));
}

/**
 * Adds to the cells from byte `begin` to `end` - 1 of a histogram, both multiples of 16, those of the other threads that
 * took part in `filling`; then `parent`, unless it is 0, becomes itself minus them.
 */
export function joinHistograms(
  histogram: usize, own: usize, size: usize, filled: usize, filling: u32, threadCount: usize, parent: usize,
  begin: usize, end: usize,
): void {
  for (let thread: usize = 1; thread < threadCount; thread++) {
    if (load<u32>(filled + (thread << 2)) != filling) continue;
    const from = own + (thread - 1) * size;
    for (let at = begin; at < end; at += 16)
      v128.store(histogram + at, i64x2.add(v128.load(histogram + at), v128.load(from + at)));
  }
  if (parent != 0) subtract(parent + begin, histogram + begin, end - begin);
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
