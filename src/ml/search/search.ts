// AutoML: from a frame and a recipe to a model, within a budget. A locked holdout; a portfolio of known-good settings,
// then a Bayesian search; every trial cross-validated and its fold models kept (bagging); a greedy ensemble of them;
// calibration and intervals from out-of-fold predictions. Anytime: stopped early, it returns what it has.
// After AutoGluon (Erickson et al. 2020) and auto-sklearn (Feurer et al. 2015).
import { Problem } from '../../base/problems.ts';
import { seededRandom, type Random } from '../../base/random.ts';
import { pauseBy, type Learner } from '../learners/learner.ts';
import { selectEnsemble, type EnsembleChoice } from './ensemble.ts';
import { refineWeights } from './ensemble-weights.ts';
import { sampler } from './fidelity.ts';
import { finish } from './finish.ts';
import { keepOneModel, latencyLimit, measureLatency, rowMs, thinOut, type LatencyLimit } from './latency.ts';
import { openJournal } from './journal.ts';
import { leakageWarnings } from './leakage.ts';
import {
  isOutOfMemory,
  memoryWarnings,
  planMemory,
  watchMemory,
  type MemoryPlan,
  type MemoryWatch,
} from './memory.ts';
import { otherLosses } from './losses.ts';
import { portfolioCandidate, type Candidate, type Fitness } from './portfolio.ts';
import { openFitContext, type FitContext } from './fit-crew.ts';
import { prepare, type Prepared } from './prepare.ts';
import { proposer, type Tried } from './proposals.ts';
import type { SearchInput, SearchResult, TrialReport } from './recipe.ts';
import { fitCompactModels } from './compact.ts';
import { runTrial, trialSeed, type Trial } from './trial.ts';
import { mostShareOfFitting, searchEnd } from './search-end.ts';

/**
 * Searches for the best model. With `budget.trials` the result is the same bytes for the same frame, recipe and seed;
 * with `budget.seconds` it keeps to that time.
 * @throws Problem `target-unusable`, `too-few-rows`, `too-many-classes`, `column-unknown` or `invalid-request` for what
 * cannot be learned, `cancelled` when the signal is aborted, `training-failed` when not one trial finished
 */
export async function search(input: SearchInput): Promise<SearchResult> {
  const run = startRun(input);
  const { clock, frame, recipe, threads } = input;
  run.stage('preparing', 'Reading the columns and locking the holdout away');
  await run.pause();
  const prepared = prepare(frame, recipe, { clock, threadCount: 1 + (threads?.count ?? 0) });
  const context = openFitContext({ prepared, clock, pause: run.pause, ...(threads && { threads }) });
  try {
    await run.pause();
    return await searchPrepared(run, context);
  } finally {
    context.crew.close();
  }
}

async function searchPrepared(run: Run, context: FitContext): Promise<SearchResult> {
  const { prepared, clock } = context;
  const preparedMs = clock.monotonicMs();
  const warnings = [...prepared.warnings, ...leakageWarnings(prepared)];
  const latency = latencyLimit(prepared, clock);
  const memoryPlan = planMemory(prepared);
  const trials = await runTrials(run, context, { latency, memoryPlan });
  warnings.push(...memoryWarnings(prepared, memoryPlan, trials));
  const searchedMs = clock.monotonicMs();
  run.stage('ensembling', 'Combining the best trials');
  if (latency && prepared.recipe.compact) keepOneModel(trials);
  if (latency) warnings.push(...thinOut(trials, latency));
  const chosen = await chooseEnsemble(run, prepared, trials, latency);
  const choices = refineWeights(prepared, chosen, trials);
  for (const { trial, weight } of choices) trial.report.weight = weight;
  if (isCompact(prepared, choices)) {
    run.stage('ensembling', 'Training one model in place of those of the folds');
    warnings.push(...(await fitChosen(run, context, choices)));
  }
  run.stage('evaluating', 'Opening the holdout');
  const notes = [...new Set(choices.flatMap(({ trial }) => trial.notes))];
  const finished = await finish({
    ...context,
    choices,
    warnings: [...warnings, ...notes],
    trialCount: trials.length,
    ...(latency && { latency }),
    isMemoryScarce: run.memory.isScarce,
    ...(run.endMs !== undefined && { deadlineMs: run.endMs - 0.02 * (run.endMs - run.startMs) }),
  });
  const endMs = clock.monotonicMs();
  run.progress(1);
  run.stage('done', 'The model is ready');
  const { target, metric, dropped, training, holdout } = prepared;
  return {
    ...finished,
    leaderboard: leaderboardOf(trials),
    task: target.task,
    taskReason: target.reason,
    classes: target.classes,
    metric: { name: metric.name, label: metric.label, greaterIsBetter: metric.greaterIsBetter },
    droppedColumns: dropped,
    warnings: finished.model.manifest.warnings,
    notes,
    rows: {
      training: training.actual.length,
      holdout: holdout.actual.length,
      withoutTarget: target.withoutTarget,
    },
    timing: {
      seconds: (endMs - run.startMs) / 1000,
      preparingSeconds: (preparedMs - run.startMs) / 1000,
      searchingSeconds: (searchedMs - preparedMs) / 1000,
      finishingSeconds: (endMs - searchedMs) / 1000,
    },
  };
}

