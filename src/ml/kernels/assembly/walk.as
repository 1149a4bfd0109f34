// Walks many rows through the trees of a model: eight rows at a time, so that their steps overlap, and without branches
// that depend on numbers. A module of its own, because it goes wherever models go.
//
// A node has 24 bytes: threshold, or the value of a leaf (8), byte of the feature in a row (4), flags and set (4: bit 0
// categorical, bit 1 missing values go left, the set above), left child (4), right child (4). Nodes are named by their
// distance in bytes from the first leaf: below zero they ask, from zero on they are leaves, whose children are
// themselves. So eight rows have arrived when no bit says "below zero".

export { answerBlocks } from './blocks';

const codes: f64 = 256;

function isInSet(sets: usize, set: usize, code: f64): usize {
  if (code < 0 || code >= codes) return 0;
  const whole = <u32>code;
  return (load<u32>(sets + (set << 5) + ((whole >> 5) << 2)) >> (whole & 31)) & 1;
}

// @ts-ignore: decorator
@inline
function childOf(isPlain: bool, leaves: usize, node: i32, sets: usize, row: usize): i32 {
  const at = leaves + node;
  const value = load<f64>(row + load<u32>(at, 8));
  if (isPlain) return load<i32>(at + (<usize>!(value <= load<f64>(at)) << 2), 16);
  const limit = load<f64>(at);
  const flags = <usize>load<u32>(at, 12);
  // NaN is neither at most the limit nor above it, and goes left if the flag says so.
  let left = <usize>(value <= limit) | ((flags >> 1) & 1 & <usize>!(value > limit));
  if (flags & 1 && value == value) left = isInSet(sets, flags >> 2, value);
  return load<i32>(at + 20 - (left << 2));
}

/** See {@link walk}; `isPlain` is constant where this is put in. */
// @ts-ignore: decorator
@inline
function walkRows(
  isPlain: bool, leaves: usize, roots: usize, treeCount: usize, sets: usize,
  rows: usize, rowBytes: usize, rowCount: usize, raw: usize, outputCount: usize,
): void {
  const step = outputCount << 3;
  for (let tree: usize = 0; tree < treeCount; tree++) {
    const root = load<i32>(roots + (tree << 2));
    let out = raw + ((tree % outputCount) << 3);
    let row = rows;
    for (let done: usize = 0; done < rowCount; done += 8) {
      let a = root, b = root, c = root, d = root, e = root, f = root, g = root, h = root;
      const row2 = row + (rowBytes << 1);
      const row4 = row2 + (rowBytes << 1);
      const row6 = row4 + (rowBytes << 1);
      while ((a | b | c | d | e | f | g | h) < 0) {
        a = childOf(isPlain, leaves, a, sets, row);
        b = childOf(isPlain, leaves, b, sets, row + rowBytes);
        c = childOf(isPlain, leaves, c, sets, row2);
        d = childOf(isPlain, leaves, d, sets, row2 + rowBytes);
        e = childOf(isPlain, leaves, e, sets, row4);
        f = childOf(isPlain, leaves, f, sets, row4 + rowBytes);
        g = childOf(isPlain, leaves, g, sets, row6);
        h = childOf(isPlain, leaves, h, sets, row6 + rowBytes);
      }
      add(out, leaves + a);
      add(out + step, leaves + b);
      add(out + 2 * step, leaves + c);
      add(out + 3 * step, leaves + d);
      add(out + 4 * step, leaves + e);
      add(out + 5 * step, leaves + f);
      add(out + 6 * step, leaves + g);
      add(out + 7 * step, leaves + h);
      out += step << 3;
      row += rowBytes << 3;
    }
  }
}

/**
 * Adds the values of all trees to `raw`, `outputCount` numbers for each row; tree t adds to output t modulo their number.
 * `rowCount` is a multiple of 8. `leaves` is where the first leaf lies. `isPlain` promises that no node asks for
 * categories and no row misses a value: half of what a step does is about these.
 */
export function walk(
  leaves: usize, roots: usize, treeCount: usize, sets: usize,
  rows: usize, rowBytes: usize, rowCount: usize, raw: usize, outputCount: usize, isPlain: bool,
): void {
  if (isPlain) walkRows(true, leaves, roots, treeCount, sets, rows, rowBytes, rowCount, raw, outputCount);
  else walkRows(false, leaves, roots, treeCount, sets, rows, rowBytes, rowCount, raw, outputCount);
}

// @ts-ignore: decorator
@inline
function add(out: usize, leaf: usize): void {
  store<f64>(out, load<f64>(out) + load<f64>(leaf));
}
