// Budgets and charges. A hard cap is never overshot: what might be used is reserved first.
import { z } from 'zod';
import { idParam, isoTime, microUsd, operation, page, pageQuery } from './operation.ts';

const tag = 'Budget';

export const usageUnits = [
  'training-second',
  'prediction',
  'stored-gib-hour',
  'imported-gib',
  'batch-prediction',
  'replica-minute',
  'query-second',
] as const;

export const budgetScope = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('workspace') }),
  z.object({ kind: z.literal('project'), projectId: z.string() }),
  z.object({ kind: z.literal('key'), keyId: z.string() }),
]);

export const budget = z
  .object({
    id: z.string(),
    scope: budgetScope,
    period: z.enum(['month', 'total']).describe('A month starts on its first day, 00:00 UTC.'),
    capMicroUsd: microUsd,
    spentMicroUsd: microUsd,
    reservedMicroUsd: microUsd.describe('Held for what is running.'),
    periodStart: isoTime,
  })
  .meta({ id: 'Budget' });

export const charge = z
  .object({
    id: z.string(),
    at: isoTime,
    unit: z.enum(usageUnits),
    quantity: z.number(),
    amountMicroUsd: microUsd,
    projectId: z.string().nullable(),
    keyId: z.string().nullable(),
    subjectId: z.string(),
  })
  .meta({ id: 'Charge' });

export const price = z
  .object({
    unit: z.enum(usageUnits),
    label: z.string(),
    unitPriceMicroUsd: microUsd,
    perUnits: z.number().int(),
  })
  .meta({ id: 'Price' });

export const listPrices = operation({
  operationId: 'listPrices',
  method: 'get',
  path: '/prices',
  summary: 'The price list',
  tag,
  policy: 'budget:read',
  request: {},
  response: { status: 200, json: z.object({ items: z.array(price) }) },
  problems: [],
});

export const listBudgets = operation({
  operationId: 'listBudgets',
  method: 'get',
  path: '/budgets',
  summary: 'All caps with what is spent and reserved',
  tag,
  policy: 'budget:read',
  request: {},
  response: { status: 200, json: z.object({ items: z.array(budget) }) },
  problems: [],
});

export const setBudget = operation({
  operationId: 'setBudget',
  method: 'put',
  path: '/budgets',
  summary: 'Set the hard cap of the workspace, a project or a key',
  tag,
  policy: 'budget:manage',
  request: {
    json: z.object({
      scope: budgetScope,
      period: z.enum(['month', 'total']).default('month'),
      capMicroUsd: microUsd.min(0).max(9_000_000_000_000),
    }),
  },
  response: { status: 200, json: budget },
  problems: ['not-found'],
});

export const removeBudget = operation({
  operationId: 'removeBudget',
  method: 'delete',
  path: '/budgets/{budgetId}',
  summary: 'Remove a cap; the cap of the workspace can only be changed',
  tag,
  policy: 'budget:manage',
  request: { params: idParam('budgetId') },
  response: { status: 204 },
  problems: ['not-found', 'wrong-state'],
});

export const listCharges = operation({
  operationId: 'listCharges',
  method: 'get',
  path: '/charges',
  summary: 'What was charged, newest first',
  tag,
  policy: 'budget:read',
  request: { query: pageQuery.extend({ projectId: z.string().max(64).optional() }) },
  response: { status: 200, json: page(charge) },
  problems: [],
});

export const getSpending = operation({
  operationId: 'getSpending',
  method: 'get',
  path: '/spending',
  summary: 'What was charged, by day and kind of use',
  tag,
  policy: 'budget:read',
  request: { query: z.object({ days: z.coerce.number().int().min(1).max(366).default(30) }) },
  response: {
    status: 200,
    json: z.object({
      items: z.array(
        z.object({
          day: z.string(),
          unit: z.enum(usageUnits),
          quantity: z.number(),
          amountMicroUsd: microUsd,
        }),
      ),
    }),
  },
  problems: [],
});
