// How good a model is on rows that it never saw: numbers, curves and examples as JSON, bounded in size, for pages,
// model cards and the command line.
import type { JsonObject } from '../../base/json.ts';
import { hasClasses, type Task } from '../frame/schema.ts';
import { intervalOf, type IntervalTable } from '../model/intervals.ts';
import type { ModelManifest } from '../model/manifest.ts';
import type { Calibration } from '../model/calibration.ts';
import { setOf, type PredictionSets } from '../model/sets.ts';
import { calibrationError } from './calibration-error.ts';
import { confusionCounts, rankingOf } from './classification.ts';
import { allMetrics, type Scored } from './metrics.ts';
import { moneyReport, type MoneyReport } from './money.ts';
import { precisionRecallCurve, rankBy, rocCurve } from './ranking.ts';

export interface Evaluation {
  task: Task;
  rowCount: number;
  metrics: Record<string, number>;
  /** Binary: the class that the curves are about. */
  positiveClass?: string;
  /** `counts[actual][predicted]` */
  confusionMatrix?: { classes: string[]; counts: number[][] };
  rocCurve?: { falsePositiveRate: number; truePositiveRate: number; threshold: number }[];
  precisionRecallCurve?: { recall: number; precision: number; threshold: number }[];
  /** Rows in ten bands of predicted probability: what was said, and what happened. */
  calibration?: { meanPredicted: number; observedRate: number; rowCount: number }[];
  /** Expected calibration error of the probabilities as the members gave them and as the model gives them. */
  calibrationError?: { before: number; after: number; method: CalibrationMethod };
  /** Sets of likely classes: the share of truths that they are meant to hold and do hold, and how large they are. */
  sets?: { coverage: number; held: number; meanSize: number; oneClassShare: number };
  /** What decisions cost, where that is known. */
  money?: MoneyReport;
  residuals?: { actual: number; predicted: number }[];
  residualHistogram?: { edges: number[]; counts: number[] };
  /** Share of truths inside their intervals. */
  intervalCoverage?: number;
  samples: EvaluationSample[];
}

export interface EvaluationSample {
  input: JsonObject;
  actual: string | number;
  prediction: string | number;
  /** Probability of the predicted class. */
  probability?: number;
}

export type CalibrationMethod = 'none' | 'temperature' | 'platt' | 'isotonic';

const mostSamples = 20;
const mostResiduals = 500;
const histogramBins = 30;
const mostConfusionClasses = 50;

/** Evaluates predictions; `inputOf` gives the input of a row as JSON. */
export function evaluate(input: {
  scored: Scored;
  classes: readonly string[];
  intervals?: IntervalTable | undefined;
  /** How the model decides between classes, and what was fitted to its probabilities. */
  decision?: Pick<ModelManifest, 'decisionWeights' | 'costs' | 'sets' | 'calibration'>;
  /** The error of the probabilities before they were calibrated. */
  errorBefore?: number | undefined;
  inputOf: (row: number) => JsonObject;
}): Evaluation {
  const { scored, classes, decision, errorBefore } = input;
  const rowCount = scored.actual.length;
  const common = { task: scored.task, rowCount, metrics: allMetrics(scored) };
  const samples = spread(rowCount, mostSamples).map((row) =>
    sampleAt(scored, classes, row, input.inputOf(row)),
  );
  if (scored.task === 'regression') return { ...common, ...numberReport(scored, input.intervals), samples };
  // The scores of a ranking are not near the truth: there is no residual.
  if (scored.task === 'ranking') return { ...common, samples };
  const money = decision?.costs && moneyReport({ scored, classes, ...decision, costs: decision.costs });
  return {
    ...common,
    ...classReport(scored, classes),
    ...(decision &&
      errorBefore !== undefined && {
        calibrationError: {
          before: errorBefore,
          after: calibrationError(scored),
          method: methodOf(decision.calibration),
        },
      }),
    ...(decision?.sets && { sets: setReport(scored, decision.sets) }),
    ...(money && { money }),
    samples,
  };
}

function methodOf(calibration: Calibration): CalibrationMethod {
  if (calibration.kind !== 'scaling') return calibration.kind;
  return calibration.offsets.some((offset) => offset !== 0) ? 'platt' : 'temperature';
}

