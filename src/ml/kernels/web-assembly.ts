// Starts the kernels' module.
import { compileModule, instantiateModule, openMemory } from '../../base/web-assembly.ts';
import { moduleBase64, sharedModuleBase64 } from './module.ts';

/** The functions of the module; addresses are numbers of bytes. What each does stands with it in assembly/. */
export type Exports = Readonly<
  Record<
    | 'countUp'
    | 'deriveLogistic'
    | 'deriveSoftmax'
    | 'deriveSquared'
    | 'divideApart'
    | 'fillHistogram'
    | 'findOccupied'
    | 'gains'
    | 'interleave'
    | 'joinHistograms'
    | 'mapToBins'
    | 'move'
    | 'moveScores'
    | 'pack'
    | 'placeDivided'
    | 'permuteBytes'
    | 'permuteInPlace'
    | 'permuteNumbers'
    | 'scan'
    | 'softmax'
    | 'sortNumbers'
    | 'subtract'
    | 'sumBlocks'
    | 'sumCells'
    | 'sumLeaves'
    | 'writeShuffles',
    (...places: number[]) => void
  >
> & {
  divideAlone: (...places: number[]) => number;
  readCells: (histogram: number, feature: number, total: bigint, out: number) => void;
};

/** A running module and its memory. */
export interface Started {
  run: Exports;
  buffer: ArrayBufferLike;
}

/** What another thread needs to run the same module on the same memory; can be sent to it as it is. */
export interface SharedStart {
  module: object;
  memory: { buffer: ArrayBufferLike };
}

/** Places below hold the constants of the module itself. */
export const firstAddress = 4096;

const largestMemoryBytes = 4_294_901_760; // 65,535 pages

/**
 * A fresh instance with `byteCount` bytes of zeroed memory; `undefined` where the runtime lacks WebAssembly or its vector
 * instructions, or cannot give as much memory.
 */
export function startModule(byteCount: number): Started | undefined {
  const start = prepare(byteCount, false);
  return start && instantiate(start);
}

/** As {@link startModule}, on memory that other threads can use; `undefined` where there is none. */
export function startSharedModule(byteCount: number): (Started & { start: SharedStart }) | undefined {
  const start = prepare(byteCount, true);
  const started = start && instantiate(start);
  return started && { ...started, start };
}

/** The module of another thread, on its memory. */
export function startShared(start: SharedStart): Started | undefined {
  return instantiate(start);
}

const compiled = new Map<string, object | undefined>();

function prepare(byteCount: number, isShared: boolean): SharedStart | undefined {
  const text = isShared ? sharedModuleBase64 : moduleBase64;
  if (!compiled.has(text)) compiled.set(text, compileModule(text));
  const module = compiled.get(text);
  if (!module || byteCount > largestMemoryBytes) return undefined;
  const memory = openMemory(byteCount, isShared);
  return memory && { module, memory };
}

function instantiate({ module, memory }: SharedStart): Started | undefined {
  const run = instantiateModule(module, memory);
  return run && { run: run as Exports, buffer: memory.buffer };
}
