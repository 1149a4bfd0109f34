// Answers blocks of 64 rows with small trees, without walking: every node of a tree is asked for all rows of a block at
// once, and each node passes up the number of the leaf that its left or its right child named. So nothing branches on
// data, missing values and categories included. From RapidScorer (Ye et al., KDD 2018) and its forerunner QuickScorer
// (Lucchese et al., SIGIR 2015): asking all nodes is cheaper than finding the few on the way, when one byte is enough
// for a number and one instruction for sixteen rows.
//
// Numbers become bytes first: how many of the model's thresholds for the feature lie below. A block's column has a byte
// for each row; what model/tree-blocks.ts plans is addresses of such columns.

const blockRows: usize = 64;
const codes: f64 = 256;
/** In the place of a column: the model asks for none such. */
const none: usize = 0;

/**
 * Adds the values of all trees to `raw`, `rawBytes` for each row. `rowCount` is a multiple of 64. Of features and groups
 * come where they are described, as {@link readFeature} and {@link addGroup} read it, and how many there are. `work`
 * has room for columns of all nodes of a tree and its questions for categories; `indices` for four.
 */
export function answerBlocks(
  features: usize, featureCount: usize, groups: usize, groupCount: usize, work: usize, indices: usize,
  rows: usize, rowBytes: usize, rowCount: usize, raw: usize, rawBytes: usize,
): void {
  for (let done: usize = 0; done < rowCount; done += blockRows) {
    for (let feature: usize = 0; feature < featureCount; feature++) readFeature(features + feature * 24, rows, rowBytes);
    let group = groups;
    for (let index: usize = 0; index < groupCount; index++) group = addGroup(group, work, indices, raw, rawBytes);
    rows += rowBytes * blockRows;
    raw += rawBytes * blockRows;
  }
}

/**
 * Fills the columns of a feature. It has 24 bytes: its place in a row; its thresholds; half of their number plus one, in
 * bytes of doubles, which is 0 for categories; two columns in which missing values go left, and right; the second column of
 * categories lies 64 bytes behind the first.
 */
function readFeature(feature: usize, rows: usize, rowBytes: usize): void {
  const values = rows + load<u32>(feature);
  const thresholds = load<u32>(feature, 4);
  const half = load<u32>(feature, 8);
  const left = load<u32>(feature, 12);
  const right = load<u32>(feature, 16);
  if (half === 0) readCategories(values, rowBytes, left, right);
  else if (right === none) readNumbers(values, rowBytes, thresholds, half, left, none);
  else readNumbers(values, rowBytes, thresholds, half, left, right);
}

/** Bytes of numbers are signed, because such are compared in one instruction: -128 is below all thresholds. */
function readNumbers(values: usize, rowBytes: usize, thresholds: usize, half: usize, left: usize, right: usize): void {
  const values2 = rowBytes << 1;
  for (let row: usize = 0; row < blockRows; row += 8) {
    const c = values + values2, e = c + values2, g = e + values2;
    const v0 = load<f64>(values), v1 = load<f64>(values + rowBytes);
    const v2 = load<f64>(c), v3 = load<f64>(c + rowBytes);
    const v4 = load<f64>(e), v5 = load<f64>(e + rowBytes);
    const v6 = load<f64>(g), v7 = load<f64>(g + rowBytes);
    let p0 = thresholds, p1 = thresholds, p2 = thresholds, p3 = thresholds;
    let p4 = thresholds, p5 = thresholds, p6 = thresholds, p7 = thresholds;
    // Eight searches side by side, in steps that do not depend on what they find. Nothing is below a missing value.
    for (let step = half; step >= 8; step >>= 1) {
      p0 = further(p0, step, v0);
      p1 = further(p1, step, v1);
      p2 = further(p2, step, v2);
      p3 = further(p3, step, v3);
      p4 = further(p4, step, v4);
      p5 = further(p5, step, v5);
      p6 = further(p6, step, v6);
      p7 = further(p7, step, v7);
    }
    if (left !== none) {
      const at = left + row;
      storeByte(at, p0 - thresholds);
      storeByte(at + 1, p1 - thresholds);
      storeByte(at + 2, p2 - thresholds);
      storeByte(at + 3, p3 - thresholds);
      storeByte(at + 4, p4 - thresholds);
      storeByte(at + 5, p5 - thresholds);
      storeByte(at + 6, p6 - thresholds);
      storeByte(at + 7, p7 - thresholds);
    }
    if (right !== none) {
      const at = right + row;
      storeByte(at, missingLast(p0 - thresholds, v0));
      storeByte(at + 1, missingLast(p1 - thresholds, v1));
      storeByte(at + 2, missingLast(p2 - thresholds, v2));
      storeByte(at + 3, missingLast(p3 - thresholds, v3));
      storeByte(at + 4, missingLast(p4 - thresholds, v4));
      storeByte(at + 5, missingLast(p5 - thresholds, v5));
      storeByte(at + 6, missingLast(p6 - thresholds, v6));
      storeByte(at + 7, missingLast(p7 - thresholds, v7));
    }
    values += rowBytes << 3;
  }
}

