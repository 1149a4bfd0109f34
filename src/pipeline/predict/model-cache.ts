// Opened models in memory: the least recently used leave when they are more than a bound of bytes. Whoever asks for a
// model that is being opened waits for the same opening. Versions are immutable, so nothing in here goes stale but by whom
// to trust: then all is forgotten.
import type { Answerer } from './answer.ts';

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

  /** The model of a version, opened by `open` unless it is or another call is at it. A failure is not kept. */
  async load(versionId: string, open: () => Promise<Model>): Promise<Model> {
    const known = this.get(versionId);
    if (known) return known;
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

  /** Forgets every model, those too that are being opened. */
  clear(): void {
    this.#clearings++;
    this.#models.clear();
    this.#opening.clear();
    this.#bytes = 0;
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
