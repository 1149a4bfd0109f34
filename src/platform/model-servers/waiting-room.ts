// Questions that wait for a replica: first come, first served, and no more than may wait. Who does not fit in is told when
// there will be room; who waited too long is told that, too.
import { Problem } from '../../base/problems.ts';
import { secondMs } from '../../base/time.ts';
import type { Question } from '../ports/model-servers.ts';

/** Enough for a thousand that come at once, and little enough to hold in memory. */
export const mostWaiting = 2_000;
export const mostWaitingRows = 200_000;
const longestWaitMs = 60 * secondMs;
const longestRetryAfterSeconds = 30;
/** How fast questions leave is told from this many of the last ones. */
const rememberedLeaves = 100;

export interface Waiting {
  question: Question;
  sinceMs: number;
  /** Processes that ended while they had it. */
  lostCount: number;
  resolve(answer: unknown): void;
  reject(error: unknown): void;
}

export class WaitingRoom {
  readonly #waiting: Waiting[] = [];
  readonly #leftAtMs: number[] = [];
  #rowCount = 0;

  get count(): number {
    return this.#waiting.length;
  }

  /** How long the first one has waited. */
  longestWaitMs(nowMs: number): number {
    return this.#waiting.length === 0 ? 0 : nowMs - this.#waiting[0]!.sinceMs;
  }

  /** Throws `unavailable` when it is full. */
  enter(waiting: Waiting): void {
    const { rowCount } = waiting.question;
    const isFull =
      this.#waiting.length >= mostWaiting ||
      (this.#waiting.length > 0 && this.#rowCount + rowCount > mostWaitingRows);
    if (isFull) {
      const retryAfterSeconds = this.#secondsUntilEmpty(waiting.sinceMs);
      const detail = `${this.#waiting.length} requests wait for this model already, and no more may.`;
      throw new Problem('unavailable', detail, { retryAfterSeconds });
    }
    this.#waiting.push(waiting);
    this.#rowCount += rowCount;
  }

  /** Puts those first whose process was lost: they came before those that wait. */
  putBack(waiting: readonly Waiting[]): void {
    this.#waiting.unshift(...waiting);
    for (const { question } of waiting) this.#rowCount += question.rowCount;
  }

  /** Takes the first, and of those behind it as many as fit in. One whose process was lost goes alone. */
  take(limits: { rows: number; questions: number }, nowMs: number): Waiting[] {
    let rowCount = 0;
    let count = 0;
    for (const { question, lostCount } of this.#waiting) {
      const fits = count < limits.questions && rowCount + question.rowCount <= limits.rows && lostCount === 0;
      if (count > 0 && !fits) break;
      count++;
      rowCount += question.rowCount;
      if (lostCount > 0) break;
    }
    this.#rowCount -= rowCount;
    for (let index = 0; index < count; index++) this.#leftAtMs.push(nowMs);
    this.#leftAtMs.splice(0, this.#leftAtMs.length - rememberedLeaves);
    return this.#waiting.splice(0, count);
  }

  /** Tells those that waited too long. */
  expire(nowMs: number): void {
    while (this.longestWaitMs(nowMs) > longestWaitMs) {
      const [expired] = this.take({ rows: 0, questions: 1 }, nowMs);
      const seconds = longestWaitMs / secondMs;
      const detail = `No process of the model was free for ${seconds} seconds.`;
      expired!.reject(new Problem('unavailable', detail, { retryAfterSeconds: longestRetryAfterSeconds }));
    }
  }

  /** Tells everyone. */
  refuseAll(error: unknown): void {
    for (const { reject } of this.#waiting.splice(0)) reject(error);
    this.#rowCount = 0;
  }

  #secondsUntilEmpty(nowMs: number): number {
    const [first] = this.#leftAtMs;
    if (first === undefined) return 2;
    const perSecond = this.#leftAtMs.length / Math.max(0.1, (nowMs - first) / secondMs);
    return Math.min(longestRetryAfterSeconds, Math.max(1, Math.ceil(this.#waiting.length / perSecond)));
  }
}
