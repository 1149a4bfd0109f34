// The little of WebAssembly that this code uses, typed here because the language's own libraries leave it to the host's.

export interface WebAssemblyMemory {
  readonly buffer: ArrayBufferLike;
  /** By pages of 64 KiB; views of the old buffer become empty. */
  grow: (pages: number) => number;
}

interface Runtime {
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object, imports: object) => { exports: object };
  Memory: new (size: { initial: number; maximum?: number; shared?: boolean }) => WebAssemblyMemory;
}

export const pageBytes = 65_536;

/** A module from its bytes in base64; `undefined` where the runtime has no WebAssembly, or not all that the module needs. */
export function compileModule(base64: string): object | undefined {
  const runtime = runtimeOf();
  if (!runtime) return undefined;
  try {
    return new runtime.Module(Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0)));
  } catch {
    // The module itself is known to be good: the runtime is too old for it, or forbids compiling.
    return undefined;
  }
}

/** Zeroed memory; `undefined` when the runtime cannot give as much. Shared memory does not grow. */
export function openMemory(byteCount: number, isShared = false): WebAssemblyMemory | undefined {
  const runtime = runtimeOf();
  if (!runtime) return undefined;
  const initial = Math.ceil(byteCount / pageBytes);
  try {
    return new runtime.Memory(isShared ? { initial, maximum: initial, shared: true } : { initial });
  } catch {
    return undefined;
  }
}

/** The functions of a compiled module, on this memory. */
export function instantiateModule(module: object, memory: { buffer: ArrayBufferLike }): object | undefined {
  const runtime = runtimeOf();
  return runtime && new runtime.Instance(module, { env: { memory } }).exports;
}

function runtimeOf(): Runtime | undefined {
  return (globalThis as { WebAssembly?: Runtime }).WebAssembly;
}
