// Work that is under way, and can be brought to its end: closing aborts all of it, and waits until it is over.

export class WorkUnderWay {
  readonly #closing = new AbortController();
  readonly #works = new Set<Promise<unknown>>();

  get isClosing(): boolean {
    return this.#closing.signal.aborted;
  }

  /** Does `work`; the signal that it gets is aborted with `signal`, and when this is closed. */
  async do<Result>(signal: AbortSignal, work: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
    const result = work(AbortSignal.any([signal, this.#closing.signal]));
    this.#works.add(result);
    try {
      return await result;
    } finally {
      this.#works.delete(result);
    }
  }

  /** Never throws: what becomes of work is told to who asked for it. */
  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.allSettled(this.#works);
  }
}
