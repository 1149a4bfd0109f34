// Starts the kernels' module. Of WebAssembly itself only what is used is typed here: the language's libraries leave it
// to the host's.
import { moduleBase64, sharedModuleBase64 } from './module.ts';

/** The functions of the module; addresses are numbers of bytes. What each does stands with it in assembly/. */
export type Exports = Readonly<
  Record<
    | 'addCells'
    | 'deriveLogistic'
    | 'deriveSoftmax'
    | 'deriveSquared'
    | 'divide'
    | 'fillHistogram'
    | 'interleave'
    | 'moveScores'
    | 'pack'
    | 'permuteBytes'
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
  mapToBins: (...places: number[]) => number;
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

interface Runtime {
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object, imports: object) => { exports: object };
  Memory: new (size: { initial: number; maximum?: number; shared?: boolean }) => SharedStart['memory'];
}

/** Places below hold the constants of the module itself. */
export const firstAddress = 4096;

const pageBytes = 65_536;
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

function prepare(byteCount: number, shared: boolean): SharedStart | undefined {
  const text = shared ? sharedModuleBase64 : moduleBase64;
  if (!compiled.has(text)) compiled.set(text, compile(text));
  const module = compiled.get(text);
  if (!module || byteCount > largestMemoryBytes) return undefined;
  const initial = Math.ceil(byteCount / pageBytes);
  try {
    const memory = new (runtimeOf()!.Memory)(shared ? { initial, maximum: initial, shared } : { initial });
    return { module, memory };
  } catch {
    return undefined;
  }
}

function instantiate({ module, memory }: SharedStart): Started | undefined {
  const runtime = runtimeOf();
  if (!runtime) return undefined;
  const instance = new runtime.Instance(module, { env: { memory } });
  return { run: instance.exports as Exports, buffer: memory.buffer };
}

function compile(base64: string): object | undefined {
  const runtime = runtimeOf();
  if (!runtime) return undefined;
  try {
    return new runtime.Module(Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0)));
  } catch {
    // A CompileError: the module itself is known to be good, so the runtime is too old for it.
    return undefined;
  }
}

function runtimeOf(): Runtime | undefined {
  return (globalThis as { WebAssembly?: Runtime }).WebAssembly;
}