interface Run {
  input: SearchInput;
  startMs: number;
  /** Absent when trials are the only budget. */
  endMs?: number;
  pause: () => Promise<void>;
  memory: MemoryWatch;
  stage: (stage: Parameters<typeof stageEvent>[0], message: string) => void;
  progress: (share: number) => void;
}

/** Explorers in a row that bring nothing new, after which a search that is bound by time ends early. */
const patienceTrials = 40;
const mostTrials = 300;
const keptTrials = 25;
const keptWhereScarce = 6;
/** Of all time, what a trial may need at the least. */
const mostShareOfTrial = 0.25;

/** Of its time, what a search may find used by earlier tries: the rest is for putting together what they found. */
const mostSpentShare = 0.95;

function startRun(input: SearchInput): Run {
  const { clock, signal, recipe, journal, onProgress } = input;
  const memory = watchMemory(pauseBy(clock, signal), input.memory);
  const { seconds } = recipe.budget;
  const spentMs = Math.min(journal?.spentMs ?? 0, (seconds ?? Infinity) * 1000 * mostSpentShare);
  const startMs = clock.monotonicMs() - spentMs;
  const endMs = seconds === undefined ? undefined : startMs + seconds * 1000;
  return {
    input,
    startMs,
    ...(endMs !== undefined && { endMs }),
    pause: memory.pause,
    memory,
    stage: (stage, message) => onProgress?.(stageEvent(stage, message)),
    progress: (share) => {
      const secondsLeft = endMs === undefined ? undefined : Math.max(0, (endMs - clock.monotonicMs()) / 1000);
      onProgress?.({
        kind: 'progress',
        share,
        ...(secondsLeft !== undefined && { secondsLeft: share === 1 ? 0 : secondsLeft }),
      });
    },
  };
}

function stageEvent(
  stage: 'preparing' | 'baseline' | 'searching' | 'ensembling' | 'evaluating' | 'done',
  message: string,
) {
  return { kind: 'stage' as const, stage, message };
}

