// Starts the kernels' module. Of WebAssembly itself only what is used is typed here: the language's libraries leave it
// to the host's.
import { moduleBase64 } from './module.ts';

/** The functions of the module; addresses are numbers of bytes. What each does stands with it in assembly/. */
export type Exports = Readonly<
  Record<
    | 'clear'
    | 'subtract'
    | 'sumCells'
    | 'addGroup'
    | 'interleave'
    | 'permuteBytes'
    | 'permuteNumbers'
    | 'addToScores'
    | 'deriveLogistic'
    | 'deriveSoftmax'
    | 'deriveSquared'
    | 'pack'
    | 'softmax'
    | 'sortNumbers'
    | 'sumDerivatives'
    | 'sumLeaf'
    | 'writeShuffles'
    | 'scan',
    (...places: number[]) => void
  >
> & {
  mapToBins: (...places: number[]) => number;
  partition: (...places: number[]) => number;
  readCells: (histogram: number, feature: number, total: bigint, out: number) => void;
};

interface Runtime {
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object, imports: object) => { exports: object };
  Memory: new (size: { initial: number }) => { buffer: ArrayBuffer };
}

/** Places below hold the constants of the module itself. */
export const firstAddress = 4096;

const pageBytes = 65_536;
const largestMemoryBytes = 4_294_901_760; // 65,535 pages

let compiled: { module: object | undefined } | undefined;

/**
 * A fresh instance with `byteCount` bytes of zeroed memory; `undefined` where the runtime lacks WebAssembly or its vector
 * instructions, or cannot give as much memory.
 */
export function startModule(byteCount: number): { run: Exports; buffer: ArrayBuffer } | undefined {
  compiled ??= { module: compile() };
  const runtime = runtimeOf();
  if (!runtime || !compiled.module || byteCount > largestMemoryBytes) return undefined;
  let memory: { buffer: ArrayBuffer };
  try {
    memory = new runtime.Memory({ initial: Math.ceil(byteCount / pageBytes) });
  } catch {
    return undefined;
  }
  const instance = new runtime.Instance(compiled.module, { env: { memory } });
  return { run: instance.exports as Exports, buffer: memory.buffer };
}

function compile(): object | undefined {
  const runtime = runtimeOf();
  if (!runtime) return undefined;
  try {
    return new runtime.Module(Uint8Array.from(atob(moduleBase64), (letter) => letter.charCodeAt(0)));
  } catch {
    // A CompileError: the module itself is known to be good, so the runtime is too old for it.
    return undefined;
  }
}

function runtimeOf(): Runtime | undefined {
  return (globalThis as { WebAssembly?: Runtime }).WebAssembly;
}
