// Opened models in memory: the least recently used leave when they are more than a bound of bytes. Whoever asks for a
// model that is being opened waits for the same opening. Versions are immutable, so nothing in here goes stale but by whom
// to trust: then all is forgotten.
import { Problem } from '../../base/problems.ts';
import type { Answerer } from './answer.ts';

/** Requests that may wait for one opening: what they ask is held in memory meanwhile. */
export const mostWaiting = 2_000;
const retryAfterSeconds = 2;

export interface OpenedModel {
  model: Answerer;
  /** Of this process's memory, by the size of its file. */
  heldBytes: number;
}

export class ModelCache<Model extends OpenedModel> {
  readonly #maxBytes: number;
  /** In order of use, the latest last. */
  readonly #models = new Map<string, Model>();
  readonly #opening = new Map<string, Promise<Model>>();
  readonly #waiting = new Map<string, number>();
  #bytes = 0;
  #clearings = 0;

  /** @param maxBytes by the size of the model files; one model is kept even if it alone is larger. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** The model of a version if it is open. */
  get(versionId: string): Model | undefined {
    const opened = this.#models.get(versionId);
    if (!opened) return undefined;
    this.#models.delete(versionId);
    this.#models.set(versionId, opened);
    return opened;
  }

  /** The same without counting as use. */
  peek(versionId: string): Model | undefined {
    return this.#models.get(versionId);
  }

  isOpening(versionId: string): boolean {
    return this.#opening.has(versionId);
  }

  /**
   * The model of a version, opened by `open` unless it is or another call is at it. A failure is not kept.
   * Throws `unavailable` when too many wait already.
   */
  async load(versionId: string, open: () => Promise<Model>): Promise<Model> {
    const known = this.get(versionId);
    if (known) return known;
    const waitingCount = this.#waiting.get(versionId) ?? 0;
    if (waitingCount >= mostWaiting) {
      const detail = `${waitingCount} requests wait until the model is loaded, and no more may.`;
      throw new Problem('unavailable', detail, { retryAfterSeconds });
    }
    this.#waiting.set(versionId, waitingCount + 1);
    try {
      return await this.#openOnce(versionId, open);
    } finally {
      const left = this.#waiting.get(versionId)! - 1;
      if (left > 0) this.#waiting.set(versionId, left);
      else this.#waiting.delete(versionId);
    }
  }

  /** Forgets every model, those too that are being opened. */
  clear(): void {
    this.#clearings++;
    this.#models.clear();
    this.#opening.clear();
    this.#bytes = 0;
  }

  async #openOnce(versionId: string, open: () => Promise<Model>): Promise<Model> {
    let opening = this.#opening.get(versionId);
    if (!opening) {
      const began = this.#clearings;
      const mine = open().finally(() => {
        if (this.#opening.get(versionId) === mine) this.#opening.delete(versionId);
      });
      opening = mine;
      this.#opening.set(versionId, mine);
      const opened = await mine;
      if (this.#clearings === began) this.#keep(versionId, opened);
    }
    return await opening;
  }

  /** What is open: models, and bytes of their files. */
  get held(): { modelCount: number; fileBytes: number } {
    return { modelCount: this.#models.size, fileBytes: this.#bytes };
  }

  #keep(versionId: string, opened: Model): void {
    this.#models.set(versionId, opened);
    this.#bytes += opened.heldBytes;
    for (const [oldest, { heldBytes }] of this.#models) {
      if (this.#bytes <= this.#maxBytes || oldest === versionId) return;
      this.#models.delete(oldest);
      this.#bytes -= heldBytes;
    }
  }
}
