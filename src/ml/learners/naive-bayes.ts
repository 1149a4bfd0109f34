// Naive Bayes (Hastie, Tibshirani & Friedman, "The Elements of Statistical Learning", section 6.6.3): columns are taken as
// independent within a class. Numbers are Gaussian; categories are counted, with a pseudo-count; the weights of
// words are counted as in a multinomial, the heaviest as one word. One pass over the rows. Its probabilities are too sure of themselves where columns say
// the same thing twice; calibration of the ensemble makes up for it.
import { concatenate } from '../../base/numbers.ts';
import { heaviestTerm } from '../frame/text-features.ts';
import { log } from '../model/arithmetic.ts';
import { standardise } from '../model/linear.ts';
import type { NaiveBayesModel } from '../model/naive-bayes.ts';
import {
  checkAbilities,
  completeHyperparameters,
  numberSetting,
  type Learner,
  type LearnerSpec,
  type TrainedModel,
  type TrainingInput,
} from './learner.ts';
import { momentsOf } from './linear-design.ts';

const spec: LearnerSpec = {
  name: 'naive-bayes',
  label: 'Naive Bayes',
  plainWords:
    'Looks at each column on its own: how likely is this value in each class? Very fast, good with few rows and with words of texts; it cannot see that columns repeat each other.',
  tasks: ['binary', 'multiclass'],
  hyperparameters: [
    {
      name: 'smoothing',
      label: 'Smoothing of numbers',
      plainWords: "Share of a column's variance that is added to its variance in each class.",
      type: 'number',
      default: 0.001,
      min: 1e-9,
      max: 10,
      scale: 'log',
      search: { min: 1e-4, max: 1 },
    },
    {
      name: 'pseudoCount',
      label: 'Pseudo-count',
      plainWords:
        'Rows that every category and word is taken to have been seen in, beside those that it was.',
      type: 'number',
      default: 1,
      min: 0.001,
      max: 1000,
      scale: 'log',
      search: { min: 0.05, max: 20 },
    },
  ],
  abilities: {
    missingValues: true,
    categories: true,
    weights: true,
    earlyStopping: false,
    constraints: false,
  },
};

export const naiveBayes: Learner = { spec, train: trainNaiveBayes };

async function trainNaiveBayes(input: TrainingInput): Promise<TrainedModel> {
  checkAbilities(spec, input);
  const settings = completeHyperparameters(spec, input.hyperparameters);
  await input.control.pause();
  const classes = classesOf(input);
  const terms: Terms = { numbers: [], counts: [], categories: [] };
  for (let feature = 0; feature < input.table.features.length; feature++) {
    addTerm(terms, classes, feature, {
      input,
      smoothing: numberSetting(settings, 'smoothing'),
      pseudoCount: numberSetting(settings, 'pseudoCount'),
    });
    await input.control.pause();
  }
  finishCounts(terms, classes, numberSetting(settings, 'pseudoCount'));
  return { model: asModel(terms, classes), iterationCount: 1, curve: [], endedBy: 'iterations' };
}

interface Classes {
  count: number;
  /** Weight of the rows of each class. */
  weights: Float64Array;
  weightOf: (row: number) => number;
}

/** Values are class-minor. */
interface Terms {
  numbers: {
    feature: number;
    centre: number;
    inverseSpread: number;
    means: Float64Array;
    variances: Float64Array;
  }[];
  counts: { feature: number; sums: Float64Array }[];
  categories: { feature: number; levelCount: number; weights: Float64Array }[];
}

function classesOf({ rows, target, weights, classCount }: TrainingInput): Classes {
  const weightOf = (row: number): number => (weights ? weights[row]! : 1);
  const sums = new Float64Array(classCount);
  for (const row of rows) sums[target[row]!]! += weightOf(row);
  return { count: classCount, weights: sums, weightOf };
}

function addTerm(
  terms: Terms,
  classes: Classes,
  feature: number,
  { input, smoothing, pseudoCount }: { input: TrainingInput; smoothing: number; pseudoCount: number },
): void {
  const column = input.table.columns[feature]!;
  const { kind, levelCount } = input.table.features[feature]!;
  if (kind === 'category') {
    const weights = levelLogarithms(column, levelCount + 1, classes, { input, pseudoCount });
    terms.categories.push({ feature, levelCount: levelCount + 1, weights });
  } else if (column instanceof Uint8Array) {
    const sums = new Float64Array(classes.count);
    for (const row of input.rows)
      sums[input.target[row]!]! += (classes.weightOf(row) * column[row]!) / heaviestTerm;
    terms.counts.push({ feature, sums });
  } else {
    const { centre, spread } = momentsOf(column, input.rows);
    if (spread === 0) return;
    const inverseSpread = 1 / spread;
    const moments = classMoments(column, classes, { input, centre, inverseSpread, smoothing });
    terms.numbers.push({ feature, centre, inverseSpread, ...moments });
  }
}

