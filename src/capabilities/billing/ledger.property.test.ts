// The ledger against a model of it: random interleavings of everything that moves money, by several servers that
// crash, one after the other (the model foretells each answer) and all at once (the caps and the sum rule hold).
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import { Problem } from '../../base/problems.ts';
import { minuteMs, secondMs } from '../../base/time.ts';
import type { Database, Transaction } from '../../platform/ports/database.ts';
import type { Payer, Usage } from '../../platform/ports/meter.ts';
import { openTestServices, testPostgresUrl, type TestServices } from '../../platform/testing.ts';
import { createMeter, type RunningMeter } from './billing.ts';
import { openLedger, reap } from './ledger.ts';
import { putBudget, type ScopeKind } from './rows.ts';
import { monthOf } from './states.ts';
import { assertLedgerAddsUp, testClock, type TestClock } from './testing.ts';

const payers = [
  { projectId: null, keyId: null },
  { projectId: 'prj_a', keyId: null },
  { projectId: 'prj_a', keyId: 'key_1' },
  { projectId: 'prj_b', keyId: 'key_1' },
] as const;
const scopes = [
  ['workspace', ''],
  ['project', 'prj_a'],
  ['project', 'prj_b'],
  ['key', 'key_1'],
] as const;
const secondPrice = 100;
const predictionPrice = 50;
const defaultCap = 100_000_000;

type Action =
  | { kind: 'reserve'; payer: number; seconds: number; minutes: number }
  | { kind: 'settle'; pick: number; seconds: number }
  | { kind: 'release'; pick: number }
  | { kind: 'renew'; pick: number; seconds: number; minutes: number }
  | { kind: 'use'; payer: number; quantity: number }
  | { kind: 'wait'; minutes: number }
  | { kind: 'reap' }
  | { kind: 'cap'; scope: number; cap: number; period: 'month' | 'total' };

const payer = fc.nat(payers.length - 1);
const seconds = fc.integer({ min: 0, max: 12 });
const pick = fc.nat(30);
const minutes = fc.integer({ min: 1, max: 60 });
const spend = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('reserve' as const), payer, seconds, minutes }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('settle' as const), pick, seconds }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('release' as const), pick }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('renew' as const), pick, seconds, minutes }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('reap' as const) }) },
);
const wait = fc.record({
  kind: fc.constant('wait' as const),
  minutes: fc.oneof(minutes, fc.constant(9 * 24 * 60)),
});
const cap = fc.record({
  kind: fc.constant('cap' as const),
  scope: fc.nat(scopes.length - 1),
  cap: fc.integer({ min: 0, max: 3_000 }),
  period: fc.constantFrom('month' as const, 'total' as const),
});
const use = fc.record({
  kind: fc.constant('use' as const),
  payer,
  quantity: fc.integer({ min: 0, max: 40 }),
});

interface ModelReservation {
  id: string;
  payer: (typeof payers)[number];
  amount: number;
  month: string;
  expiresAtMs: number;
  used: number;
  state: 'held' | 'settled' | 'released';
  charged: number;
}

/** What the ledger is meant to do, as a list and sums over it. */
class Model {
  readonly caps = new Map<string, { cap: number; period: 'month' | 'total' }>([
    ['workspace/', { cap: defaultCap, period: 'month' }],
  ]);
  readonly reservations: ModelReservation[] = [];

  allows(of: (typeof payers)[number], amount: number, nowMs: number): boolean {
    const names = ['workspace/', `project/${of.projectId}`, `key/${of.keyId}`];
    return names.every((name) => {
      const limit = this.caps.get(name);
      if (!limit || amount === 0) return true;
      const counted = this.reservations.filter(
        (one) =>
          (limit.period === 'total' || one.month === monthOf(nowMs)) &&
          (name === 'workspace/' ||
            name === `project/${one.payer.projectId}` ||
            name === `key/${one.payer.keyId}`),
      );
      return sumOf(counted) + amount <= limit.cap;
    });
  }

