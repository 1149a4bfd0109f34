// Nearest neighbours (Cover & Hart 1967): learning is choosing which rows to hold and how to measure their distance. Each
// number counts once it is standardised; a category that differs counts as much as two numbers do that are drawn at random, so
// that all columns have an equal say. Words of texts have none. Rows beyond a cap are drawn at random, which is told.
import { seededRandom, shuffle } from '../../base/random.ts';
import { copyFeatureRow } from '../frame/encoding.ts';
import {
  queryFor,
  weightings,
  writeTerms,
  type NeighboursModel,
  type Weighting,
} from '../model/neighbours.ts';
import type { ConstantModel } from '../model/row-model.ts';
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
  name: 'neighbours',
  label: 'Nearest neighbours',
  plainWords:
    'Finds the most similar rows and answers as they do. Good where alike rows have alike answers and columns are few; it looks at the lengths of texts, not at their words.',
  tasks: ['binary', 'multiclass', 'regression'],
  hyperparameters: [
    {
      name: 'neighbours',
      label: 'Neighbours',
      plainWords: 'How many similar rows are asked: few follow details, many are steady.',
      type: 'integer',
      default: 15,
      min: 1,
      max: 1000,
      scale: 'log',
      search: { min: 3, max: 100 },
    },
    {
      name: 'weighting',
      label: 'Weights',
      plainWords: 'Whether neighbours count the same (uniform), or nearer ones more (distance).',
      type: 'choice',
      choices: weightings,
      default: 'distance',
      search: { choices: weightings },
    },
    {
      name: 'rows',
      label: 'Most rows held',
      plainWords: 'The model holds its rows. Of more than these, so many are drawn at random.',
      type: 'integer',
      default: 10_000,
      min: 10,
      max: 100_000,
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

export const neighbours: Learner = { spec, train: trainNeighbours };

/** What comparing two values costs, and the fewest rows that are held because of a deadline. */
const millisecondsPerComparison = 1.5e-6;
const fewestRows = 200;

async function trainNeighbours(input: TrainingInput): Promise<TrainedModel> {
  checkAbilities(spec, input);
  const settings = completeHyperparameters(spec, input.hyperparameters);
  await input.control.pause();
  const distance = distanceOf(input);
  const base = averageOf(input);
  const termCount = distance.numberFeature.length + distance.codeFeature.length;
  if (termCount === 0) {
    const model: ConstantModel = { kind: 'constant', values: base };
    return { model, iterationCount: 1, curve: [], endedBy: 'iterations' };
  }
  const timely = timelyRows(input, termCount);
  const heldCount = Math.min(input.rows.length, numberSetting(settings, 'rows'), timely);
  // In random order, so that of equally near rows no part of the file is preferred.
  const rows = shuffle(input.rows.slice(), seededRandom(input.seed)).slice(0, heldCount);
  const model: NeighboursModel = {
    kind: 'neighbours',
    neighbourCount: numberSetting(settings, 'neighbours'),
    weighting: settings['weighting'] as Weighting,
    base: input.task === 'regression' ? new Float64Array(0) : base,
    ...distance,
    ...(await termsOf(input, distance, rows)),
    answers: Float64Array.from(rows, (row) => input.target[row]!),
    rowWeights: Float64Array.from(rows, (row) => (input.weights ? input.weights[row]! : 1)),
  };
  return {
    model,
    iterationCount: 1,
    curve: [],
    endedBy: heldCount === timely ? 'deadline' : 'iterations',
    ...(heldCount < input.rows.length && {
      notes: [
        `${spec.label} hold ${heldCount} of ${input.rows.length} rows, drawn at random, ${heldCount === timely ? 'for lack of time' : 'which is the most that was allowed'}.`,
      ],
    }),
  };
}

/** How many rows can be held so that the validation rows are answered by the deadline. */
function timelyRows({ control, validationRows }: TrainingInput, termCount: number): number {
  if (control.deadlineMs === undefined) return Infinity;
  const leftMs = control.deadlineMs - control.clock.monotonicMs();
  const perRowMs = millisecondsPerComparison * termCount * Math.max(1, validationRows?.length ?? 0);
  return Math.max(fewestRows, Math.floor(leftMs / perRowMs));
}

type Distance = Pick<
  NeighboursModel,
  'numberFeature' | 'centre' | 'inverseSpread' | 'codeFeature' | 'missingCode' | 'codeWeights'
>;

function distanceOf({ table, rows }: TrainingInput): Distance {
  const numbers: { feature: number; centre: number; inverseSpread: number }[] = [];
  const codes: { feature: number; missing: number; weight: number }[] = [];
  table.features.forEach(({ kind, levelCount }, feature) => {
    const column = table.columns[feature]!;
    if (column instanceof Uint8Array) return; // weights of words
    if (kind === 'category') {
      const weight = differenceWeight(column, rows, levelCount);
      if (weight > 0) codes.push({ feature, missing: levelCount, weight });
      return;
    }
    const { centre, spread, missingCount } = momentsOf(column, rows);
    if (spread > 0) numbers.push({ feature, centre, inverseSpread: 1 / spread });
    // With the number's own part, a missing one is as far from others as one that is drawn at random.
    if (missingCount > 0 && missingCount < rows.length) codes.push({ feature, missing: 1, weight: 1 });
  });
  return {
    numberFeature: Uint16Array.from(numbers, (term) => term.feature),
    centre: Float64Array.from(numbers, (term) => term.centre),
    inverseSpread: Float64Array.from(numbers, (term) => term.inverseSpread),
    codeFeature: Uint16Array.from(codes, (term) => term.feature),
    missingCode: Uint8Array.from(codes, (term) => term.missing),
    codeWeights: Float64Array.from(codes, (term) => term.weight),
  };
}

/** Two over the chance that two rows differ: two standardised numbers are 2 apart on average. 0 where none differ. */
function differenceWeight(column: ArrayLike<number>, rows: Int32Array, levelCount: number): number {
  const counts = new Float64Array(levelCount + 1);
  for (const row of rows) counts[column[row] === column[row] ? column[row]! : levelCount]!++;
  const alike = counts.reduce((sum, count) => sum + (count / rows.length) ** 2, 0);
  return alike < 1 - 1e-12 ? 2 / (1 - alike) : 0;
}

async function termsOf(
  { table, control }: TrainingInput,
  distance: Distance,
  rows: Int32Array,
): Promise<Pick<NeighboursModel, 'numbers' | 'codes'>> {
  const query = queryFor(distance);
  const numbers = new Float32Array(rows.length * query.numbers.length);
  const codes = new Uint8Array(rows.length * query.codes.length);
  const encoded = new Float64Array(table.features.length);
  for (let index = 0; index < rows.length; index++) {
    copyFeatureRow(table, rows[index]!, encoded);
    writeTerms(distance, encoded, 0, query);
    numbers.set(query.numbers, index * query.numbers.length);
    codes.set(query.codes, index * query.codes.length);
    if (index % 1000 === 999) await control.pause();
  }
  return { numbers, codes };
}

/** Weighted shares of the classes, or the weighted mean. */
function averageOf({ task, rows, target, weights, classCount }: TrainingInput): Float64Array {
  const sums = new Float64Array(task === 'regression' ? 1 : classCount);
  let total = 0;
  for (const row of rows) {
    const weight = weights ? weights[row]! : 1;
    total += weight;
    if (task === 'regression') sums[0]! += weight * target[row]!;
    else sums[target[row]!]! += weight;
  }
  return sums.map((sum) => sum / total);
}
