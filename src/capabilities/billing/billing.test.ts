// What people see of money: caps, charges, spending, and the hourly charge for storage.
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { Problem } from '../../base/problems.ts';
import { dayMs, hourMs, minuteMs } from '../../base/time.ts';
import { budget, charge } from '../../contract/budget.ts';
import type { Context } from '../../platform/context.ts';
import type { UsageUnit } from '../../platform/ports/meter.ts';
import { createKey } from '../../platform/security/keys/keys.ts';
import { insertWorkspace } from '../../platform/tenancy/rows.ts';
import { createProject } from '../../platform/tenancy/tenancy.ts';
import { openTestServices, type TestServices } from '../../platform/testing.ts';
import {
  createMeter,
  getSpending,
  listBudgets,
  listCharges,
  listPrices,
  removeBudget,
  setBudget,
} from './billing.ts';
import { billingReactions } from './reactions.ts';
import { meterStorage } from './storage.ts';
import { testClock, type TestClock } from './testing.ts';

let opened: TestServices;
let clock: TestClock;
let context: Context;

before(async () => {
  opened = await openTestServices();
});
beforeEach(async () => {
  clock = testClock();
  context = await freshWorkspace();
});
after(() => opened.close());

async function freshWorkspace(): Promise<Context> {
  const fresh = opened.contextFor();
  const row = { id: fresh.workspaceId, name: 'Test', createdAt: new Date(clock.nowMs()) };
  await opened.services.database.asSystem('test', (transaction) => insertWorkspace(transaction, row));
  return { ...fresh, clock };
}

async function spend(unit: UsageUnit, quantity: number, projectId: string | null = null): Promise<void> {
  const meter = createMeter({ ...opened.services, clock, tendEveryMs: null });
  const payer = { workspaceId: context.workspaceId, projectId, keyId: null };
  const purpose = { kind: 'query' as const, subjectId: context.newId('request') };
  const usage = [{ unit, quantity }];
  await context.transaction(async (transaction) => {
    const expiresAtMs = clock.nowMs() + minuteMs;
    const { reservationId } = await meter.reserve(transaction, { payer, usage, purpose, expiresAtMs });
    await meter.settle(transaction, reservationId, usage);
  });
  await meter.close();
}

function isProblem(code: string): (error: unknown) => boolean {
  return (error) => error instanceof Problem && error.code === code;
}

describe('budgets', () => {
  test('a workspace has its default cap from the start', async () => {
    const event = { name: 'workspace-created', projectId: null, data: {}, eventId: 'evt_1' };
    for (const reaction of billingReactions) await reaction.react(context, event);
    const budgets = await listBudgets(context);
    assert.equal(budgets.length, 1);
    assert.deepEqual(
      { ...budgets[0], id: '' },
      {
        id: '',
        scope: { kind: 'workspace' },
        period: 'month',
        capMicroUsd: 100_000_000,
        spentMicroUsd: 0,
        reservedMicroUsd: 0,
        periodStart: '2026-11-01T00:00:00.000Z',
      },
    );
    assert.deepEqual(await listBudgets(context), budgets, 'it is made once');
  });

  test('caps can be set, changed and removed; the cap of the workspace can only be changed', async () => {
    const project = await createProject(context, { name: 'Churn', description: '' });
    const { key } = await createKey(context, {
      name: 'app',
      role: 'predictor',
      projectId: project.id,
      expiresInDays: null,
    });
    const ofProject = { kind: 'project' as const, projectId: project.id };
    const made = await setBudget(context, { scope: ofProject, period: 'total', capMicroUsd: 5_000 });
    const changed = await setBudget(context, { scope: ofProject, period: 'month', capMicroUsd: 7_000 });
    assert.equal(changed.id, made.id);
    await setBudget(context, { scope: { kind: 'key', keyId: key.id }, period: 'month', capMicroUsd: 0 });
    const own = await setBudget(context, { scope: { kind: 'workspace' }, period: 'total', capMicroUsd: 1 });
    const budgets = await listBudgets(context);
    assert.deepEqual(
      budgets.map((one) => [one.scope.kind, one.period, one.capMicroUsd]),
      [
        ['workspace', 'total', 1],
        ['project', 'month', 7_000],
        ['key', 'month', 0],
      ],
    );
    for (const one of budgets) budget.parse(one);
    await removeBudget(context, made.id);
    await assert.rejects(removeBudget(context, made.id), isProblem('not-found'));
    await assert.rejects(removeBudget(context, own.id), isProblem('wrong-state'));
    assert.equal((await listBudgets(context)).length, 2);
  });

  test('what does not exist or is of another workspace has no cap', async () => {
    const elsewhere = await freshWorkspace();
    const project = await createProject(elsewhere, { name: 'Theirs', description: '' });
    const scope = { kind: 'project' as const, projectId: project.id };
    await assert.rejects(
      setBudget(context, { scope, period: 'month', capMicroUsd: 1 }),
      isProblem('not-found'),
    );
    await assert.rejects(
      setBudget(context, { scope: { kind: 'key', keyId: 'key_none' }, period: 'month', capMicroUsd: 1 }),
      isProblem('not-found'),
    );
    const theirs = await setBudget(elsewhere, { scope, period: 'month', capMicroUsd: 1 });
    await assert.rejects(removeBudget(context, theirs.id), isProblem('not-found'));
    assert.equal((await listBudgets(context)).length, 1);
  });

  test('a key that is bound to a project sees the caps of that project and its own', async () => {
    const project = await createProject(context, { name: 'Ours', description: '' });
    const other = await createProject(context, { name: 'Other', description: '' });
    for (const projectId of [project.id, other.id])
      await setBudget(context, { scope: { kind: 'project', projectId }, period: 'month', capMicroUsd: 9 });
    const bound = {
      ...opened.contextFor({
        workspaceId: context.workspaceId,
        actor: { kind: 'key', id: 'key_1', role: 'viewer', projectId: project.id },
      }),
      clock,
    };
    assert.deepEqual(
      (await listBudgets(bound)).map((one) => one.scope),
      [{ kind: 'project', projectId: project.id }],
    );
  });

  test('what was spent and is held shows', async () => {
    await spend('training-second', 30);
    clock.advance(15 * dayMs);
    await spend('training-second', 2);
    const [monthly] = await listBudgets(context);
    assert.equal(monthly!.spentMicroUsd, 200, 'in December');
    const total = await setBudget(context, {
      scope: { kind: 'workspace' },
      period: 'total',
      capMicroUsd: 4_000,
    });
    assert.equal(total.spentMicroUsd, 3_200);
    assert.equal(total.periodStart, '2026-11-22T10:00:00.000Z');
  });
});

