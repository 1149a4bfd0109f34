// Trainings: one execution of a recipe, with trials, a leaderboard and a locked holdout.
import { z } from 'zod';
import { displayName, idParam, isoTime, microUsd, operation, page, pageQuery } from './operation.ts';
import { jobEvent, jobStates } from './job.ts';
import { evaluation, evaluationSummary, featureImportance, tasks } from './evaluation.ts';
import { problemSchema } from './problem.ts';

const tag = 'Training';

const columnNames = z.array(z.string().max(500)).max(10_000);

const money = z.number().min(-1e12).max(1e12);

/** What decisions cost; a model that is told decides for what costs least. */
export const costs = z
  .object({
    falsePositive: money
      .nullable()
      .default(null)
      .describe(
        'Two classes: a false alarm, the positive class said of a row that has the other. Needed, like falseNegative.',
      ),
    falseNegative: money.nullable().default(null).describe('Two classes: a miss.'),
    truePositive: money.default(0).describe('Two classes: finding one; negative is a gain.'),
    trueNegative: money.default(0).describe('Two classes: rightly leaving one alone.'),
    cells: z
      .array(z.object({ actual: z.string().max(500), predicted: z.string().max(500), cost: money }))
      .max(62_500)
      .default([])
      .describe('Three or more classes: what it costs to say one class of a row that has another.'),
    otherMistakes: money
      .default(0)
      .describe(
        'Three or more classes: a mistake that the cells do not name. Being right is free unless they do.',
      ),
    currency: z.string().max(12).default('').describe('What the money is counted in, such as EUR.'),
    decisionCount: z
      .number()
      .int()
      .min(1)
      .max(1_000_000_000_000)
      .default(1000)
      .describe("Decisions that totals are told for, such as a year's."),
  })
  .meta({ id: 'Costs' });

/** What to learn, from what, within which budget. A stored recipe never changes meaning. */
export const recipe = z
  .object({
    datasetVersionId: z.string().max(64),
    target: z.string().min(1).max(500).describe('The column to predict.'),
    task: z.enum(['auto', ...tasks]).default('auto'),
    metric: z.string().max(40).default('auto').describe('The measure to be good at; "auto" fits the task.'),
    positiveClass: z.string().max(500).nullable().default(null),
    excludedColumns: columnNames.default([]),
    groupColumn: z
      .string()
      .max(500)
      .nullable()
      .default(null)
      .describe(
        'Rows with equal values here (of one person, one query) are never both learned from and judged by. A ranking orders the rows of each group, and needs it.',
      ),
    timeColumn: z
      .string()
      .max(500)
      .nullable()
      .default(null)
      .describe(
        'Dates or numbers that tell the order of time: learned from earlier rows, judged by later ones. Not with a group column.',
      ),
    constraints: z
      .object({
        increasing: columnNames
          .default([])
          .describe(
            'Numbers with which the answer, or the probability of the positive class, may only rise.',
          ),
        decreasing: columnNames.default([]).describe('Numbers with which it may only fall.'),
        interactionGroups: z
          .array(columnNames)
          .max(1000)
          .nullable()
          .default(null)
          .describe('Columns may act together only within a group; those in none act on their own.'),
      })
      .prefault({})
      .describe('What the model must keep to, whatever the data says.'),
    protectedColumns: z
      .array(z.string().max(500))
      .max(20)
      .default([])
      .describe(
        'Columns that tell groups of people apart: the report says how each group is treated. They may be excluded as well.',
      ),
    costs: costs
      .nullable()
      .default(null)
      .describe(
        'What decisions cost: the model then decides for what costs least. The metric "cost" needs it.',
      ),
    budget: z
      .object({
        seconds: z.number().min(1).max(86_400).default(60),
        trials: z
          .number()
          .int()
          .min(1)
          .max(10_000)
          .nullable()
          .default(null)
          .describe('Stop after so many trials: the same bytes for the same seed.'),
        memoryMiB: z.number().int().min(256).max(1_048_576).nullable().default(null),
        maxMicroUsd: microUsd
          .min(0)
          .nullable()
          .default(null)
          .describe('Refuse to start if it could cost more.'),
      })
      .prefault({}),
    maxPredictMs: z
      .number()
      .positive()
      .max(60_000)
      .nullable()
      .default(null)
      .describe(
        'Milliseconds that the answer to one row may take, measured where the training runs: slower models are thinned out or left out.',
      ),
    compact: z
      .boolean()
      .default(false)
      .describe(
        'One model on all training rows in place of one for each fold: a smaller file and quicker answers.',
      ),
    refit: z
      .boolean()
      .default(true)
      .describe(
        'When the locked rows have judged the model, its parts learn once more, from those rows too, as far as time allows. Figures speak of the parts before.',
      ),
    backgroundRows: z
      .boolean()
      .default(true)
      .describe(
        'Keep up to 100 rows of the training in the model file, for explanations to compare with. Without them explanations follow how the training rows divided.',
      ),
    seed: z.number().int().min(0).max(4_294_967_295).default(1),
    folds: z.number().int().min(2).max(20).nullable().default(null),
    holdoutShare: z.number().min(0.05).max(0.5).default(0.2),
    modelName: displayName
      .nullable()
      .default(null)
      .describe('The model that gets the version; made when it is missing.'),
  })
  .meta({ id: 'Recipe' });