// @ts-ignore: decorator
@inline
function further(place: usize, step: usize, value: f64): usize {
  return place + (step & (0 - <usize>(load<f64>(place + step - 8) < value)));
}

// @ts-ignore: decorator
@inline
function missingLast(place: usize, value: f64): usize {
  return place | ((0 - <usize>(value !== value)) & (255 << 3));
}

// @ts-ignore: decorator
@inline
function storeByte(at: usize, place: usize): void {
  store<u8>(at, (place >> 3) ^ 128);
}

/**
 * Codes of categories as the byte and the bit that they have in a set of 256. What is no code has the byte 255, which is
 * in no set. A missing value that goes left has no bit: all sets hold that.
 */
function readCategories(values: usize, rowBytes: usize, left: usize, right: usize): void {
  for (let row: usize = 0; row < blockRows; row++) {
    const code = load<f64>(values);
    const isCode = code >= 0 && code < codes;
    const whole = <u32>code;
    const byte = isCode ? whole >> 3 : 255;
    const bit = 1 << (whole & 7);
    if (left !== none) {
      store<u8>(left + row, byte);
      store<u8>(left + row, code === code ? bit : 0, 64);
    }
    if (right !== none) {
      store<u8>(right + row, byte);
      store<u8>(right + row, bit, 64);
    }
    values += rowBytes;
  }
}

/**
 * Adds the values of four trees of the same output to it. A group has 24 bytes: place of the output in a row of raw scores, and
 * where the values of each tree's leaves lie (4 each); behind it come the four trees. Returns the end of the group.
 */
function addGroup(group: usize, work: usize, indices: usize, raw: usize, rawBytes: usize): usize {
  let tree = group + 24;
  for (let index: usize = 0; index < 4; index++) tree = askTree(tree, work, indices + (index << 6));
  let out = raw + load<u32>(group);
  const leaves0 = load<u32>(group, 4);
  const leaves1 = load<u32>(group, 8);
  const leaves2 = load<u32>(group, 12);
  const leaves3 = load<u32>(group, 16);
  for (let row = indices; row < indices + blockRows; row++) {
    let sum = load<f64>(out);
    sum += load<f64>(leaves0 + (<usize>load<u8>(row) << 3));
    sum += load<f64>(leaves1 + (<usize>load<u8>(row, 64) << 3));
    sum += load<f64>(leaves2 + (<usize>load<u8>(row, 128) << 3));
    sum += load<f64>(leaves3 + (<usize>load<u8>(row, 192) << 3));
    store<f64>(out, sum);
    out += rawBytes;
  }
  return tree;
}

/**
 * Writes which leaf of a tree each row of the block reaches. A tree has 8 bytes: how many questions for categories it
 * has, and how many nodes (4 each); then come the questions, 40 bytes each (a set, and the column of the feature), then
 * the nodes, children before parents, 16 bytes each: the column, what the left and the right child pass up, the threshold.
 * The answers of questions are columns at `work`, then comes what the nodes pass up. Returns the end of the tree.
 */
function askTree(tree: usize, work: usize, index: usize): usize {
  const questions = tree + 8;
  const nodes = questions + load<u32>(tree) * 40;
  const end = nodes + (load<u32>(tree, 4) << 4);
  for (let question = questions; question < nodes; question += 40) {
    const low = v128.load(question);
    const high = v128.load(question, 16);
    const column = load<u32>(question, 32);
    for (let place: usize = 0; place < blockRows; place += 16) {
      const byte = v128.load(column + place);
      const bit = v128.load(column + place, 64);
      const found = v128.or(
        i8x16.swizzle(low, byte),
        i8x16.swizzle(high, i8x16.sub(byte, i8x16.splat(16))),
      );
      v128.store(work + place, i8x16.eq(v128.and(found, bit), bit));
    }
    work += 64;
  }
  for (let node = nodes; node < end; node += 16) {
    const column = load<u32>(node);
    const left = load<u32>(node, 4);
    const right = load<u32>(node, 8);
    const limit = v128.load_splat<i8>(node, 12);
    pass(work, left, right, i8x16.gt_s(v128.load(column), limit));
    pass(work + 16, left + 16, right + 16, i8x16.gt_s(v128.load(column, 16), limit));
    pass(work + 32, left + 32, right + 32, i8x16.gt_s(v128.load(column, 32), limit));
    pass(work + 48, left + 48, right + 48, i8x16.gt_s(v128.load(column, 48), limit));
    work += 64;
  }
  v128.store(index, v128.load(work - 64));
  v128.store(index, v128.load(work - 48), 16);
  v128.store(index, v128.load(work - 32), 32);
  v128.store(index, v128.load(work - 16), 48);
  return end;
}

// @ts-ignore: decorator
@inline
function pass(to: usize, left: usize, right: usize, goesRight: v128): void {
  v128.store(to, v128.bitselect(v128.load(right), v128.load(left), goesRight));
}
