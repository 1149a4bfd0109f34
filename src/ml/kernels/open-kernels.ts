// Chooses the tree kernels for this runtime.
import { plainKernels } from './plain-kernels.ts';
import type { KernelThreads } from './threads.ts';
import type { KernelPlan, TreeKernels } from './tree-kernels.ts';
import { wasmKernels } from './wasm-kernels.ts';

/**
 * WebAssembly kernels where the runtime has them and the memory they need; plain ones, which learn the same, elsewhere.
 * Close them when the training ends, or `threads` are not free for the next.
 */
export function openKernels(plan: KernelPlan, threads?: KernelThreads): TreeKernels {
  return wasmKernels(plan, threads) ?? plainKernels(plan);
}
