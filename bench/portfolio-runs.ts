// Runs candidates over tables for bench/portfolio.ts as the search would (prepare, folds, fold models averaged on a locked
// holdout) and keeps what each predicted in a file for each table, so that a run can be stopped and continued.
import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { seededRandom } from '../src/base/random.ts';
import type { Clock } from '../src/base/time.ts';
import { pauseBy, type Hyperparameters, type LearnedTask, type Learner } from '../src/ml/learners/learner.ts';
import { learnerNamed } from '../src/ml/learners/learners.ts';
import { utilityOf } from '../src/ml/metrics/metrics.ts';
import { outputCountOf } from '../src/ml/model/row-model.ts';
import { otherLosses } from '../src/ml/search/losses.ts';
import { portfolio } from '../src/ml/search/portfolio.ts';
import { prepare, type Prepared, type Truth } from '../src/ml/search/prepare.ts';
import { drawHyperparameters } from '../src/ml/search/proposals.ts';
import { openFitContext } from '../src/ml/search/fit-crew.ts';
import { predictTable } from '../src/ml/search/fit.ts';
import { metricOf, runTrial, truthOf, validationRows } from '../src/ml/search/trial.ts';
import type { Table } from './portfolio-tables.ts';

export interface Setting {
  name: string;
  learner: string;
  hyperparameters: Hyperparameters;
}

/** What one candidate did on one table. */
export interface Run {
  /** Processor time for all folds. */
  seconds: number;
  outOfFold: Float64Array;
  holdout: Float64Array;
}

/** How well predictions answer a table; more is better. */
export interface Judge {
  outOfFold: (predictions: Float64Array) => number;
  holdout: (predictions: Float64Array) => number;
}

/** The order that the search has, made by hand. */
export const handMade: readonly Setting[] = portfolio.map(({ label, learner, hyperparameters }) => ({
  name: label,
  learner,
  hyperparameters,
}));

/** Draws of each learner's search space beside its defaults. */
const draws: Readonly<Record<string, number>> = {
  'boosted-trees': 15,
  'categorical-boosting': 4,
  'extra-trees': 2,
  'random-forest': 2,
  linear: 4,
  neighbours: 3,
  network: 1,
  'naive-bayes': 0,
};
const foldCount = 3;
const holdoutShare = 0.4;
/** Orders are compared some hundred thousand times: by so many rows. */
const mostJudgedRows = 600;
/** Processor time after which a fold keeps what it has. */
const mostSecondsPerTrial = 2.5;

/** Time by what this process computed: a busy machine changes nothing. */
const processorClock: Clock = {
  nowMs: () => 0,
  monotonicMs: () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1000;
  },
};

/** Defaults and seeded draws of all learners. */
export function drawnSettings(): Setting[] {
  const random = seededRandom(20_261_123);
  const drawn = Object.entries(draws).flatMap(([name, count]) => {
    const learner: Learner = learnerNamed(name);
    const own = Array.from({ length: count }, (_, index) => ({
      name: `${name} ${index + 1}`,
      learner: name,
      hyperparameters: drawHyperparameters(learner, random),
    }));
    return [{ name: `${name} default`, learner: name, hyperparameters: {} }, ...own];
  });
  const withPoisson = ['boosted-trees', 'categorical-boosting', 'linear'].map((learner) => ({
    name: `${learner} poisson`,
    learner,
    hyperparameters: { loss: 'poisson' },
  }));
  return [...drawn, ...withPoisson];
}

export function prepareTable(table: Table): Prepared {
  return prepare(table.load(), {
    target: table.target,
    task: table.task,
    metric: 'auto',
    budget: { trials: 1 },
    seed: 1,
    folds: foldCount,
    holdoutShare,
  });
}

export function judgeOf(prepared: Prepared): Judge {
  const { metric, training, holdout, target } = prepared;
  const width = outputCountOf(target.task as LearnedTask, target.classes.length);
  const judge = (truth: Truth, rowCount: number): ((predictions: Float64Array) => number) => {
    const step = Math.ceil(rowCount / mostJudgedRows);
    const rows = Int32Array.from({ length: Math.floor(rowCount / step) }, (_, index) => index * step);
    const some = truthOf(truth, rows);
    return (predictions) => {
      const part = new Float64Array(rows.length * width);
      rows.forEach((row, index) =>
        part.set(predictions.subarray(row * width, (row + 1) * width), index * width),
      );
      return utilityOf(metric, metricOf(prepared, some, part));
    };
  };
  const rows = validationRows(prepared);
  return {
    outOfFold: judge(truthOf(training, rows), rows.length),
    holdout: judge(holdout, holdout.actual.length),
  };
}