function setReport(
  { actual, probabilities, classCount }: Scored,
  sets: PredictionSets,
): NonNullable<Evaluation['sets']> {
  let held = 0;
  let size = 0;
  let single = 0;
  for (let row = 0; row < actual.length; row++) {
    const likely = setOf(sets, probabilities.subarray(row * classCount, (row + 1) * classCount));
    held += Number(likely.includes(actual[row]!));
    size += likely.length;
    single += Number(likely.length === 1);
  }
  const { length } = actual;
  return {
    coverage: sets.coverage,
    held: held / length,
    meanSize: size / length,
    oneClassShare: single / length,
  };
}

function sampleAt(
  { task, actual, predicted, probabilities, classCount }: Scored,
  classes: readonly string[],
  row: number,
  input: JsonObject,
): EvaluationSample {
  if (!hasClasses(task)) return { input, actual: actual[row]!, prediction: predicted[row]! };
  const probability = probabilities[row * classCount + predicted[row]!]!;
  return { input, actual: classes[actual[row]!]!, prediction: classes[predicted[row]!]!, probability };
}

function classReport(scored: Scored, classes: readonly string[]): Partial<Evaluation> {
  const { classCount } = scored;
  const counts = confusionCounts(scored);
  const report: Partial<Evaluation> = {};
  if (classCount <= mostConfusionClasses) {
    report.confusionMatrix = {
      classes: [...classes],
      counts: classes.map((_, index) =>
        Array.from(counts.subarray(index * classCount, (index + 1) * classCount)),
      ),
    };
  }
  if (scored.task === 'binary') {
    report.positiveClass = classes[scored.positiveClass]!;
    const ranking = rankBy(rankingOf(scored, scored.positiveClass));
    report.rocCurve = rocCurve(ranking);
    report.precisionRecallCurve = precisionRecallCurve(ranking);
  }
  report.calibration = calibrationBands(scored);
  return report;
}

/** Binary: the positive class. More classes: the predicted class, and whether it was right. */
function calibrationBands({
  task,
  actual,
  predicted,
  probabilities,
  classCount,
  positiveClass,
}: Scored): NonNullable<Evaluation['calibration']> {
  const bands = Array.from({ length: 10 }, () => ({ sum: 0, hits: 0, rowCount: 0 }));
  for (let row = 0; row < actual.length; row++) {
    const index = task === 'binary' ? positiveClass : predicted[row]!;
    const probability = probabilities[row * classCount + index]!;
    const band = bands[Math.min(9, Math.floor(probability * 10))]!;
    band.sum += probability;
    band.hits += actual[row] === index ? 1 : 0;
    band.rowCount++;
  }
  return bands
    .filter((band) => band.rowCount > 0)
    .map(({ sum, hits, rowCount }) => ({
      meanPredicted: sum / rowCount,
      observedRate: hits / rowCount,
      rowCount,
    }));
}

function numberReport(
  { actual, predicted }: Scored,
  intervals: IntervalTable | undefined,
): Partial<Evaluation> {
  const residuals = actual.map((value, row) => value - predicted[row]!);
  const report: Partial<Evaluation> = {
    residuals: spread(actual.length, mostResiduals).map((row) => ({
      actual: actual[row]!,
      predicted: predicted[row]!,
    })),
    residualHistogram: histogramOf(residuals),
  };
  if (intervals) {
    let inside = 0;
    for (let row = 0; row < actual.length; row++) {
      const { lower, upper } = intervalOf(intervals, predicted[row]!);
      if (actual[row]! >= lower && actual[row]! <= upper) inside++;
    }
    report.intervalCoverage = inside / actual.length;
  }
  return report;
}

function histogramOf(values: Float64Array): { edges: number[]; counts: number[] } {
  const lowest = values.reduce((a, b) => Math.min(a, b), Infinity);
  const highest = values.reduce((a, b) => Math.max(a, b), -Infinity);
  if (!(highest > lowest)) return { edges: [lowest, highest], counts: [values.length] };
  const width = (highest - lowest) / histogramBins;
  const counts = Array.from({ length: histogramBins }, () => 0);
  for (const value of values) counts[Math.min(histogramBins - 1, Math.floor((value - lowest) / width))]!++;
  return { edges: Array.from({ length: histogramBins + 1 }, (_, index) => lowest + index * width), counts };
}

/** At most `maximum` rows, evenly spaced. */
function spread(rowCount: number, maximum: number): number[] {
  const count = Math.min(rowCount, maximum);
  return Array.from({ length: count }, (_, index) => Math.floor(((index + 0.5) * rowCount) / count));
}
