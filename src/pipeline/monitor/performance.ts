// How good the answers of a window were, from outcomes that came later; and how good they should be by what the model says
// of itself, which needs no outcome: of calibrated probabilities, the mean of those of the predicted classes is the
// expected accuracy (Guo, Pleiss, Sun, Weinberger, "On calibration of modern neural networks", 2017).
import type { z } from 'zod';
import { seededRandom } from '../../base/random.ts';
import type { reportDetails } from '../../contract/monitor.ts';
import type { ColumnSketch } from '../../ml/drift/column-sketch.ts';
import type { Task } from '../../ml/frame/schema.ts';
import { metricFor, type Metric, type Scored } from '../../ml/metrics/metrics.ts';
import { joined, sql, type DataEngine, type Sql } from '../../platform/ports/data-engine.ts';
import { logTable } from '../predict/log/layout.ts';
import { answerNames } from './asked-model.ts';
import { findSlices } from './slices.ts';
import { inTime, loggedColumns, type LogWindow, type WatchedColumn } from './watched.ts';

type Details = z.output<typeof reportDetails>;
type Performance = NonNullable<Details['performance']>;
type Estimate = Performance['score'];

/** What is known of the model whose answers are judged. */
export interface JudgedModel {
  task: Task;
  classes: string[] | null;
  positiveClass: string | null;
  metric: string;
  /** On the rows that were held out. */
  trainedScore: number | null;
}

/** With fewer outcomes nothing is said. */
const leastOutcomes = 30;
/** The metric is computed on the newest outcomes, so many times with others drawn from among them. */
const mostOutcomes = 10_000;
const draws = 100;
/** Metrics look at the probabilities of so many classes at most; of more, at the predicted one. */
const mostClasses = 100;
/** Of intervals and sets of likely classes, by construction of the model file. */
const promisedCoverage = 0.9;
/** Of a normal distribution, 95 %. */
const standardErrors = 1.96;

/** @param now the sketches of the answers of the window */
export async function judge(
  engine: DataEngine,
  {
    model,
    watched,
    window,
    now,
  }: {
    model: JudgedModel;
    watched: readonly WatchedColumn[];
    window: LogWindow;
    now: ReadonlyMap<string, ColumnSketch>;
  },
): Promise<Pick<Details, 'expectedAccuracy' | 'performance' | 'coverage'>> {
  const expectedAccuracy = expectedOf(now.get(answerNames.confidence));
  const nothing = { expectedAccuracy, performance: null, coverage: null };
  if (model.task === 'ranking' || window.files.length === 0 || window.outcomePaths.length === 0)
    return nothing;
  const columns = loggedColumns(watched, window);
  const values = columns.map(({ value }, index) => sql`${value} AS ${placeOf(index)}`);
  const log = logTable({ predictions: window.files.map(({ path }) => path), outcomes: window.outcomePaths });
  const known = model.classes ? sql`actual IS NOT NULL` : sql`actual_number IS NOT NULL`;
  await engine.run(
    sql`CREATE TEMP TABLE judged AS SELECT ${joined([
      sql`prediction_id, prediction, prediction_number, probabilities, likely_classes, lower, upper, actual, actual_number`,
      sql`${errorOf(model)} AS error`,
      ...values,
    ])} FROM (${log}) WHERE ${inTime(window.fromMs, window.toMs)} AND ${known}`,
  );
  const [[outcomeCount, meanError, spread] = [0, 0, 0]] = (await engine.rows(
    sql`SELECT count(*), coalesce(avg(error), 0), coalesce(stddev_samp(error), 0) FROM judged`,
  )) as number[][];
  if (!outcomeCount || outcomeCount < leastOutcomes) return nothing;
  const score = await scoreOf(engine, model);
  return {
    expectedAccuracy,
    performance: {
      outcomeCount,
      ...score,
      errorMeasure: model.classes ? 'mistakes' : 'distance',
      error: model.classes
        ? shareOf(meanError!, outcomeCount)
        : around(meanError!, spread! / Math.sqrt(outcomeCount)),
      slices: await findSlices(engine, {
        columns: columns.map(({ kind, name }, index) => ({ name, kind, value: placeOf(index) })),
        all: { count: outcomeCount, mean: meanError! },
      }),
    },
    coverage: await coverageOf(engine, model),
  };
}

/** How many answers are right if probabilities are what they say; null for numbers. */
function expectedOf(confidence: ColumnSketch | undefined): Estimate | null {
  if (confidence?.kind !== 'number') return null;
  const { count, mean, squares } = confidence.spread.moments;
  if (count === 0) return null;
  // The mean of p (1 - p), of which the number of right answers has its variance.
  const variance = Math.max(0, mean - mean ** 2 - squares / count);
  const { value, lower, upper } = around(mean, Math.sqrt(variance / count));
  return { value, lower: Math.max(0, lower), upper: Math.min(1, upper) };
}

function errorOf({ classes }: JudgedModel): Sql {
  return classes
    ? sql`CAST(prediction IS DISTINCT FROM actual AS DOUBLE)`
    : sql`abs(prediction_number - actual_number)`;
}

