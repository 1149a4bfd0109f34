// What is known about the secrets in use, by their hash, so that a request need not wait for the database. An entry is
// never older than `staleAfterMs`: that is how long a key that was revoked on another server may still work here.
// Entries in use are read anew before that, in the background, so busy keys never wait. While the database cannot be
// reached, what is known is used a little longer (platform/database/outage.ts).
import type { Sha256 } from '../../../base/hash.ts';
import { secondMs, type Clock } from '../../../base/time.ts';
import { isOutage, outageMs, outagePatienceMs } from '../../database/outage.ts';

/** After the database did not answer, it is asked again at most this often. */
const outageStepMs = secondMs;

export interface CredentialCacheOptions<Fact> {
  clock: Clock;
  /** Reads what is known about some hashes; those that are not known are left out. */
  read(hashes: readonly Sha256[]): Promise<ReadonlyMap<Sha256, Fact>>;
  staleAfterMs?: number;
  maxEntries?: number;
}

interface Waiting<Fact> {
  hash: Sha256;
  resolve(fact: Fact | undefined): void;
  reject(error: unknown): void;
}

export class CredentialCache<Fact> {
  readonly #options: Required<CredentialCacheOptions<Fact>>;
  /** In the order in which they were read; the oldest gives way when it is full. */
  readonly #entries = new Map<Sha256, { fact: Fact; readAtMs: number }>();
  readonly #loads = new Map<Sha256, Promise<Fact | undefined>>();
  #waiting: Waiting<Fact>[] = [];
  /** Counts calls of `forget`: what was read before the last one must not be kept. */
  #forgetCount = 0;
  #outUntilMs = -Infinity;

  constructor(options: CredentialCacheOptions<Fact>) {
    this.#options = { staleAfterMs: 5 * secondMs, maxEntries: 10_000, ...options };
  }

  get size(): number {
    return this.#entries.size;
  }

  /** What is known now, without waiting. */
  peek(hash: Sha256): Fact | undefined {
    const entry = this.#entries.get(hash);
    if (entry === undefined) return undefined;
    const { clock, staleAfterMs } = this.#options;
    const nowMs = clock.monotonicMs();
    const ageMs = nowMs - entry.readAtMs;
    if (nowMs < this.#outUntilMs) return ageMs < outageMs ? entry.fact : undefined;
    if (ageMs >= staleAfterMs) return undefined;
    // If this fails, the entry becomes stale, and who asks then gets the error.
    if (ageMs >= staleAfterMs / 2) this.load(hash).catch(() => {});
    return entry.fact;
  }

  /** Reads a hash, together with all others that are asked for in the same turn of the event loop. */
  load(hash: Sha256): Promise<Fact | undefined> {
    const loading = this.#loads.get(hash);
    if (loading) return loading;
    const load = new Promise<Fact | undefined>((resolve, reject) => {
      this.#waiting.push({ hash, resolve, reject });
      if (this.#waiting.length === 1) setImmediate(() => void this.#readWaiting());
    });
    this.#loads.set(hash, load);
    return load;
  }

  /** Forgets what matches, at once: also what is being read at this moment will not be kept. */
  forget(matches: (fact: Fact) => boolean): void {
    this.#forgetCount += 1;
    this.#loads.clear();
    for (const [hash, { fact }] of this.#entries) if (matches(fact)) this.#entries.delete(hash);
  }

  async #readWaiting(): Promise<void> {
    const waiting = this.#waiting;
    this.#waiting = [];
    const readAtMs = this.#options.clock.monotonicMs();
    const forgetCount = this.#forgetCount;
    const isCurrent = (): boolean => forgetCount === this.#forgetCount;
    const patience = setTimeout(() => {
      if (isCurrent()) this.#answerFromMemory(waiting);
    }, outagePatienceMs);
    try {
      const facts = await this.#options.read(waiting.map(({ hash }) => hash));
      for (const { hash, resolve } of waiting) {
        const fact = facts.get(hash);
        if (isCurrent()) this.#keep(hash, fact, readAtMs);
        resolve(fact);
      }
    } catch (error) {
      if (isOutage(error) && isCurrent()) this.#answerFromMemory(waiting);
      // Who was answered from memory does not hear this.
      for (const { reject } of waiting) reject(error);
    } finally {
      clearTimeout(patience);
      if (isCurrent()) for (const { hash } of waiting) this.#loads.delete(hash);
    }
  }

  /** Answers those of whom something is known that is not too old, and asks the database again in a while. */
  #answerFromMemory(waiting: readonly Waiting<Fact>[]): void {
    this.#outUntilMs = this.#options.clock.monotonicMs() + outageStepMs;
    for (const { hash, resolve } of waiting) {
      const fact = this.peek(hash);
      if (fact === undefined) continue;
      resolve(fact);
      this.#loads.delete(hash);
    }
  }

  #keep(hash: Sha256, fact: Fact | undefined, readAtMs: number): void {
    this.#entries.delete(hash);
    if (fact === undefined) return;
    if (this.#entries.size >= this.#options.maxEntries) {
      const oldest = this.#entries.keys().next();
      if (!oldest.done) this.#entries.delete(oldest.value);
    }
    this.#entries.set(hash, { fact, readAtMs });
  }
}