/** Weighted mean and smoothed variance in each class, standardised; those of the column where a class has no value. */
function classMoments(
  column: ArrayLike<number>,
  classes: Classes,
  {
    input: { rows, target },
    centre,
    inverseSpread,
    smoothing,
  }: { input: TrainingInput; centre: number; inverseSpread: number; smoothing: number },
): { means: Float64Array; variances: Float64Array } {
  const means = new Float64Array(classes.count);
  const variances = new Float64Array(classes.count);
  const present = new Float64Array(classes.count);
  const scaledAt = (row: number): number => standardise(column[row]!, centre, inverseSpread);
  const hasValue = (row: number): boolean => column[row] === column[row];
  for (const row of rows) {
    if (!hasValue(row)) continue;
    present[target[row]!]! += classes.weightOf(row);
    means[target[row]!]! += classes.weightOf(row) * scaledAt(row);
  }
  for (let k = 0; k < classes.count; k++) if (present[k]! > 0) means[k]! /= present[k]!;
  for (const row of rows) {
    if (!hasValue(row)) continue;
    const distance = scaledAt(row) - means[target[row]!]!;
    variances[target[row]!]! += classes.weightOf(row) * distance * distance;
  }
  for (let k = 0; k < classes.count; k++)
    variances[k] = smoothing + (present[k]! > 0 ? variances[k]! / present[k]! : 1);
  return { means, variances };
}

/** Logarithms of the smoothed shares of the levels in each class; a level that no row has says nothing. */
function levelLogarithms(
  column: ArrayLike<number>,
  levelCount: number,
  classes: Classes,
  { input: { rows, target }, pseudoCount }: { input: TrainingInput; pseudoCount: number },
): Float64Array {
  const sums = new Float64Array(levelCount * classes.count);
  const isSeen = new Uint8Array(levelCount);
  for (const row of rows) {
    const level = column[row] === column[row] ? column[row]! : levelCount - 1;
    sums[level * classes.count + target[row]!]! += classes.weightOf(row);
    isSeen[level] = 1;
  }
  const seenCount = isSeen.reduce((sum, one) => sum + one, 0);
  return sums.map((sum, index) =>
    isSeen[Math.floor(index / classes.count)]
      ? log((sum + pseudoCount) / (classes.weights[index % classes.count]! + pseudoCount * seenCount))
      : 0,
  );
}

/** From summed weights to logarithms of their shares among those of their class, for each unit of weight. */
function finishCounts(terms: Terms, classes: Classes, pseudoCount: number): void {
  const totals = new Float64Array(classes.count).fill(pseudoCount * terms.counts.length);
  for (const { sums } of terms.counts) sums.forEach((sum, k) => (totals[k]! += sum));
  for (const term of terms.counts)
    term.sums = term.sums.map((sum, k) => log((sum + pseudoCount) / totals[k]!) / heaviestTerm);
}

function asModel({ numbers, counts, categories }: Terms, classes: Classes): NaiveBayesModel {
  const total = classes.weights.reduce((sum, weight) => sum + weight, 0);
  const levelOffsets = new Int32Array(categories.length + 1);
  categories.forEach(({ levelCount }, term) => (levelOffsets[term + 1] = levelOffsets[term]! + levelCount));
  const variances = concatenate(
    Float64Array,
    numbers.map((term) => term.variances),
  );
  return {
    kind: 'naive-bayes',
    link: 'softmax',
    // One row more of each class, so that none is impossible.
    base: classes.weights.map((weight) => log((weight + 1) / (total + classes.count))),
    numberFeature: Uint16Array.from(numbers, (term) => term.feature),
    centre: Float64Array.from(numbers, (term) => term.centre),
    inverseSpread: Float64Array.from(numbers, (term) => term.inverseSpread),
    means: concatenate(
      Float64Array,
      numbers.map((term) => term.means),
    ),
    halfPrecisions: variances.map((variance) => 0.5 / variance),
    heights: variances.map((variance) => -0.5 * log(variance)),
    countFeature: Uint16Array.from(counts, (term) => term.feature),
    countWeights: concatenate(
      Float64Array,
      counts.map((term) => term.sums),
    ),
    categoryFeature: Uint16Array.from(categories, (term) => term.feature),
    levelOffsets,
    levelWeights: concatenate(
      Float64Array,
      categories.map((term) => term.weights),
    ),
  };
}
