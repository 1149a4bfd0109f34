// Chooses the tree kernels for this runtime.
import { plainKernels } from './plain-kernels.ts';
import { wasmKernels } from './wasm-kernels.ts';
import type { KernelPlan, TreeKernels } from './tree-kernels.ts';

/** WebAssembly kernels where the runtime has them and the memory they need; plain ones, which learn the same, elsewhere. */
export function openKernels(plan: KernelPlan): TreeKernels {
  return wasmKernels(plan) ?? plainKernels(plan);
}