  end(one: ModelReservation, usedSeconds: number): number {
    if (one.state !== 'held') return one.charged;
    one.charged = Math.min(usedSeconds * secondPrice, one.amount);
    one.state = usedSeconds > 0 ? 'settled' : 'released';
    return one.charged;
  }
}

/** Spent and held. */
function sumOf(reservations: ModelReservation[]): number {
  return reservations.reduce((sum, one) => sum + (one.state === 'held' ? one.amount : one.charged), 0);
}

/** A ledger under test, served by two servers. */
class Bench {
  readonly clock: TestClock = testClock();
  readonly workspaceId: string;
  readonly #services: TestServices['services'];
  readonly database: Database;
  readonly meters: RunningMeter[] = [];
  readonly #crashed: RunningMeter[] = [];

  constructor(services: TestServices['services']) {
    this.#services = services;
    this.database = services.database;
    this.workspaceId = services.newId('workspace');
    this.meters = [this.start(), this.start()];
  }

  /** Puts a fresh server in the place of one that is not heard of again, until {@link Bench.finish}. */
  crash(): void {
    this.#crashed.push(this.meters[0]!);
    this.meters[0] = this.start();
  }

  start(): RunningMeter {
    const { database, log, newId } = this.#services;
    return createMeter({ database, log, newId, clock: this.clock, tendEveryMs: null });
  }

  within<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
    return this.database.inWorkspace({ workspaceId: this.workspaceId, projectId: null }, work);
  }

  payer(number: number): Payer {
    return { workspaceId: this.workspaceId, ...payers[number]! };
  }

  reserve(action: Extract<Action, { kind: 'reserve' }>): Promise<string | 'refused'> {
    const meter = this.meters[action.seconds % 2]!;
    const subjectId = this.#services.newId('training');
    const request = {
      payer: this.payer(action.payer),
      usage: usageOf(action.seconds),
      purpose: { kind: 'training' as const, subjectId },
      expiresAtMs: this.clock.nowMs() + action.minutes * minuteMs,
    };
    return refusedOr(
      this.within(async (transaction) => (await meter.reserve(transaction, request)).reservationId),
    );
  }

  async setCap(scope: number, capMicroUsd: number, period: 'month' | 'total'): Promise<void> {
    const [scopeKind, scopeId] = scopes[scope]! as readonly [ScopeKind, string];
    const { workspaceId, clock } = this;
    const tools = { clock, newId: this.#services.newId };
    const createdAt = new Date(clock.nowMs());
    await this.within(async (transaction) => {
      await openLedger(tools, transaction, workspaceId);
      const id = tools.newId('budget');
      await putBudget(transaction, { id, workspaceId, createdAt, scopeKind, scopeId, period, capMicroUsd });
    });
  }

  async reap(): Promise<void> {
    await reap({ clock: this.clock, newId: this.#services.newId }, this.database);
  }

  /**
   * Waits until every reservation has expired and reaps: nothing may be held after that. Servers that crashed wake up
   * in between, as a suspended machine does, and find their reservations ended.
   */
  async finish(): Promise<ReturnType<typeof assertLedgerAddsUp>> {
    this.clock.advance(24 * 60 * minuteMs);
    await this.reap();
    await Promise.all(this.#crashed.map((meter) => meter.close()));
    await this.reap();
    const content = await assertLedgerAddsUp(this.database, this.workspaceId);
    assert.ok(
      content.reservations.every((one) => one.state !== 'held'),
      'a reservation was leaked',
    );
    assert.ok(content.balances.every((balance) => balance.reservedMicroUsd === 0));
    return content;
  }
}

async function refusedOr<T>(work: Promise<T>): Promise<T | 'refused'> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof Problem && error.code === 'budget-exceeded') return 'refused';
    throw error;
  }
}

function usageOf(quantity: number): Usage[] {
  return [{ unit: 'training-second', quantity }];
}

