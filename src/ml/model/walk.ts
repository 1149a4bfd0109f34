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
import { blockRows, planBlocks } from './tree-blocks.ts';
import type { TreesModel } from './trees.ts';
import { walkModuleBase64 } from './walk-module.ts';

/** Batches smaller than this are walked in plain TypeScript. */
export const fewestWalkedRows = 32;

const nodeBytes = 24;
/** Rows of a chunk stay in the first-level cache while all trees see them. */
const chunkBytes = 16_384;
const mostChunkRows = 256;

interface Walker {
  functions: Record<'walk' | 'answerBlocks', (...places: number[]) => void>;
  memory: WebAssemblyMemory;
  /** The model that lies in the memory. */
  resident: Packed | undefined;
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
  const { stepRows } = packed;
  const rawCount = model.base.length;
  const rowBytes = featureCount * 8;
  const fittingSteps = Math.floor(chunkBytes / (stepRows * Math.max(8, rowBytes)));
  const fewestSteps = Math.ceil(fewestWalkedRows / stepRows);
  const chunkRows = Math.min(mostChunkRows, stepRows * Math.max(fewestSteps, fittingSteps));
  const rowsAt = packed.end;
  const rawAt = rowsAt + chunkRows * rowBytes;
  if (!reserve(walker.memory, rawAt + chunkRows * rawCount * 8)) return false;
  const { buffer } = walker.memory;
  if (walker.resident !== packed) new Uint8Array(buffer).set(packed.bytes, packed.bytesAt);
  walker.resident = packed;
  const rowsInside = new Float64Array(buffer, rowsAt, chunkRows * featureCount);
  const rawInside = new Float64Array(buffer, rawAt, chunkRows * rawCount);
  for (let begin = 0; begin < rowCount; begin += chunkRows) {
    const end = Math.min(rowCount, begin + chunkRows);
    const chunk = rows.subarray(begin * featureCount, end * featureCount);
    rowsInside.set(chunk);
    rawInside.set(raw.subarray(begin * rawCount, end * rawCount));
    // Rows behind the last, up to a whole step, are answered in vain.
    const count = Math.ceil((end - begin) / stepRows) * stepRows;
    packed.answer(walker.functions, { chunk, rowsAt, rowBytes, count, rawAt, rawCount });
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
  const functions = memory && (instantiateModule(module, memory) as Walker['functions'] | undefined);
  return functions && { functions, memory, resident: undefined };
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

/** A model in the form in which it is answered. */
interface Packed {
  bytes: Uint8Array;
  bytesAt: number;
  /** Where the memory is free. */
  end: number;
  /** Rows that are answered at a time. */
  stepRows: number;
  answer: (functions: Walker['functions'], chunk: Chunk) => void;
}

interface Chunk {
  chunk: Float64Array;
  rowsAt: number;
  rowBytes: number;
  count: number;
  rawAt: number;
  rawCount: number;
}

const known = new WeakMap<TreesModel, Packed>();

function packedOnce(model: TreesModel): Packed {
  let packed = known.get(model);
  if (!packed) known.set(model, (packed = inBlocks(model) ?? asNodes(model)));
  return packed;
}

function inBlocks(model: TreesModel): Packed | undefined {
  const blocks = planBlocks(model);
  if (!blocks) return undefined;
  const { bytes, bytesAt, end, features, groups, work, indices } = blocks;
  return {
    bytes,
    bytesAt,
    end,
    stepRows: blockRows,
    answer: ({ answerBlocks }, { rowsAt, rowBytes, count, rawAt, rawCount }) => {
      const planned = [features.at, features.count, groups.at, groups.count, work, indices];
      answerBlocks(...planned, rowsAt, rowBytes, count, rawAt, rawCount * 8);
    },
  };
}

/** Nodes, leaves, sets and roots, in the form that assembly/walk.as describes. */
function asNodes(model: TreesModel): Packed {
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
  const asksNumbers = model.categorySets.length === 0;
  return {
    bytes,
    bytesAt: 0,
    end: bytes.length,
    stepRows: 8,
    answer: ({ walk }, { chunk, rowsAt, rowBytes, count, rawAt, rawCount }) => {
      const isPlain = asksNumbers && !hasMissing(chunk) ? 1 : 0;
      walk(leaves, roots, model.roots.length, sets, rowsAt, rowBytes, count, rawAt, rawCount, isPlain);
    },
  };
}