async function runTrials(
  run: Run,
  context: FitContext,
  { latency, memoryPlan }: { latency: LatencyLimit | undefined; memoryPlan: MemoryPlan },
): Promise<Trial[]> {
  const { clock, recipe, onProgress } = run.input;
  const { prepared } = context;
  const { trials, damagedFrom, keep } = await openJournal(run.input.journal, prepared, forgetWeakest);
  const limit = recipe.budget.trials ?? mostTrials;
  const isTimed = recipe.budget.trials === undefined;
  const losses = otherLosses(prepared.target, prepared.metric);
  const fits = fitnessFor(prepared, losses, memoryPlan);
  const draws = forkingRandom(recipe.seed + 4, () => trials.length);
  const propose = proposer({ random: draws, fits, losses, isTimed });
  const rungFor = sampler(prepared);
  if (damagedFrom !== undefined)
    run.stage('baseline', `Notes of an earlier try cannot be used from trial ${damagedFrom} on`);
  if (trials.length > 0) run.stage('searching', `Going on after ${trials.length} trials of an earlier try`);
  else run.stage('baseline', 'Training what any model must beat');
  for (const { report } of trials) onProgress?.({ kind: 'trial-finished', trial: { ...report } });
  while (trials.length < limit) {
    const searchEndMs = searchEnd(run, prepared, trials);
    const nowMs = clock.monotonicMs();
    if (trials.length > 0 && searchEndMs !== undefined && nowMs >= searchEndMs) break;
    if ((isTimed && isExhausted(trials)) || isOutOfMemory(trials)) break;
    const candidate = portfolioCandidate(trials.length, fits) ?? propose(triedIn(trials));
    if (trials.length === 2) run.stage('searching', 'Comparing models');
    const rung = rungFor(trials);
    run.memory.isTrying = true;
    const trial = await runTrial(
      {
        ...context,
        emit: (event) => onProgress?.(event),
        leastFirstFoldUtility: medianFirstFold(trials, candidate),
        ...(rung && { rung }),
        ...(searchEndMs !== undefined && { deadlineMs: nowMs + (searchEndMs - nowMs) * candidate.timeShare }),
      },
      candidate,
      trials.length + 1,
      trialSeed(prepared, trials.length),
    );
    run.memory.isTrying = false;
    if (latency) measureLatency(trial, latency, { prepared, clock });
    await keep(trial, trials.length);
    trials.push(trial);
    forgetWeakest(trials, run.memory.isScarce() ? keptWhereScarce : keptTrials);
    run.progress(progressShare(run, trials.length, limit));
  }
  return trials;
}

/** A learner that would get too little time to learn anything is passed over, rather than to waste what it gets. */
function fitnessFor(
  { recipe, target, constraints, folds }: Prepared,
  losses: readonly string[],
  memoryPlan: MemoryPlan,
): Fitness {
  const { task } = target;
  const { seconds = Infinity, trials } = recipe.budget;
  const mostSeconds = trials === undefined ? seconds * mostShareOfTrial : Infinity;
  const rows = folds.map((fold) => fold.training.length);
  const isInTime = ({ leastSeconds = () => 0 }: Learner): boolean =>
    rows.reduce((sum, count) => sum + leastSeconds(count), 0) <= mostSeconds;
  return (learner, hyperparameters) => {
    const { tasks, abilities } = learner.spec;
    const { loss } = hyperparameters;
    return (
      tasks.includes(task === 'ranking' ? 'regression' : task) &&
      (!constraints || abilities.constraints) &&
      (loss === undefined || losses.includes(String(loss))) &&
      isInTime(learner) &&
      memoryPlan.fits(learner, hyperparameters)
    );
  };
}

/** Numbers of its own for each trial, so that a search that is taken up draws what it would have drawn. */
function forkingRandom(seed: number, trialCount: () => number): Random {
  const all = seededRandom(seed);
  let forked = -1;
  let own = all;
  const current = (): Random => {
    if (forked !== trialCount()) own = all.fork((forked = trialCount()));
    return own;
  };
  return {
    next: () => current().next(),
    below: (bound) => current().below(bound),
    fork: (label) => current().fork(label),
  };
}

function progressShare(run: Run, trialCount: number, limit: number): number {
  const byTrials = run.input.recipe.budget.trials === undefined ? 0 : trialCount / limit;
  const byTime =
    run.endMs === undefined ? 0 : (run.input.clock.monotonicMs() - run.startMs) / (run.endMs - run.startMs);
  return Math.min(0.99, Math.max(byTrials, byTime));
}

function isExhausted(trials: readonly Trial[]): boolean {
  const explorers = trials.filter((trial) => trial.candidate.isExploring);
  if (explorers.length < patienceTrials) return false;
  const best = trials.reduce((a, b) => (b.utility > a.utility ? b : a));
  return trials.length - trials.indexOf(best) > patienceTrials;
}