/** Runs what is not yet in `cache`; stops between two runs when `mostSeconds` of processor time are used. */
export async function runAll(
  tables: readonly Table[],
  settings: readonly Setting[],
  { cache, mostSeconds }: { cache: string; mostSeconds: number },
): Promise<void> {
  mkdirSync(cache, { recursive: true });
  for (const table of tables) {
    const known = readRuns(table, cache);
    const missing = settings.filter(({ name }) => !known.has(name));
    if (missing.length === 0) continue;
    const prepared = prepareTable(table);
    for (const setting of missing) {
      if (processorClock.monotonicMs() / 1000 > mostSeconds) return;
      const run = await runOne(prepared, setting);
      const line = run && {
        seconds: run.seconds,
        outOfFold: textOf(run.outOfFold),
        holdout: textOf(run.holdout),
      };
      appendFileSync(fileFor(table, cache), `${JSON.stringify({ name: setting.name, run: line ?? null })}\n`);
    }
    console.log(
      `${table.name}: ${missing.length} runs, ${Math.round(processorClock.monotonicMs() / 1000)} s`,
    );
  }
}

async function runOne(prepared: Prepared, setting: Setting): Promise<Run | undefined> {
  const { tasks } = learnerNamed(setting.learner).spec;
  const { task, classes } = prepared.target;
  const { loss } = setting.hyperparameters;
  if (task === 'ranking' || !tasks.includes(task)) return undefined;
  if (loss !== undefined && !otherLosses(prepared.target, prepared.metric).includes(String(loss)))
    return undefined;
  const clock = processorClock;
  const startMs = clock.monotonicMs();
  const pause = pauseBy(clock);
  const trial = await runTrial(
    {
      ...openFitContext({ prepared, clock, pause }),
      emit: () => undefined,
      deadlineMs: startMs + mostSecondsPerTrial * 1000,
      leastFirstFoldUtility: -Infinity,
    },
    { ...setting, label: setting.name, timeShare: 1, isExploring: false },
    1,
    1,
  );
  const seconds = (clock.monotonicMs() - startMs) / 1000;
  if (trial.report.state !== 'finished') return undefined;
  const { holdout } = prepared;
  const outputCount = outputCountOf(task, classes.length);
  const rows = Int32Array.from(holdout.actual, (_, row) => row);
  const mean = new Float64Array(rows.length * outputCount);
  for (const model of trial.models) {
    const source = { table: holdout.table, rows, outputCount };
    const { predictions } = await predictTable(model, source, { clock, pause });
    predictions.forEach((value, index) => (mean[index]! += value / trial.models.length));
  }
  return { seconds, outOfFold: trial.predictions, holdout: mean };
}

/** What is known of a table, by name of the setting; undefined where a setting does not fit or failed. */
export function readRuns(table: Table, cache: string): Map<string, Run | undefined> {
  const file = fileFor(table, cache);
  if (!existsSync(file)) return new Map();
  const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean);
  return new Map(
    lines.map((line): [string, Run | undefined] => {
      const { name, run } = JSON.parse(line) as {
        name: string;
        run: { seconds: number; outOfFold: string; holdout: string } | null;
      };
      return [
        name,
        run
          ? { seconds: run.seconds, outOfFold: valuesOf(run.outOfFold), holdout: valuesOf(run.holdout) }
          : undefined,
      ];
    }),
  );
}

function fileFor({ name }: Table, cache: string): string {
  return join(cache, `${name.replaceAll(/[^a-zA-Z0-9]+/g, '-')}.jsonl`);
}

function textOf(values: Float64Array): string {
  const floats = Float32Array.from(values);
  return Buffer.from(floats.buffer).toString('base64');
}

function valuesOf(text: string): Float64Array {
  const bytes = Buffer.from(text, 'base64');
  return Float64Array.from(new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4));
}
