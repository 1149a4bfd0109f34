// How many replicas a model's traffic wants. The idea is that of Knative's pod autoscaler (KPA): the mean number of
// questions in the system over a stable window of 60 s, divided by how many one replica should have; when a panic window
// of 6 s alone wants at least twice of what is there, it decides, and nothing is taken away until a stable window later.
// KPA looks at concurrency only. Here the median wait is a second target: while it is too long, one replica more.
// https://knative.dev/docs/serving/autoscaling/kpa-specific/
import { secondMs } from '../../base/time.ts';

const stableMs = 60 * secondMs;
const panicMs = 6 * secondMs;
const panicThreshold = 2;
/** Questions at a replica at a time: one batch that it answers and one that gathers, at 70 % of six. */
const targetConcurrency = 4;
const targetWaitMs = 100;
/** At most this part goes at once, so that a pause of a minute does not cost all that a burst brought. */
const greatestScaleDown = 2;

/** A second of traffic, or about that. */
export interface Sample {
  atMs: number;
  spanMs: number;
  /** Mean number of questions that waited or were answered. */
  concurrency: number;
  /** Median of how long those waited that got their turn; null when there were none. */
  medianWaitMs: number | null;
}

export class Scaler {
  #samples: Sample[] = [];
  /** When the panic window last wanted twice of what was there. */
  #panickedAtMs = -Infinity;
  #panicReplicas = 0;

  record(sample: Sample): void {
    this.#samples.push(sample);
    const firstKept = this.#samples.findIndex(({ atMs }) => sample.atMs - atMs < stableMs);
    this.#samples.splice(0, firstKept);
  }

  /** How many replicas the traffic wants when `readyCount` are there; at least one. */
  wanted(nowMs: number, readyCount: number): number {
    const recent = this.#samples.filter(({ atMs }) => nowMs - atMs < panicMs);
    const stable = replicasFor(this.#samples, stableMs);
    const panic = replicasFor(recent, panicMs);
    if (panic >= panicThreshold * Math.max(1, readyCount)) this.#panickedAtMs = nowMs;
    if (nowMs - this.#panickedAtMs < stableMs) {
      this.#panicReplicas = Math.max(this.#panicReplicas, panic, readyCount);
      return this.#panicReplicas;
    }
    this.#panicReplicas = 0;
    const waits = recent.flatMap(({ medianWaitMs }) => medianWaitMs ?? []);
    if (waits.length > 0 && medianOf(waits) > targetWaitMs) return Math.max(stable, readyCount + 1);
    return Math.max(stable, Math.ceil(readyCount / greatestScaleDown), 1);
  }
}

/** The middle of `values`, the lower of two. */
export function medianOf(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[(values.length - 1) >> 1]!;
}

/** Of a window that has only begun, the rest counts as empty: what a model loads for is gone a moment later. */
function replicasFor(samples: readonly Sample[], windowMs: number): number {
  const area = samples.reduce((total, { concurrency, spanMs }) => total + concurrency * spanMs, 0);
  return Math.ceil(area / windowMs / targetConcurrency - 1e-9);
}