export type Recipe = z.infer<typeof recipe>;

export const trial = z
  .object({
    id: z.string(),
    learner: z.string(),
    label: z.string(),
    hyperparameters: z.record(z.string(), z.unknown()),
    state: z.enum(['running', 'finished', 'failed', 'stopped']),
    /** Cross-validated, in the metric of the training. */
    score: z.number().nullable(),
    foldScores: z.array(z.number()),
    judgedOn: z
      .object({
        rowCount: z.number().int().describe('Rows that each fold learned from.'),
        foldCount: z.number().int().describe('Folds whose other rows judged it.'),
      })
      .optional()
      .describe('A sample of the rows or one fold where the trial was given up, else everything.'),
    seconds: z.number(),
    weight: z
      .number()
      .describe(
        'Share in the final model; 0 when it is not part of it. All sum to one: where the others have more than that, because averages of numbers lie too close to the middle, the baseline has the rest, below 0.',
      ),
    problem: z.string().nullable(),
  })
  .meta({ id: 'Trial' });

/** Which rows a training used. Of more than fit into memory, models are compared on a sample, and the best learns from all. */
export const rowCounts = z
  .object({
    total: z.number().int().describe('Of the dataset version.'),
    search: z.number().int().describe('That models were compared on; of very many rows a sample.'),
    model: z
      .number()
      .int()
      .describe('That the final model learned from, with refit those of the holdout, too.'),
    holdout: z.number().int().describe('That were locked away, and judge the final model.'),
  })
  .meta({ id: 'RowCounts' });

export const training = z
  .object({
    id: z.string(),
    projectId: z.string(),
    jobId: z.string(),
    recipe,
    datasetName: z.string(),
    state: z.enum(jobStates),
    task: z.enum(tasks).nullable(),
    taskReason: z.string().nullable(),
    metric: z.string().nullable(),
    score: z.number().nullable().describe('On the locked holdout.'),
    progress: z.object({ share: z.number(), message: z.string() }),
    leaderboard: z.array(trial),
    evaluation: evaluation.nullable(),
    importance: featureImportance.nullable(),
    droppedColumns: z.array(z.object({ column: z.string(), reason: z.string() })),
    rows: rowCounts.nullable(),
    warnings: z.array(z.string()),
    modelVersionId: z.string().nullable(),
    reservedMicroUsd: microUsd,
    chargedMicroUsd: microUsd.nullable(),
    problem: problemSchema.nullable(),
    createdAt: isoTime,
    startedAt: isoTime.nullable(),
    finishedAt: isoTime.nullable(),
  })
  .meta({ id: 'Training' });

/** A training in a list. */
export const trainingSummary = training
  .omit({ leaderboard: true, importance: true, droppedColumns: true, rows: true, warnings: true })
  .extend({ evaluation: evaluationSummary.nullable() })
  .meta({ id: 'TrainingSummary' });