/** Runs one action on ledger and model; both must say the same. */
async function step(bench: Bench, model: Model, action: Action): Promise<void> {
  const nowMs = bench.clock.nowMs();
  const one =
    'pick' in action ? model.reservations[action.pick % (model.reservations.length || 1)] : undefined;
  const meter = bench.meters[nowMs % 2]!;
  switch (action.kind) {
    case 'reserve': {
      const amount = action.seconds * secondPrice;
      const of = payers[action.payer]!;
      const expected = model.allows(of, amount, nowMs);
      const id = await bench.reserve(action);
      assert.equal(id !== 'refused', expected, `reserving ${amount}`);
      const expiresAtMs = nowMs + action.minutes * minuteMs;
      const fresh = { id, payer: of, amount, month: monthOf(nowMs), expiresAtMs, used: 0, charged: 0 };
      if (expected) model.reservations.push({ ...fresh, state: 'held' });
      return;
    }
    case 'settle':
      if (!one) return;
      assert.equal(
        await bench.within((transaction) => meter.settle(transaction, one.id, usageOf(action.seconds))),
        model.end(one, action.seconds),
      );
      return;
    case 'release':
      if (!one) return;
      await bench.within((transaction) => meter.release(transaction, one.id));
      model.end(one, 0);
      return;
    case 'renew': {
      if (!one) return;
      const expiresAtMs = nowMs + action.minutes * minuteMs;
      const progress = { expiresAtMs, usedSoFar: usageOf(action.seconds) };
      const isHeld = await bench.within((transaction) => meter.renew(transaction, one.id, progress));
      assert.equal(isHeld, one.state === 'held');
      if (isHeld) Object.assign(one, { expiresAtMs, used: action.seconds });
      return;
    }
    case 'wait':
      return bench.clock.advance(action.minutes * minuteMs);
    case 'reap':
      await bench.reap();
      for (const held of model.reservations) if (held.expiresAtMs <= nowMs) model.end(held, held.used);
      return;
    case 'cap':
      await bench.setCap(action.scope, action.cap, action.period);
      model.caps.set(scopes[action.scope]!.join('/'), { cap: action.cap, period: action.period });
      return;
    case 'use':
      throw new Error('leases have a property of their own');
    default:
      action satisfies never;
  }
}

for (const dialect of testPostgresUrl ? (['pglite', 'postgres'] as const) : (['pglite'] as const)) {
  describe(`the ledger on ${dialect}`, () => {
    let opened: TestServices;
    before(async () => {
      opened = await openTestServices({ database: dialect });
    });
    after(() => opened.close());

    test('answers as the model foretells', async () => {
      const actions = fc.array(fc.oneof({ weight: 8, arbitrary: spend }, wait, cap), {
        minLength: 5,
        maxLength: 30,
      });
      await fc.assert(
        fc.asyncProperty(actions, async (list) => {
          const bench = new Bench(opened.services);
          const model = new Model();
          // oxlint-disable-next-line no-await-in-loop
          for (const action of list) await step(bench, model, action);
          const content = await assertLedgerAddsUp(bench.database, bench.workspaceId);
          const rows = new Map(content.reservations.map((row) => [row.id, row]));
          for (const one of model.reservations) {
            const { state, chargedMicroUsd } = rows.get(one.id)!;
            assert.deepEqual([state, chargedMicroUsd ?? 0], [one.state, one.charged]);
          }
          await bench.finish();
        }),
        { numRuns: 25, seed: 20261122 },
      );
    });

    test('is never overdrawn by servers that work at once and crash', async () => {
      const round = fc.record({
        actions: fc.array(fc.oneof({ weight: 3, arbitrary: spend }, { weight: 2, arbitrary: use }), {
          minLength: 4,
          maxLength: 14,
        }),
        /** What follows: nothing, upkeep of a server, its crash, or time going by. */
        afterwards: fc.constantFrom('nothing' as const, 'tend' as const, 'crash' as const, 'wait' as const),
        minutes: fc.integer({ min: 0, max: 3 }),
      });
      const plan = fc.record({
        caps: fc.tuple(...scopes.map(() => fc.integer({ min: 0, max: 9_000 }))),
        rounds: fc.array(round, { minLength: 2, maxLength: 5 }),
      });
      await fc.assert(
        fc.asyncProperty(plan, async ({ caps, rounds }) => {
          const bench = new Bench(opened.services);
          for (const [index, limit] of caps.entries())
            // oxlint-disable-next-line no-await-in-loop
            await bench.setCap(index, limit, 'total');
          const ids: string[] = [];
          const answered = new Map<string, number>();
          for (const { actions, afterwards, minutes: passing } of rounds) {
            // oxlint-disable-next-line no-await-in-loop
            await Promise.all(
              actions.map((action, index) => spendAtOnce(bench, { action, index, ids, answered })),
            );
            // oxlint-disable-next-line no-await-in-loop
            await assertWithinCaps(bench, caps);
            if (afterwards === 'crash') bench.crash();
            // oxlint-disable-next-line no-await-in-loop
            if (afterwards === 'tend') await Promise.all(bench.meters.map((meter) => meter.tend()));
            if (afterwards === 'wait') bench.clock.advance(passing * minuteMs + secondMs);
          }
          await Promise.all(bench.meters.map((meter) => meter.close()));
          const content = await bench.finish();
          await assertWithinCaps(bench, caps);
          const predictions = content.charges.filter((charge) => charge.unit === 'prediction');
          const charged = predictions.reduce((sum, charge) => sum + charge.quantity, 0);
          assert.ok(charged <= (answered.get('prediction') ?? 0), 'no prediction was charged twice');
          assert.equal(
            predictions.reduce((sum, charge) => sum + charge.amountMicroUsd, 0),
            charged * predictionPrice,
          );
        }),
        // Interleavings differ from run to run: shrinking would chase its own tail.
        { numRuns: 20, seed: 20261122, endOnFailure: true },
      );
    });
  });
}

