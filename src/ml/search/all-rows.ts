// The end of a search among a sample of very many rows: the best settings of boosted trees learn from all rows, streamed,
// and that model is kept if it is better on rows that neither has seen. Its probabilities, intervals and report come
// about as those of any search do (finish.ts), from rows that it stopped by in the place of out-of-fold ones.
import { Problem } from '../../base/problems.ts';
import type { Clock } from '../../base/time.ts';
import { encodeFrame, featuresOf } from '../frame/encoding.ts';
import { columnNamed, selectRows, type Column, type Frame } from '../frame/frame.ts';
import type { Draws, RowStream } from '../frame/row-stream.ts';
import type { KernelThreads } from '../kernels/threads.ts';
import { pauseBy, type LearnedTask } from '../learners/learner.ts';
import {
  canStream,
  mostStreamedRows,
  trainStreamedTrees,
  type StreamTarget,
  type StreamedModel,
} from '../learners/streamed-trees.ts';
import { metricFor, utilityOf } from '../metrics/metrics.ts';
import { outputCountOf } from '../model/row-model.ts';
import type { EnsembleChoice } from './ensemble.ts';
import { featureConstraints, isConstrained } from './column-constraints.ts';
import { finish, scoreHoldout, withoutImportance } from './finish.ts';
import type { Part, Prepared } from './prepare.ts';
import type { Recipe, SearchEvent, SearchResult, TrialReport } from './recipe.ts';
import { openFitContext } from './fit-crew.ts';
import { predictTable } from './fit.ts';

export interface AllRowsInput {
  /** What the search among the sample found. */
  found: SearchResult;
  /** What it was asked. */
  recipe: Recipe;
  stream: RowStream;
  /** Rows that the search did not see and the training must not; rows to learn from; rows to stop by. */
  holdout: Draws;
  learned: Draws;
  stopping: Draws;
  /** Reads rows as a frame with the kinds of columns that the sample had: at most so many, all of them unless told. */
  read: (draws: Draws, mostRows?: number) => Promise<Frame>;
  /** What the training may allocate. */
  memoryBytes: number;
  clock: Clock;
  signal?: AbortSignal;
  threads?: KernelThreads;
  /** Monotonic time at which all must be over. */
  deadlineMs?: number;
  onProgress?: (event: SearchEvent) => void;
}

/** Rows to fit probabilities and intervals to, and rows to compare the two models by. */
const mostCalibrationRows = 20_000;
const mostComparedRows = 20_000;
/** Of the time, what scoring and describing the model take. */
const finishingShare = 0.2;
/** Readings of the content after the training, one and a half times as long as the first. */
const readingsToCome = 3;

/**
 * The better of what was found and boosted trees that learned from all rows. When time or memory do not allow these, what
 * was found, with a warning that says why. @throws Problem `cancelled`
 */
export async function trainOnAllRows(input: AllRowsInput): Promise<SearchResult> {
  const { found, clock, recipe } = input;
  if (found.task === 'ranking') return found;
  const startMs = clock.monotonicMs();
  try {
    const best = bestTrees(found.leaderboard);
    const heldOut = await input.read(input.holdout, mostComparedRows);
    // Two more readings follow: the rows to fit probabilities to, and all rows that are held out.
    const readingMs = clock.monotonicMs() - startMs;
    const trained = await train(input, {
      hyperparameters: best.hyperparameters,
      target: targetOf(columnNamed(heldOut, recipe.target), found),
      reservedMs: readingsToCome * readingMs,
    });
    const seconds = (clock.monotonicMs() - startMs) / 1000;
    const report: TrialReport = {
      id: 'all-rows',
      learner: 'boosted-trees',
      label: `${best.label}, on all rows`,
      hyperparameters: best.hyperparameters,
      score: null,
      foldScores: [],
      seconds,
      state: 'finished',
      weight: 0,
    };
    return await chooseBetter(input, { trained, report, heldOut });
  } catch (error) {
    if (!(error instanceof Problem) || error.code === 'cancelled') throw error;
    return withWarning(found, `No model could be trained on all rows: ${error.message}`);
  }
}

/** The best settings that streams can be learned from. */
function bestTrees(leaderboard: readonly TrialReport[]): Pick<TrialReport, 'label' | 'hyperparameters'> {
  const trees = leaderboard.find(
    ({ learner, state, hyperparameters }) =>
      learner === 'boosted-trees' && state === 'finished' && canStream(hyperparameters),
  );
  return trees ?? { label: 'Boosted trees', hyperparameters: {} };
}

