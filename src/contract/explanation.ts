// Explanations of single answers: why a model said what it said, and what would have to be otherwise.
import { z } from 'zod';
import { prediction } from './endpoint.ts';
import { idParam, operation } from './operation.ts';

const tag = 'Explanation';

const row = z.record(z.string(), z.unknown());
const columnNames = z.array(z.string().max(500)).max(10_000).default([]);
const versionId = idParam('versionId');
const problems = [
  'not-found',
  'prediction-input',
  'invalid-request',
  'too-many-requests',
  'explanation-unsupported',
  'signing-key-withdrawn',
] as const;

export const comparedWith = z
  .enum(['given-rows', 'background-rows', 'training-statistics'])
  .describe(
    'What the base is the answer for: the rows given, the background rows in the model file or, where it holds none, what is known of the training.',
  );

export const explanation = z
  .object({
    outcome: z.string().describe('The class explained; the target for a number.'),
    base: z.number().describe('What the model says on average: a probability, or a value.'),
    prediction: z.number().describe('What it says here: base and the contributions together.'),
    contributions: z
      .array(z.object({ column: z.string(), value: z.unknown(), contribution: z.number() }))
      .describe('Largest first, by size.'),
  })
  .meta({ id: 'Explanation' });

export const explainRows = operation({
  operationId: 'explainRows',
  method: 'post',
  path: '/model-versions/{versionId}/explanations',
  summary: 'Why a model answers as it does: what each column adds to the answers for rows',
  tag,
  policy: 'model:read',
  request: {
    params: versionId,
    json: z.object({
      rows: z.array(row).min(1).max(100),
      outcome: z
        .string()
        .max(500)
        .nullable()
        .default(null)
        .describe('The class to explain; null: the one predicted.'),
      compareWith: z
        .array(row)
        .max(200)
        .default([])
        .describe(
          'Answers are explained against those for these rows; without them against the background rows in the model file.',
        ),
    }),
    maxBodyBytes: 4_194_304,
  },
  response: {
    status: 200,
    json: z.object({
      explanations: z.array(explanation),
      comparedWith,
    }),
  },
  problems: [...problems],
});

export const findCounterfactuals = operation({
  operationId: 'findCounterfactuals',
  method: 'post',
  path: '/model-versions/{versionId}/counterfactuals',
  summary: 'What would have to be otherwise for another answer: few and small changes that can be made',
  tag,
  policy: 'model:read',
  request: {
    params: versionId,
    json: z.object({
      row,
      wanted: z.union([
        z.strictObject({ class: z.string().max(500) }),
        z.strictObject({ atLeast: z.number() }),
        z.strictObject({ atMost: z.number() }),
      ]),
      fixed: columnNames.describe('Columns that cannot change.'),
      increasing: columnNames.describe('Numbers that can only rise.'),
      decreasing: columnNames.describe('Numbers that can only fall.'),
      ranges: z
        .array(
          z.object({ column: z.string().max(500), from: z.number().nullable(), to: z.number().nullable() }),
        )
        .max(1000)
        .default([])
        .describe('Numbers stay within these.'),
      mostChanges: z.number().int().min(1).max(5).default(3),
    }),
    maxBodyBytes: 4_194_304,
  },
  response: {
    status: 200,
    json: z.object({
      prediction,
      isWantedAlready: z.boolean(),
      counterfactuals: z
        .array(
          z.object({
            changes: z.array(z.object({ column: z.string(), from: z.unknown(), to: z.unknown() })),
            distance: z
              .number()
              .describe('Sum over changes: numbers in units of their usual spread, anything else counts 1.'),
            prediction,
          }),
        )
        .describe('Fewest changes first, then nearest; none when none was found.'),
      triedCount: z.number().int(),
    }),
  },
  problems: [...problems],
});
