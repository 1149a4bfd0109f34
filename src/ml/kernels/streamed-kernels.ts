// The tree kernels for tables that come in blocks of rows and are never whole anywhere else: each bin is kept once, in the
// row groups, so that a row of 30 columns takes 72 bytes. They learn the same bits as others (streamed-kernels.test.ts).
// Only in WebAssembly: what does not fit its memory of 4 GiB is told before the first row is read.
import { separateLayout, type Layout } from './layout.ts';
import type { KernelThreads } from './threads.ts';
import type { KernelFeature, TreeKernels } from './tree-kernels.ts';
import { kernelsOn, openMemory } from './wasm-kernels.ts';
import { mostStagedRows, planPlaces, stageRows } from './wasm-places.ts';

export interface StreamedPlan {
  features: readonly Omit<KernelFeature, 'bins'>[];
  /** Rows learned from, and with those that follow. */
  rowCount: number;
  allCount: number;
  /** Scores that are kept for each row. */
  outputCount: number;
  /** Histograms that are kept at a time. */
  slotCount: number;
  /** Leaves that a tree may have. */
  leafCount: number;
}

export interface StreamedKernels extends TreeKernels {
  /**
   * Writes rows `at` and on, as many as each feature has `bins` and there are targets; all rows are to be written, in any
   * order, before the first tree.
   */
  write: (at: number, bins: readonly Uint8Array[], target: Float64Array) => void;
}

/** The kernels; `undefined` where the runtime cannot give them or not as much memory. */
export function streamedKernels(plan: StreamedPlan, threads?: KernelThreads): StreamedKernels | undefined {
  const opened = openMemory(tablePlan(plan), threads);
  if (!opened) return undefined;
  const kernels = kernelsOn(opened);
  return {
    ...kernels,
    write: (at, bins, target) => {
      for (let from = 0; bins.length > 0 && from < target.length; from += mostStagedRows) {
        const to = Math.min(target.length, from + mostStagedRows);
        stageRows(
          opened,
          at + from,
          bins.map((own) => own.subarray(from, to)),
        );
      }
      kernels.target.set(target, at);
    },
  };
}

/** The bytes that {@link streamedKernels} take. */
export function streamedBytes(plan: StreamedPlan, threadCount: number): number {
  return planPlaces(tablePlan(plan), threadCount).byteCount;
}

function tablePlan(plan: StreamedPlan): Parameters<typeof planPlaces>[0] & { layout: Layout } {
  return { ...plan, layout: separateLayout(plan.features), isWeighted: false, isByRow: true };
}