/** What the trials teach; one that was given up is taken to have gone on as others of its learner did. */
function triedIn(trials: readonly Trial[]): Tried[] {
  const gainFrom = (earlier: (trial: Trial) => number, learner: string): number => {
    const gains = trials
      .filter((trial) => trial.report.state === 'finished' && trial.candidate.learner === learner)
      .map((trial) => trial.utility - earlier(trial))
      .filter(Number.isFinite);
    return gains.reduce((sum, gain) => sum + gain, 0) / Math.max(1, gains.length);
  };
  return trials.flatMap((trial) => {
    const { learner, hyperparameters, seconds, state } = trial.report;
    const reached = Number.isFinite(trial.firstFoldUtility) ? onFirstFold : onSample;
    const known = state === 'finished' ? trial.utility : reached(trial) + gainFrom(reached, learner);
    return Number.isFinite(known) ? [{ learner, hyperparameters, utility: known, seconds }] : [];
  });
}

function onFirstFold({ firstFoldUtility }: Trial): number {
  return firstFoldUtility;
}

function onSample({ sampleUtility = -Infinity }: Trial): number {
  return sampleUtility;
}

/** The median rule (Golovin et al., Vizier, 2017): an explorer must keep up with half of its learner's earlier trials. */
function medianFirstFold(trials: readonly Trial[], candidate: Candidate): number {
  const same = trials.filter(
    (trial) =>
      trial.candidate.learner === candidate.learner &&
      trial.report.state !== 'failed' &&
      trial.firstFoldUtility > -Infinity,
  );
  const sorted = same.map((trial) => trial.firstFoldUtility).sort((a, b) => a - b);
  return sorted.length < 2 ? -Infinity : sorted[(sorted.length - 1) >> 1]!;
}

/** Only the best trials can enter the ensemble, and the baseline: the others keep their report and give their memory back. */
function forgetWeakest(trials: readonly Trial[], keptCount = keptTrials): void {
  const holding = trials
    .filter((trial) => trial.models.length > 0 && trial.report.learner !== 'baseline')
    .sort((a, b) => b.utility - a.utility);
  for (const trial of holding.slice(keptCount)) {
    trial.models = [];
    trial.predictions = new Float64Array(0);
  }
}

async function chooseEnsemble(
  run: Run,
  prepared: Prepared,
  trials: readonly Trial[],
  latency: LatencyLimit | undefined,
): Promise<EnsembleChoice[]> {
  const usable = trials.filter((trial) => trial.models.length > 0);
  if (usable.length === 0) {
    const reasons = new Set(
      trials.map((trial) => trial.report.problem?.detail).filter((detail) => detail !== undefined),
    );
    throw new Problem('training-failed', `No trial finished. ${[...reasons].slice(0, 3).join(' ')}`.trim());
  }
  const { clock } = run.input;
  // Of the time that training left over, at most a third may go into choosing.
  const nowMs = clock.monotonicMs();
  const deadlineMs = run.endMs === undefined ? Infinity : nowMs + (run.endMs - nowMs) / 3;
  const goOn = async (): Promise<boolean> => {
    await run.pause();
    return clock.monotonicMs() < deadlineMs;
  };
  return selectEnsemble(prepared, usable, goOn, latency && { most: latency.modelsMs, costOf: rowMs });
}

/** Asked for, or because for a quick answer one model of each must do: then one that has seen all rows. */
function isCompact({ recipe, folds }: Prepared, choices: readonly EnsembleChoice[]): boolean {
  return (
    recipe.compact === true || (folds.length > 1 && choices.every(({ trial }) => trial.models.length === 1))
  );
}

/** The baseline has nothing to gain. */
async function fitChosen(
  { endMs }: Run,
  context: FitContext,
  choices: readonly EnsembleChoice[],
): Promise<string[]> {
  const chosen = choices.map(({ trial }) => trial).filter((trial) => trial.report.learner !== 'baseline');
  const nowMs = context.clock.monotonicMs();
  return fitCompactModels(
    {
      ...context,
      ...(endMs !== undefined && { deadlineMs: nowMs + (endMs - nowMs) * mostShareOfFitting }),
    },
    chosen,
  );
}

function leaderboardOf(trials: readonly Trial[]): TrialReport[] {
  return [...trials].sort((a, b) => b.utility - a.utility).map((trial) => trial.report);
}