export const trainingPlan = z
  .object({
    task: z.enum(tasks),
    taskReason: z.string(),
    metric: z.string(),
    metricMeaning: z.string().describe('The measure in plain words.'),
    rowCount: z.number().int(),
    featureCount: z.number().int(),
    classes: z.array(z.object({ name: z.string(), count: z.number().int() })).nullable(),
    positiveClass: z.string().nullable().describe('Binary: the class that is looked for.'),
    estimatedSeconds: z.number(),
    maximumMicroUsd: microUsd.describe('The most it can cost; what is not used is given back.'),
    warnings: z.array(z.string()),
  })
  .meta({ id: 'TrainingPlan' });

export const planTraining = operation({
  operationId: 'planTraining',
  method: 'post',
  path: '/projects/{projectId}/training-plans',
  summary: 'What a recipe would do, how long it takes and what it can cost, before it starts',
  tag,
  policy: 'training:read',
  request: { params: idParam('projectId'), json: recipe },
  response: { status: 200, json: trainingPlan },
  problems: [
    'not-found',
    'column-unknown',
    'target-unusable',
    'too-few-rows',
    'too-many-classes',
    'wrong-state',
  ],
});

export const createTraining = operation({
  operationId: 'createTraining',
  method: 'post',
  path: '/projects/{projectId}/trainings',
  summary: 'Start a training',
  tag,
  policy: 'training:write',
  request: { params: idParam('projectId'), json: recipe },
  response: { status: 202, json: training },
  problems: [
    'not-found',
    'column-unknown',
    'target-unusable',
    'too-few-rows',
    'too-many-classes',
    'wrong-state',
    'budget-exceeded',
  ],
});

export const listTrainings = operation({
  operationId: 'listTrainings',
  method: 'get',
  path: '/projects/{projectId}/trainings',
  summary: 'The trainings of a project, newest first',
  tag,
  policy: 'training:read',
  request: { params: idParam('projectId'), query: pageQuery },
  response: { status: 200, json: page(trainingSummary) },
  problems: ['not-found'],
});

export const getTraining = operation({
  operationId: 'getTraining',
  method: 'get',
  path: '/trainings/{trainingId}',
  summary: 'One training',
  tag,
  policy: 'training:read',
  request: { params: idParam('trainingId') },
  response: { status: 200, json: training },
  problems: ['not-found'],
});

export const watchTraining = operation({
  operationId: 'watchTraining',
  method: 'get',
  path: '/trainings/{trainingId}/events',
  summary: 'What happens in a training, live: state, stage, progress, trial-started, trial-finished, curve',
  tag,
  policy: 'training:read',
  request: {
    params: idParam('trainingId'),
    query: z.object({ after: z.coerce.number().int().min(0).optional() }),
  },
  response: { status: 200, events: jobEvent },
  problems: ['not-found'],
});

export const cancelTraining = operation({
  operationId: 'cancelTraining',
  method: 'post',
  path: '/trainings/{trainingId}/cancel',
  summary: 'Ask a training to end',
  tag,
  policy: 'training:write',
  request: { params: idParam('trainingId') },
  response: { status: 202, json: training },
  problems: ['not-found'],
});

export const learnerCatalogue = z
  .object({
    metrics: z.array(
      z.object({
        name: z.string(),
        label: z.string(),
        plainWords: z.string(),
        tasks: z.array(z.enum(tasks)),
        greaterIsBetter: z.boolean(),
      }),
    ),
    learners: z.array(
      z.object({
        name: z.string(),
        label: z.string(),
        plainWords: z.string(),
        tasks: z.array(z.enum(tasks)),
      }),
    ),
  })
  .meta({ id: 'LearnerCatalogue' });

export const listLearners = operation({
  operationId: 'listLearners',
  method: 'get',
  path: '/learners',
  summary: 'The learners and metrics that a training can use',
  tag,
  policy: 'self:read',
  request: {},
  response: { status: 200, json: learnerCatalogue },
  problems: [],
});