describe('charges', () => {
  test('are listed newest first, page by page, of one project if asked', async () => {
    for (let second = 1; second <= 5; second++) {
      await spend('training-second', second, second % 2 === 0 ? 'prj_a' : null);
      clock.advance(minuteMs);
    }
    const first = await listCharges(context, { limit: 3 });
    const second = await listCharges(context, { limit: 3, cursor: first.nextCursor! });
    const all = [...first.items, ...second.items];
    assert.deepEqual(
      all.map((one) => one.quantity),
      [5, 4, 3, 2, 1],
    );
    assert.equal(second.nextCursor, null);
    for (const one of all) charge.parse(one);
    const ofProject = await listCharges(context, { limit: 3, projectId: 'prj_a' });
    assert.deepEqual(
      ofProject.items.map((one) => one.amountMicroUsd),
      [400, 200],
    );
    await assert.rejects(listCharges(context, { limit: 3, cursor: '../x' }), isProblem('invalid-request'));
  });

  test('add up by day and unit', async () => {
    await spend('training-second', 10);
    await spend('training-second', 5, 'prj_a');
    await spend('query-second', 1);
    clock.advance(dayMs);
    await spend('training-second', 1);
    assert.deepEqual(await getSpending(context, 2), [
      { day: '2026-11-22', unit: 'query-second', quantity: 1, amountMicroUsd: 100 },
      { day: '2026-11-22', unit: 'training-second', quantity: 15, amountMicroUsd: 1_500 },
      { day: '2026-11-23', unit: 'training-second', quantity: 1, amountMicroUsd: 100 },
    ]);
    assert.equal((await getSpending(context, 1)).length, 1);
  });
});

test('every unit has a price', () => {
  const units = listPrices().map((price) => price.unit);
  assert.deepEqual(new Set(units), new Set(charge.shape.unit.options));
});

describe('storage', () => {
  const stored = (gib: number): { workspaceId: string; sizeBytes: number }[] => [
    { workspaceId: context.workspaceId, sizeBytes: gib * 1_073_741_824 },
  ];

  test('is charged once an hour', async () => {
    await listBudgets(context);
    const services = { ...opened.services, clock };
    const sources = [async () => stored(3), async () => stored(1)];
    const rounds = [];
    for (const waitMs of [0, 30 * minuteMs, 30 * minuteMs]) {
      clock.advance(waitMs);
      await Promise.all([meterStorage(services, sources), meterStorage(services, sources)]);
      rounds.push((await listCharges(context, { limit: 10 })).items.length);
    }
    assert.deepEqual(rounds, [1, 1, 2]);
    const [latest] = (await listCharges(context, { limit: 1 })).items;
    assert.equal(latest!.unit, 'stored-gib-hour');
    assert.equal(latest!.quantity, 4);
    assert.equal(latest!.amountMicroUsd, 128);
  });

  test('is not charged beyond a cap, and nothing stored costs nothing', async () => {
    await setBudget(context, { scope: { kind: 'workspace' }, period: 'month', capMicroUsd: 10 });
    const services = { ...opened.services, clock };
    await meterStorage(services, [async () => stored(4)]);
    clock.advance(hourMs);
    await meterStorage(services, [async () => stored(0)]);
    assert.deepEqual((await listCharges(context, { limit: 1 })).items, []);
  });
});