async function train(
  { found, recipe, ...input }: AllRowsInput,
  {
    hyperparameters,
    target,
    reservedMs,
  }: Pick<TrialReport, 'hyperparameters'> & { target: StreamTarget; reservedMs: number },
): Promise<StreamedModel> {
  const { clock, signal, threads, learned, stopping, stream } = input;
  const { encoding } = found.model.manifest;
  const sized = {
    encoding,
    task: found.task as LearnedTask,
    classCount: found.classes.length,
    hyperparameters,
  };
  const fitting = mostStreamedRows(input.memoryBytes, { ...sized, threadCount: (threads?.count ?? 0) + 1 });
  const stoppingShare = stopping.to - stopping.from;
  const share = Math.min(learned.to - learned.from, Math.max(0, fitting / stream.rowCount - stoppingShare));
  const beginMs = clock.monotonicMs();
  const constraints = constraintsOf(found, recipe);
  return trainStreamedTrees({
    ...sized,
    stream,
    target,
    learned: { from: learned.from, to: learned.from + share },
    stopping,
    ...(constraints && { constraints }),
    seed: recipe.seed + 6,
    control: {
      clock,
      pause: pauseBy(clock, signal),
      ...(threads && { threads }),
      ...(input.deadlineMs !== undefined && {
        deadlineMs: beginMs + (input.deadlineMs - beginMs) * (1 - finishingShare) - reservedMs,
      }),
      onRead: (reading, part) =>
        input.onProgress?.({ kind: 'progress', share: Math.min(0.99, 0.4 + 0.1 * (reading - 1 + part)) }),
    },
  });
}

/** What a value of the target's column stands for, as the sample's classes name it. */
function targetOf(column: Column, { task, classes }: SearchResult): StreamTarget {
  const { name } = column;
  if (task === 'regression') return { column: { name }, valueOf: (value) => value };
  if (column.kind === 'categorical' || column.kind === 'text')
    return {
      column: { name, categories: classes },
      valueOf: (code) => (code < classes.length ? code : NaN),
    };
  const codes = new Map(
    classes.map((one, code) => [column.kind === 'boolean' ? Number(one === 'true') : Number(one), code]),
  );
  return { column: { name }, valueOf: (value) => codes.get(value) ?? NaN };
}

async function chooseBetter(
  input: AllRowsInput,
  { trained, report, heldOut }: { trained: StreamedModel; report: TrialReport; heldOut: Frame },
): Promise<SearchResult> {
  const { found, recipe, clock, read, stream } = input;
  const pause = pauseBy(clock, input.signal);
  const metric = metricFor(recipe.metric, found.task);
  const scoreOf = async (content: SearchResult['model'], prepared: Prepared): Promise<number> =>
    metric.compute((await scoreHoldout(content, prepared, pause)).scored);
  const calibration = await read(input.stopping, mostCalibrationRows);
  const compared = preparedFor(input, calibration, heldOut);
  const choices = [await choiceOf(trained, report, { prepared: compared, clock, pause })];
  const finishing = { choices, trialCount: found.model.manifest.training.trialCount + 1 };
  const about = `The search compared models on ${found.rows.training} of ${stream.rowCount} rows, drawn at random`;
  const first = await finish({
    ...finishing,
    ...openFitContext({ prepared: compared, clock, pause }),
    warnings: [],
    deadlineMs: clock.monotonicMs(),
  });
  const [ofAll, ofSample] = [await scoreOf(first.model, compared), await scoreOf(found.model, compared)];
  report.score = Number.isFinite(first.crossValidationScore) ? first.crossValidationScore : null;
  const learnedCount = trained.rows.learned + trained.rows.stopping;
  if (!(utilityOf(metric, ofAll) >= utilityOf(metric, ofSample)))
    return {
      ...withWarning(
        found,
        `${about}. Boosted trees on ${learnedCount} rows were no better on rows that neither had seen (${metric.label} ${ofAll.toPrecision(4)} to ${ofSample.toPrecision(4)}), so the model is that of the search.`,
      ),
      leaderboard: [...found.leaderboard, report],
    };
  report.weight = 1;
  const warnings = [
    // What is said of the sample's models is not true of this one.
    ...found.warnings.filter((one) => one !== withoutImportance && !found.notes.includes(one)),
    `${about}; the model learned from ${learnedCount} rows.`,
    ...(trained.leftOut.length > 0
      ? [`Texts are not learned from by a model of so many rows: ${trained.leftOut.join(', ')}.`]
      : []),
    ...(trained.rows.withoutTarget > 0
      ? [`${trained.rows.withoutTarget} rows have no usable value in "${recipe.target}"; they were left out.`]
      : []),
  ];
  const prepared = preparedFor(input, calibration, await read(input.holdout));
  const finished = await finish({
    ...finishing,
    ...openFitContext({ prepared, clock, pause }),
    warnings,
    ...(input.deadlineMs !== undefined && { deadlineMs: input.deadlineMs }),
  });
  finished.model.manifest.training.rowCount = learnedCount;
  return {
    ...found,
    ...finished,
    leaderboard: [report, ...found.leaderboard.map((trial) => ({ ...trial, weight: 0 }))],
    warnings: finished.model.manifest.warnings,
    notes: [],
    rows: {
      training: learnedCount,
      holdout: prepared.holdout.actual.length,
      withoutTarget: trained.rows.withoutTarget,
    },
  };
}