interface Turn {
  action: Action;
  index: number;
  /** Reservations made so far. */
  ids: string[];
  /** Units that leases said yes to. */
  answered: Map<string, number>;
}

/** One of many actions that run at the same time. */
async function spendAtOnce(bench: Bench, { action, index, ids, answered }: Turn): Promise<void> {
  const meter = bench.meters[index % 2]!;
  const id = 'pick' in action ? ids[action.pick % (ids.length || 1)] : undefined;
  switch (action.kind) {
    case 'reserve': {
      const made = await bench.reserve(action);
      if (made !== 'refused') ids.push(made);
      return;
    }
    case 'use': {
      const request = { payer: bench.payer(action.payer), unit: 'prediction' as const };
      const lease = meter.lease({ ...request, subjectId: 'ep_a', chunkQuantity: 16 });
      const isUsed = (await refusedOr(lease.use(action.quantity))) !== 'refused';
      if (isUsed) answered.set('prediction', (answered.get('prediction') ?? 0) + action.quantity);
      return;
    }
    case 'settle':
      if (id) await bench.within((transaction) => meter.settle(transaction, id, usageOf(action.seconds)));
      return;
    case 'release':
      if (id) await bench.within((transaction) => meter.release(transaction, id));
      return;
    case 'renew': {
      const expiresAtMs = bench.clock.nowMs() + action.minutes * minuteMs;
      const progress = { expiresAtMs, usedSoFar: usageOf(action.seconds) };
      if (id) await bench.within((transaction) => meter.renew(transaction, id, progress));
      return;
    }
    case 'reap':
      return bench.reap();
    default:
      throw new Error(`${action.kind} is not for many at once`);
  }
}

async function assertWithinCaps(bench: Bench, caps: readonly number[]): Promise<void> {
  const content = await assertLedgerAddsUp(bench.database, bench.workspaceId);
  scopes.forEach(([scopeKind, scopeId], index) => {
    const balance = content.balances.find(
      (one) => one.scopeKind === scopeKind && one.scopeId === scopeId && one.period === 'total',
    );
    const sum = (balance?.spentMicroUsd ?? 0) + (balance?.reservedMicroUsd ?? 0);
    assert.ok(sum <= caps[index]!, `${scopeKind} ${scopeId}: ${sum} of ${caps[index]}`);
  });
}
