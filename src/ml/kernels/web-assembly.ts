// The little of WebAssembly that the kernels use, typed: the language's own libraries leave it to the host's.

/** The functions of the module; addresses are numbers of bytes. What each does stands with it in assembly/. */
export type Exports = Readonly<
  Record<
    | 'clear'
    | 'subtract'
    | 'sumCells'
    | 'addGroup'
    | 'interleave'
    | 'mapToBins'
    | 'permuteBytes'
    | 'permuteNumbers'
    | 'addToScores'
    | 'deriveLogistic'
    | 'deriveSoftmax'
    | 'deriveSquared'
    | 'pack'
    | 'softmax'
    | 'sumDerivatives'
    | 'sumLeaf'
    | 'writeShuffles'
    | 'scan',
    (...places: number[]) => void
  >
> & {
  partition: (...places: number[]) => number;
  readCells: (histogram: number, feature: number, total: bigint, out: number) => void;
};

interface Runtime {
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object, imports: object) => { exports: object };
  Memory: new (size: { initial: number }) => { buffer: ArrayBuffer };
}

const pageBytes = 65_536;

/** The compiled module; `undefined` where the runtime lacks WebAssembly or its vector instructions. */
export function compile(base64: string): object | undefined {
  const runtime = runtimeOf();
  if (!runtime) return undefined;
  try {
    return new runtime.Module(Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0)));
  } catch {
    // A CompileError: the module itself is known to be good, so the runtime is too old for it.
    return undefined;
  }
}

/** A fresh instance with `byteCount` bytes of zeroed memory; `undefined` when the runtime cannot give as much. */
export function instantiate(
  module: object,
  byteCount: number,
): { run: Exports; buffer: ArrayBuffer } | undefined {
  const runtime = runtimeOf()!;
  let memory: { buffer: ArrayBuffer };
  try {
    memory = new runtime.Memory({ initial: Math.ceil(byteCount / pageBytes) });
  } catch {
    return undefined;
  }
  const instance = new runtime.Instance(module, { env: { memory } });
  return { run: instance.exports as Exports, buffer: memory.buffer };
}

function runtimeOf(): Runtime | undefined {
  return (globalThis as { WebAssembly?: Runtime }).WebAssembly;
}
