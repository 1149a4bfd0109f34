// How many rows go to a process together. Additive increase, multiplicative decrease, as in Clipper (Crankshaw and
// others, NSDI 2017, section 4.3): a full batch that is quick lets the next one be larger, a slow one makes it smaller.

const mostRows = 1_000;
const firstRows = 64;
const step = 32;
const backOff = 0.9;
/** A batch should take no longer: whoever comes next waits for it. */
const targetMs = 100;

/** Questions of one batch at most. */
export const mostQuestions = 256;

export class BatchSize {
  #rows = firstRows;

  /** Rows of the next batch at most, unless its first question alone has more. */
  get rows(): number {
    return Math.floor(this.#rows);
  }

  /** Learns from a batch. */
  record(batch: { rowCount: number; questionCount: number; tookMs: number }): void {
    if (batch.tookMs > targetMs) {
      // A single question is as large as it is.
      if (batch.questionCount > 1) this.#rows = Math.max(1, backOff * Math.min(this.#rows, batch.rowCount));
    } else if (batch.rowCount >= this.#rows / 2) this.#rows = Math.min(mostRows, this.#rows + step);
  }
}