/** The model's metric with an interval by drawing outcomes with replacement (the percentile bootstrap; Efron, 1979). */
async function scoreOf(
  engine: DataEngine,
  model: JudgedModel,
): Promise<Pick<Performance, 'metric' | 'greaterIsBetter' | 'score' | 'trainedScore'>> {
  const scored = await readScored(engine, model);
  const wanted = metricFor(model.metric, model.task);
  // Costs of decisions are not in the log, and some measures need every class to occur.
  const isDefined = Number.isFinite(wanted.compute(scored));
  const metric = isDefined ? wanted : metricFor(model.classes ? 'accuracy' : 'rmse', model.task);
  const { name, greaterIsBetter } = metric;
  const trainedScore = isDefined ? model.trainedScore : null;
  return { metric: name, greaterIsBetter, score: bootstrapped(scored, metric), trainedScore };
}

function bootstrapped(scored: Scored, metric: Metric): Estimate {
  const value = metric.compute(scored);
  const random = seededRandom(1);
  const rowCount = scored.actual.length;
  const found: number[] = [];
  for (let draw = 0; draw < draws; draw++) {
    const rows = Int32Array.from({ length: rowCount }, () => random.below(rowCount));
    const other = metric.compute(rowsOf(scored, rows));
    if (Number.isFinite(other)) found.push(other);
  }
  found.sort((a, b) => a - b);
  const at = (share: number): number => found[Math.round(share * (found.length - 1))] ?? value;
  return { value, lower: Math.min(value, at(0.025)), upper: Math.max(value, at(0.975)) };
}

function rowsOf(scored: Scored, rows: Int32Array): Scored {
  const { classCount, probabilities } = scored;
  const picked = new Float64Array(probabilities.length === 0 ? 0 : rows.length * classCount);
  if (picked.length > 0)
    for (const [place, row] of rows.entries())
      picked.set(probabilities.subarray(row * classCount, (row + 1) * classCount), place * classCount);
  return {
    ...scored,
    actual: Float64Array.from(rows, (row) => scored.actual[row]!),
    predicted: Float64Array.from(rows, (row) => scored.predicted[row]!),
    probabilities: picked,
  };
}

async function readScored(engine: DataEngine, model: JudgedModel): Promise<Scored> {
  const { task, classes, positiveClass } = model;
  const names = classes ?? [];
  const classCount = names.length <= mostClasses ? names.length : 0;
  const wanted = classes
    ? [
        sql`CAST(list_position(${names}, actual) - 1 AS DOUBLE)`,
        sql`CAST(coalesce(list_position(${names}, prediction), 1) - 1 AS DOUBLE)`,
        ...names.slice(0, classCount).map((name) => sql`coalesce(map_extract(probabilities, ${name})[1], 0)`),
      ]
    : [sql`actual_number`, sql`coalesce(prediction_number, CAST('nan' AS DOUBLE))`];
  // Outcomes that are no class of the model are mistakes, but no measure of probabilities has a place for them.
  const known = classes ? sql`list_contains(${names}, actual)` : sql`true`;
  const columns: number[][] = wanted.map(() => []);
  for await (const batch of engine.numbers(
    sql`SELECT ${joined(wanted)} FROM judged WHERE ${known} ORDER BY prediction_id DESC LIMIT ${mostOutcomes}`,
  ))
    for (const [index, values] of batch.entries()) columns[index]!.push(...values);
  const [actual = [], predicted = [], ...ofClasses] = columns;
  const probabilities = new Float64Array(actual.length * classCount);
  for (const [index, values] of ofClasses.entries())
    for (const [row, value] of values.entries()) probabilities[row * classCount + index] = value;
  return {
    task,
    actual: Float64Array.from(actual),
    predicted: Float64Array.from(predicted),
    probabilities,
    classCount: names.length,
    positiveClass: Math.max(0, names.indexOf(positiveClass ?? names.at(-1) ?? '')),
  };
}

async function coverageOf(engine: DataEngine, { classes }: JudgedModel): Promise<Details['coverage']> {
  const [held, stated] = classes
    ? [sql`list_contains(likely_classes, actual)`, sql`len(likely_classes) > 0`]
    : [sql`actual_number BETWEEN lower AND upper`, sql`lower IS NOT NULL`];
  const [[outcomeCount, share] = [0, 0]] = (await engine.rows(
    sql`SELECT count(*), coalesce(avg(CAST(${held} AS DOUBLE)), 0) FROM judged WHERE ${stated}`,
  )) as number[][];
  if (!outcomeCount || outcomeCount < leastOutcomes) return null;
  return { ...shareOf(share!, outcomeCount), promised: promisedCoverage, outcomeCount };
}

/** A share of so many rows with its interval (Wilson, 1927). */
export function shareOf(value: number, count: number): Estimate {
  const squared = standardErrors ** 2;
  const middle = (value + squared / (2 * count)) / (1 + squared / count);
  const half =
    (standardErrors / (1 + squared / count)) *
    Math.sqrt((value * (1 - value)) / count + squared / (4 * count ** 2));
  return { value, lower: Math.max(0, middle - half), upper: Math.min(1, middle + half) };
}

function around(value: number, standardError: number): Estimate {
  const half = standardErrors * standardError;
  return { value, lower: value - half, upper: value + half };
}

function placeOf(index: number): Sql {
  return sql`value_${index}`;
}