/** What finishing a search needs to know, with the rows to stop by as if they were those of a single fold. */
function preparedFor(input: AllRowsInput, calibration: Frame, heldOut: Frame): Prepared {
  const { found, recipe } = input;
  const { manifest } = found.model;
  const training = partOf(calibration, input);
  const holdout = partOf(heldOut, input);
  const constraints = constraintsOf(found, recipe);
  const validation = Int32Array.from(training.actual, (_, row) => row);
  return {
    // The rows held out are a small part of all, which are too many to be learned from once more.
    recipe: { ...recipe, refit: false },
    target: {
      task: found.task,
      reason: found.taskReason,
      values: training.actual,
      rows: validation,
      withoutTarget: 0,
      classes: found.classes,
      positiveClass: Math.max(0, found.classes.indexOf(manifest.positiveClass ?? '')),
      warnings: [],
    },
    metric: metricFor(recipe.metric, found.task),
    encoding: manifest.encoding,
    dropped: found.droppedColumns,
    training,
    holdout,
    protectedColumns: {
      rowCount: holdout.frame.rowCount,
      columns: (recipe.protectedColumns ?? []).map((name) => columnNamed(holdout.all, name)),
    },
    folds: [
      { training: new Int32Array(0), validation, views: { all: training.table, ordersOnly: training.table } },
    ],
    ...(constraints && { constraints }),
    ...(manifest.costs && { costs: manifest.costs }),
    warnings: [],
  };
}

/** Rows of a frame that have a usable target; `all` are all their columns. */
function partOf(frame: Frame, { found, recipe }: AllRowsInput): Part & { all: Frame } {
  const column = columnNamed(frame, recipe.target);
  const values = truthsOf(column, found);
  const usable = Int32Array.from(values, (_, row) => row).filter((row) => Number.isFinite(values[row]));
  const all = selectRows(frame, usable);
  const left = new Set([recipe.target, ...(recipe.excludedColumns ?? [])]);
  const inputs = { rowCount: all.rowCount, columns: all.columns.filter(({ name }) => !left.has(name)) };
  return {
    all,
    frame: inputs,
    table: encodeFrame(inputs, found.model.manifest.encoding),
    actual: Float64Array.from(usable, (row) => values[row]!),
  };
}

function truthsOf(column: Column, found: SearchResult): Float64Array {
  if (column.kind !== 'categorical' && column.kind !== 'text')
    return column.values.map(targetOf(column, found).valueOf);
  const codes = new Map(found.classes.map((name, code) => [name, code]));
  const codeOf = (name: string | null | undefined): number => codes.get(name ?? '') ?? NaN;
  return column.kind === 'text'
    ? Float64Array.from(column.values, codeOf)
    : Float64Array.from(column.codes, (code) => (code < 0 ? NaN : codeOf(column.categories[code])));
}

/** The streamed model as the only choice, with its answers for the rows that it stopped by. */
async function choiceOf(
  { model }: StreamedModel,
  report: TrialReport,
  { prepared, clock, pause }: { prepared: Prepared; clock: Clock; pause: () => Promise<void> },
): Promise<EnsembleChoice> {
  const { target, training, folds } = prepared;
  const outputCount = outputCountOf(target.task, target.classes.length);
  const source = { table: training.table, rows: folds[0]!.validation, outputCount };
  const { predictions, seconds } = await predictTable(model, source, { clock, pause });
  const { learner, label, hyperparameters } = report;
  return {
    weight: 1,
    trial: {
      report,
      candidate: { learner, label, hyperparameters, timeShare: 1, isExploring: false },
      seed: prepared.recipe.seed,
      models: [model],
      predictions,
      utility: 0,
      firstFoldUtility: 0,
      settled: [],
      notes: [],
      secondsPerRow: seconds / Math.max(1, training.actual.length),
      secondsPerModel: report.seconds,
    },
  };
}

function constraintsOf(
  { task, classes, model }: SearchResult,
  { constraints }: Recipe,
): Prepared['constraints'] {
  if (!constraints || !isConstrained(constraints)) return undefined;
  const positiveClass = Math.max(0, classes.indexOf(model.manifest.positiveClass ?? ''));
  return featureConstraints(constraints, featuresOf(model.manifest.encoding), { task, positiveClass });
}

function withWarning(found: SearchResult, warning: string): SearchResult {
  const warnings = [...found.warnings, warning];
  found.model.manifest.warnings = warnings;
  return { ...found, warnings };
}
