// What is known of a model from the rows that its training never saw: measures and curves, what its decisions cost, how it
// behaves, and whom it treats how. Bounded in size; part of trainings and of model versions.
import { z } from 'zod';

export const tasks = ['binary', 'multiclass', 'regression', 'ranking'] as const;

const segment = z
  .discriminatedUnion('kind', [
    z.object({
      column: z.string(),
      kind: z.literal('is'),
      value: z.string().nullable().describe('Null: missing.'),
    }),
    z.object({
      column: z.string(),
      kind: z.literal('between'),
      from: z.number().nullable().describe('Above this; null: no lower end.'),
      to: z.number().nullable().describe('Up to this; null: no upper end.'),
    }),
  ])
  .meta({ id: 'Segment' });

const share = z.object({ value: z.number(), lower: z.number(), upper: z.number() });

/** What a model does, told from the locked rows. */
const trustReport = z
  .object({
    dependence: z
      .array(
        z.object({
          column: z.string(),
          values: z.array(z.union([z.string(), z.number(), z.boolean()])),
          isOrdered: z.boolean(),
          shares: z.array(z.number()),
          curves: z.array(z.object({ outcome: z.string(), mean: z.array(z.number()) })),
          rows: z.array(z.array(z.number())).describe('Single rows, by the first outcome: rows[row][value].'),
        }),
      )
      .describe('How the answer follows a column when nothing else changes, most important columns first.'),
    cohorts: z
      .object({
        measure: z.enum(['mistakes', 'distance']),
        lookedAt: z.number().int(),
        cohorts: z.array(
          z.object({
            conditions: z.array(segment),
            rowCount: z.number().int(),
            error: z.number(),
            lower: z.number(),
            upper: z.number(),
            errorElsewhere: z.number(),
          }),
        ),
      })
      .optional()
      .describe('Segments of the rows in which it is clearly worse than elsewhere, worst first.'),
    fairness: z
      .array(
        z.object({
          column: z.string(),
          leftOut: z.number().int(),
          groups: z.array(
            z.object({
              condition: segment,
              rowCount: z.number().int(),
              selectionRate: share.optional(),
              selectionRatio: share.extend({ isBelowFourFifths: z.boolean() }).optional(),
              truePositiveRate: share.optional(),
              falsePositiveRate: share.optional(),
              calibrationGap: share.optional(),
              accuracy: share.optional(),
              meanError: share.optional(),
              meanDistance: share.optional(),
            }),
          ),
        }),
      )
      .describe('How groups of people are treated, for each protected column; intervals of 95 %.'),
  })
  .meta({ id: 'TrustReport' });

const point2 = { falsePositiveRate: z.number(), truePositiveRate: z.number(), threshold: z.number() };

export const evaluation = z
  .object({
    task: z.enum(tasks),
    rowCount: z.number().int(),
    metrics: z.record(z.string(), z.number()),
    positiveClass: z
      .string()
      .optional()
      .describe('Binary: the class that the curves and the threshold are about.'),
    confusionMatrix: z
      .object({ classes: z.array(z.string()), counts: z.array(z.array(z.number().int())) })
      .optional()
      .describe('counts[actual][predicted].'),
    rocCurve: z.array(z.object(point2)).optional(),
    precisionRecallCurve: z
      .array(z.object({ recall: z.number(), precision: z.number(), threshold: z.number() }))
      .optional(),
    calibration: z
      .array(z.object({ meanPredicted: z.number(), observedRate: z.number(), rowCount: z.number().int() }))
      .optional(),
    calibrationError: z
      .object({
        before: z.number(),
        after: z.number(),
        method: z.enum(['none', 'temperature', 'platt', 'isotonic']),
      })
      .optional()
      .describe('Expected calibration error of the probabilities before and after they were calibrated.'),
    sets: z
      .object({
        coverage: z.number(),
        held: z.number(),
        meanSize: z.number(),
        oneClassShare: z.number(),
      })
      .optional()
      .describe(
        'Sets of likely classes: the share of truths they are meant to hold and do hold, and their size.',
      ),
    money: z
      .object({
        currency: z.string(),
        decisionCount: z.number().int(),
        perDecision: z.number(),
        perDecisionWhenRight: z.number().describe('The same for somebody who is always right.'),
        threshold: z
          .number()
          .optional()
          .describe('Binary: the probability of the positive class above which it is decided for.'),
        costs: z
          .object({ classes: z.array(z.string()), matrix: z.array(z.array(z.number())) })
          .optional()
          .describe('matrix[actual][decided].'),
        alternatives: z.array(
          z.object({
            answer: z.string().nullable().describe('Always this; null: whichever class is likelier.'),
            perDecision: z.number(),
            saving: z
              .object({ perDecision: z.number(), lower: z.number(), upper: z.number() })
              .describe('What the model saves against it, with an interval of 95 %.'),
          }),
        ),
      })
      .optional()
      .describe('What decisions cost, where the recipe says it.'),
    trust: trustReport.optional(),
    residuals: z.array(z.object({ actual: z.number(), predicted: z.number() })).optional(),
    residualHistogram: z.object({ edges: z.array(z.number()), counts: z.array(z.number().int()) }).optional(),
    intervalCoverage: z.number().optional(),
    samples: z
      .array(
        z.object({
          input: z.record(z.string(), z.unknown()),
          actual: z.union([z.string(), z.number()]),
          prediction: z.union([z.string(), z.number()]),
          probability: z.number().optional(),
        }),
      )
      .default([]),
  })
  .meta({ id: 'Evaluation' });

/** What lists show of an evaluation: no curves, no samples. */
export const evaluationSummary = evaluation
  .pick({ task: true, rowCount: true, metrics: true })
  .meta({ id: 'EvaluationSummary' });

export const featureImportance = z.array(z.object({ column: z.string(), importance: z.number() }));
