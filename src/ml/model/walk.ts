// Walks batches of rows through trees in WebAssembly: the same answers as applyTrees (trees.ts), which is the twin that
// tests compare it with and what runs where there is no WebAssembly. One memory serves all models; each batch brings its
// model along, packed once.
import {
  compileModule,
  instantiateModule,
  openMemory,
  pageBytes,
  type WebAssemblyMemory,
} from '../../base/web-assembly.ts';
import type { TreesModel } from './trees.ts';
import { walkModuleBase64 } from './walk-module.ts';

/** Batches smaller than this are walked in plain TypeScript. */
export const fewestWalkedRows = 32;

const nodeBytes = 24;
/** Rows of a chunk stay in the first-level cache while all trees see them. */
const chunkBytes = 16_384;
const mostChunkRows = 256;

interface Walker {
  walk: (...places: number[]) => void;
  memory: WebAssemblyMemory;
}

/** Adds the trees' values for row-major `rows` to `raw`. Returns false when this runtime cannot: nothing is added then. */
export function walkTrees(
  model: TreesModel,
  { rows, rowCount, featureCount }: { rows: Float64Array; rowCount: number; featureCount: number },
  raw: Float64Array,
): boolean {
  const walker = walkerOnce();
  if (!walker) return false;
  const packed = packedOnce(model);
  const rawCount = model.base.length;
  const rowBytes = featureCount * 8;
  const chunkRows = Math.min(
    mostChunkRows,
    8 * Math.max(4, Math.floor(chunkBytes / (8 * Math.max(8, rowBytes)))),
  );
  const rowsAt = packed.bytes.length;
  const rawAt = rowsAt + chunkRows * rowBytes;
  if (!reserve(walker.memory, rawAt + chunkRows * rawCount * 8)) return false;
  const { buffer } = walker.memory;
  new Uint8Array(buffer).set(packed.bytes);
  const rowsInside = new Float64Array(buffer, rowsAt, chunkRows * featureCount);
  const rawInside = new Float64Array(buffer, rawAt, chunkRows * rawCount);
  const { leaves, roots, sets } = packed.places;
  for (let begin = 0; begin < rowCount; begin += chunkRows) {
    const end = Math.min(rowCount, begin + chunkRows);
    const chunk = rows.subarray(begin * featureCount, end * featureCount);
    rowsInside.set(chunk);
    rawInside.set(raw.subarray(begin * rawCount, end * rawCount));
    // Rows behind the last, up to a multiple of eight, are walked in vain.
    const count = Math.ceil((end - begin) / 8) * 8;
    const isPlain = packed.asksNumbers && !hasMissing(chunk) ? 1 : 0;
    walker.walk(leaves, roots, model.roots.length, sets, rowsAt, rowBytes, count, rawAt, rawCount, isPlain);
    raw.set(rawInside.subarray(0, (end - begin) * rawCount), begin * rawCount);
  }
  return true;
}

function hasMissing(values: Float64Array): boolean {
  for (let index = 0; index < values.length; index++) if (values[index] !== values[index]) return true;
  return false;
}

let opened: { walker: Walker | undefined } | undefined;

function walkerOnce(): Walker | undefined {
  opened ??= { walker: openWalker() };
  return opened.walker;
}

function openWalker(): Walker | undefined {
  const module = compileModule(walkModuleBase64);
  const memory = module && openMemory(pageBytes);
  const run = memory && (instantiateModule(module, memory) as { walk: Walker['walk'] } | undefined);
  return run && { walk: run.walk, memory };
}

function reserve(memory: WebAssemblyMemory, byteCount: number): boolean {
  const missing = Math.ceil((byteCount - memory.buffer.byteLength) / pageBytes);
  if (missing <= 0) return true;
  try {
    memory.grow(missing);
    return true;
  } catch {
    // More than the runtime can give.
    return false;
  }
}

interface Packed {
  /** What lies in the memory from 0 on. */
  bytes: Uint8Array;
  places: { leaves: number; roots: number; sets: number };
  /** No node asks for categories. */
  asksNumbers: boolean;
}

const known = new WeakMap<TreesModel, Packed>();

function packedOnce(model: TreesModel): Packed {
  let packed = known.get(model);
  if (!packed) known.set(model, (packed = pack(model)));
  return packed;
}

/** Nodes, leaves, sets and roots, in the form that assembly/walk.as describes. */
function pack(model: TreesModel): Packed {
  const nodeCount = model.feature.length;
  const leaves = nodeCount * nodeBytes;
  const sets = leaves + model.leafValues.length * nodeBytes;
  const roots = sets + model.categorySets.length * 4;
  const bytes = new Uint8Array(Math.ceil((roots + model.roots.length * 4) / 8) * 8);
  const view = new DataView(bytes.buffer);
  const placed = (child: number): number => (child < 0 ? ~child : child - nodeCount) * nodeBytes;
  for (let node = 0; node < nodeCount; node++) {
    const at = node * nodeBytes;
    view.setFloat64(at, model.threshold[node]!, true);
    view.setUint32(at + 8, model.feature[node]! * 8, true);
    view.setUint32(at + 12, model.flags[node]! | (model.sets[node]! << 2), true);
    view.setInt32(at + 16, placed(model.left[node]!), true);
    view.setInt32(at + 20, placed(model.right[node]!), true);
  }
  model.leafValues.forEach((value, leaf) => {
    const at = leaves + leaf * nodeBytes;
    view.setFloat64(at, value, true);
    view.setInt32(at + 16, leaf * nodeBytes, true);
    view.setInt32(at + 20, leaf * nodeBytes, true);
  });
  model.categorySets.forEach((word, index) => view.setUint32(sets + index * 4, word, true));
  model.roots.forEach((root, tree) => view.setInt32(roots + tree * 4, placed(root), true));
  return { bytes, places: { leaves, roots, sets }, asksNumbers: model.categorySets.length === 0 };
}
