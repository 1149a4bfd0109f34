// Leases: use that is paid from memory. A lease reserves chunks of use ahead of time in the ledger, hands them out
// without waiting, and settles each chunk for what was used of it. So no request waits for the database once a lease
// is warm, and no cap is overshot, because nothing is handed out that was not reserved before.
//
// What is used is recorded with the reservation every second. When the process dies, the reaper charges what was
// recorded and frees the rest; less than a second of use is then given away, never charged twice.
import { assert } from '../../base/assert.ts';
import { asProblem, Problem } from '../../base/problems.ts';
import { secondMs } from '../../base/time.ts';
import type { Database } from '../../platform/ports/database.ts';
import type { Log } from '../../platform/ports/log.ts';
import type { Lease, LeaseRequest } from '../../platform/ports/meter.ts';
import { reserveUpTo, settle, type LedgerTools } from './ledger.ts';
import { renewReservations } from './rows.ts';

/** A chunk nobody renews is the reaper's after this: long enough to use it while the database is away for a minute. */
const chunkLifeMs = 120 * secondMs;
/** Chunks are not used this close to their expiry: clocks of servers differ, and the reaper may be another's. */
const safetyMarginMs = 20 * secondMs;
/** Chunks in use are charged at least this often, so that spending shows. */
const chunkAgeMs = 30 * secondMs;
/** A lease unused for so long gives its money back. */
const idleMs = 60 * secondMs;
/** After a refusal the ledger is not asked again for so long. */
const refusalMs = secondMs;
const greatestGrowth = 64;

interface Chunk {
  reservationId: string;
  quantity: number;
  used: number;
  /** What of it the ledger knows as used. */
  recorded: number;
  createdAtMs: number;
  expiresAtMs: number;
}

/** What leases work with. */
export interface LeaseTools extends LedgerTools {
  database: Database;
  log: Log;
}

/** All leases of one process. Call {@link LeaseBook.tend} about once a second. */
export class LeaseBook {
  readonly #tools: LeaseTools;
  readonly #byName = new Map<string, ChunkedLease>();
  /** Those that may hold money. A lease that was forgotten by name comes back here when it is used again. */
  readonly #active = new Set<ChunkedLease>();
  #tending: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(tools: LeaseTools) {
    this.#tools = tools;
  }

  /** The lease of this payer, unit and subject. */
  lease(request: LeaseRequest): Lease {
    const { payer, unit, subjectId } = request;
    // Ids hold no slash.
    const name = `${payer.workspaceId}/${payer.projectId}/${payer.keyId}/${unit}/${subjectId}`;
    let lease = this.#byName.get(name);
    if (!lease) {
      lease = new ChunkedLease(this.#tools, request, (active) => this.#active.add(active));
      if (this.#isClosed) lease.close();
      this.#byName.set(name, lease);
    }
    return lease;
  }

  /** Records what was used, settles chunks that are used up, old or idle, and forgets idle leases. */
  async tend(): Promise<void> {
    this.#tending = this.#tending.then(() => this.#tendOnce());
    await this.#tending;
  }

  /** Lets nothing more be used and settles everything. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const lease of this.#byName.values()) lease.close();
    for (const lease of this.#active) lease.close();
    await Promise.all([...this.#active].map((lease) => lease.refilled()));
    await this.tend();
  }

  async #tendOnce(): Promise<void> {
    const leases = [...this.#active];
    for (const lease of leases) lease.retire();
    await this.#attempt(() => this.#record(leases.flatMap((lease) => lease.unrecorded())));
    for (const lease of leases) {
      // oxlint-disable-next-line no-await-in-loop -- the embedded database has one connection; nobody waits for this
      await this.#attempt(() => lease.settleRetired());
      if (lease.isIdle()) this.#active.delete(lease);
    }
    for (const [name, lease] of this.#byName) if (lease.isIdle()) this.#byName.delete(name);
  }

  /** What fails stays in memory and is tried again with the next round. */
  async #attempt(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#tools.log.warn({ error }, 'The use of leases could not be written; it is tried again.');
    }
  }

  async #record(entries: { lease: ChunkedLease; chunk: Chunk }[]): Promise<void> {
    if (entries.length === 0) return;
    const expiresAtMs = this.#tools.clock.nowMs() + chunkLifeMs;
    const used = entries.map(({ chunk }) => chunk.used);
    const renewals = entries.map(({ lease, chunk }, index) => ({
      id: chunk.reservationId,
      expiresAtMs,
      usedSoFar: [{ unit: lease.unit, quantity: used[index]! }],
    }));
    const held = await this.#tools.database.asSystem('record leases', (transaction) =>
      renewReservations(transaction, renewals),
    );
    entries.forEach(({ lease, chunk }, index) => {
      if (!held.has(chunk.reservationId)) return lease.drop(chunk);
      chunk.recorded = used[index]!;
      chunk.expiresAtMs = expiresAtMs;
    });
  }
}

