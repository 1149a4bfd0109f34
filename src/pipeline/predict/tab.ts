// Pays for one long request whose size is not known when it begins: parts are reserved ahead while rows are answered,
// each twice as large as the one before, and charged together when the answer is whole, or not at all.
import { Problem } from '../../base/problems.ts';
import { minuteMs } from '../../base/time.ts';
import type { Context } from '../../platform/context.ts';
import type { Payer } from '../../platform/ports/meter.ts';

const firstPartQuantity = 2_000;
const lifeMs = 10 * minuteMs;

/** Predictions of one request, paid at its end. End it with {@link Tab.settle} or {@link Tab.release}. */
export class Tab {
  readonly #context: Context;
  readonly #payer: Payer;
  readonly #subjectId: string;
  #parts: { reservationId: string; quantity: number }[] = [];
  #reserved = 0;
  #renewAtMs: number;

  constructor(context: Context, payer: Payer, subjectId: string) {
    this.#context = context;
    this.#payer = payer;
    this.#subjectId = subjectId;
    this.#renewAtMs = context.clock.nowMs() + lifeMs / 2;
  }

  /** Makes sure that `quantity` predictions in all are reserved; throws `budget-exceeded`. */
  async cover(quantity: number): Promise<void> {
    const missing = quantity - this.#reserved;
    if (missing <= 0) return this.#renew();
    const ahead = Math.max(firstPartQuantity, this.#reserved, missing);
    try {
      await this.#reserve(ahead);
    } catch (error) {
      const isRefused = error instanceof Problem && error.code === 'budget-exceeded';
      if (!isRefused || ahead === missing) throw error;
      await this.#reserve(missing);
    }
  }

  /** Charges `quantity` predictions and frees what was reserved beyond. */
  async settle(quantity: number): Promise<void> {
    const { meter } = this.#context;
    await this.#context.transaction(async (transaction) => {
      let left = quantity;
      for (const part of this.#parts) {
        const used = Math.min(left, part.quantity);
        left -= used;
        // oxlint-disable-next-line no-await-in-loop -- one connection
        await meter.settle(transaction, part.reservationId, [{ unit: 'prediction', quantity: used }]);
      }
    });
    this.#parts = [];
  }

  /** Charges nothing; harmless after {@link Tab.settle}. */
  async release(): Promise<void> {
    if (this.#parts.length > 0) await this.settle(0);
  }

  async #reserve(quantity: number): Promise<void> {
    const { meter, clock } = this.#context;
    const request = {
      payer: this.#payer,
      usage: [{ unit: 'prediction' as const, quantity }],
      purpose: { kind: 'prediction-lease' as const, subjectId: this.#subjectId },
      expiresAtMs: clock.nowMs() + lifeMs,
    };
    const { reservationId } = await this.#context.transaction((transaction) =>
      meter.reserve(transaction, request),
    );
    this.#parts.push({ reservationId, quantity });
    this.#reserved += quantity;
  }

  async #renew(): Promise<void> {
    const { meter, clock } = this.#context;
    if (clock.nowMs() < this.#renewAtMs) return;
    this.#renewAtMs = clock.nowMs() + lifeMs / 2;
    const expiresAtMs = clock.nowMs() + lifeMs;
    await this.#context.transaction(async (transaction) => {
      for (const { reservationId } of this.#parts)
        // oxlint-disable-next-line no-await-in-loop -- one connection
        await meter.renew(transaction, reservationId, { expiresAtMs, usedSoFar: [] });
    });
  }
}