class ChunkedLease implements Lease {
  readonly unit: LeaseRequest['unit'];
  readonly #tools: LeaseTools;
  readonly #request: LeaseRequest;
  readonly #onActive: (lease: ChunkedLease) => void;
  /** In use, oldest first. */
  #chunks: Chunk[] = [];
  /** No longer in use, to be settled. */
  #retired: Chunk[] = [];
  #chunkQuantity: number;
  #lastUseMs: number;
  #refilling: Promise<void> | undefined;
  #refusal: { problem: Problem; shortage: number; untilMs: number } | undefined;
  #isClosed = false;

  constructor(tools: LeaseTools, request: LeaseRequest, onActive: (lease: ChunkedLease) => void) {
    assert(
      Number.isSafeInteger(request.chunkQuantity) && request.chunkQuantity > 0,
      'a chunk holds a whole number of units',
    );
    this.#tools = tools;
    this.#request = request;
    this.#onActive = onActive;
    this.#chunkQuantity = request.chunkQuantity;
    this.#lastUseMs = tools.clock.nowMs();
    this.unit = request.unit;
  }

  tryUse(quantity: number): boolean {
    assert(Number.isSafeInteger(quantity) && quantity >= 0, `cannot use ${quantity} units`);
    const nowMs = this.#tools.clock.nowMs();
    const available = this.#available(nowMs);
    if (this.#isClosed || available < quantity) return false;
    this.#lastUseMs = nowMs;
    let left = quantity;
    for (const chunk of this.#chunks) {
      if (left === 0) break;
      if (!isUsable(chunk, nowMs)) continue;
      const part = Math.min(left, chunk.quantity - chunk.used);
      chunk.used += part;
      left -= part;
    }
    if (available - quantity < this.#chunkQuantity / 2) this.#refillAhead();
    return true;
  }

  async use(quantity: number): Promise<void> {
    while (!this.tryUse(quantity)) {
      if (this.#isClosed)
        throw new Problem('unavailable', 'The server is stopping.', { retryAfterSeconds: 5 });
      const shortage = this.#shortage(quantity);
      if (this.#isRefused(shortage)) throw this.#refusal!.problem;
      // Others may use up what was reserved meanwhile, or be refused what was more than this: then again.
      // oxlint-disable-next-line no-await-in-loop
      await (this.#refilling?.catch(() => undefined) ?? this.#refill(shortage));
    }
  }

  /** Takes chunks out of use that are used up, lost, idle, or old and replaced. */
  retire(): void {
    const nowMs = this.#tools.clock.nowMs();
    const isIdle = nowMs - this.#lastUseMs >= idleMs;
    const isOld = (chunk: Chunk): boolean => nowMs - chunk.createdAtMs >= chunkAgeMs;
    const isSpent = (chunk: Chunk): boolean =>
      this.#isClosed || isIdle || chunk.used === chunk.quantity || !isUsable(chunk, nowMs);
    const hasFresh = this.#chunks.some((chunk) => !isOld(chunk) && !isSpent(chunk));
    const leaving = this.#chunks.filter((chunk) => isSpent(chunk) || (hasFresh && isOld(chunk)));
    this.#chunks = this.#chunks.filter((chunk) => !leaving.includes(chunk));
    this.#retired.push(...leaving);
    if (!isIdle && this.#chunks.some((chunk) => isOld(chunk) && chunk.used > 0)) this.#refillAhead();
  }

  /** Chunks in use of which the ledger does not know all, or whose expiry comes near. */
  unrecorded(): { lease: ChunkedLease; chunk: Chunk }[] {
    const renewAtMs = this.#tools.clock.nowMs() + chunkLifeMs - safetyMarginMs;
    return this.#chunks
      .filter((chunk) => chunk.used !== chunk.recorded || chunk.expiresAtMs <= renewAtMs)
      .map((chunk) => ({ lease: this, chunk }));
  }

  /** Forgets a chunk that the ledger has ended. */
  drop(chunk: Chunk): void {
    this.#chunks = this.#chunks.filter((other) => other !== chunk);
  }

  async settleRetired(): Promise<void> {
    const { database } = this.#tools;
    const { payer, unit } = this.#request;
    for (let chunk = this.#retired[0]; chunk; chunk = this.#retired[0]) {
      const { reservationId, used } = chunk;
      // oxlint-disable-next-line no-await-in-loop -- one ledger, one transaction after the other
      await database.inWorkspace({ workspaceId: payer.workspaceId, projectId: null }, (transaction) =>
        settle(this.#tools, transaction, reservationId, [{ unit, quantity: used }]),
      );
      this.#retired.shift();
    }
  }

  close(): void {
    this.#isClosed = true;
  }

  /** Resolves when no reservation is on its way. */
  async refilled(): Promise<void> {
    await this.#refilling?.catch(() => undefined);
  }

  /** Whether it holds nothing and has not been used for a while. */
  isIdle(): boolean {
    const isUnused = this.#isClosed || this.#tools.clock.nowMs() - this.#lastUseMs >= idleMs;
    return isUnused && !this.#refilling && this.#chunks.length === 0 && this.#retired.length === 0;
  }

  #available(nowMs: number): number {
    let available = 0;
    for (const chunk of this.#chunks) if (isUsable(chunk, nowMs)) available += chunk.quantity - chunk.used;
    return available;
  }

  #shortage(quantity: number): number {
    return Math.max(0, quantity - this.#available(this.#tools.clock.nowMs()));
  }

  #isRefused(shortage: number): boolean {
    const refusal = this.#refusal;
    return (
      refusal !== undefined && this.#tools.clock.nowMs() < refusal.untilMs && shortage >= refusal.shortage
    );
  }

  /** Reserves the next chunk without anybody waiting. */
  #refillAhead(): void {
    if (this.#refilling || this.#isClosed || this.#isRefused(1)) return;
    this.#refill(1).catch((error: unknown) => {
      const problem = asProblem(error);
      if (problem.code === 'budget-exceeded') return;
      this.#tools.log.warn({ error: problem.cause ?? problem }, 'A lease could not reserve ahead.');
    });
  }

  /** Reserves one more chunk, of at least `shortage` units; one at a time. */
  #refill(shortage: number): Promise<void> {
    this.#onActive(this);
    this.#refilling = this.#reserveChunk(Math.max(1, shortage)).finally(() => {
      this.#refilling = undefined;
    });
    return this.#refilling;
  }

  async #reserveChunk(minimum: number): Promise<void> {
    const { database, clock } = this.#tools;
    const { payer, unit, subjectId } = this.#request;
    const createdAtMs = clock.nowMs();
    this.#resize(createdAtMs);
    const expiresAtMs = createdAtMs + chunkLifeMs;
    try {
      const { reservationId, quantity } = await database.inWorkspace(
        { workspaceId: payer.workspaceId, projectId: null },
        (transaction) =>
          reserveUpTo(this.#tools, transaction, {
            payer,
            unit,
            minimum,
            maximum: Math.max(minimum, this.#chunkQuantity),
            purpose: { kind: 'prediction-lease', subjectId },
            expiresAtMs,
          }),
      );
      this.#refusal = undefined;
      this.#chunks.push({ reservationId, quantity, used: 0, recorded: 0, createdAtMs, expiresAtMs });
    } catch (error) {
      const problem = asProblem(error);
      if (problem.code === 'budget-exceeded')
        this.#refusal = { problem, shortage: minimum, untilMs: clock.nowMs() + refusalMs };
      throw problem;
    }
  }

  /** Chunks grow when they last less than a second, and shrink back when they last long. */
  #resize(nowMs: number): void {
    const last = this.#chunks.at(-1);
    if (!last) return;
    const { chunkQuantity } = this.#request;
    const ageMs = nowMs - last.createdAtMs;
    if (ageMs < secondMs)
      this.#chunkQuantity = Math.min(chunkQuantity * greatestGrowth, this.#chunkQuantity * 2);
    else if (ageMs > chunkAgeMs / 2)
      this.#chunkQuantity = Math.max(chunkQuantity, Math.floor(this.#chunkQuantity / 2));
  }
}

function isUsable(chunk: Chunk, nowMs: number): boolean {
  return nowMs < chunk.expiresAtMs - safetyMarginMs;
}
