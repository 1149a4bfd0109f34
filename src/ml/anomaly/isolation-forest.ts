// Isolation forest (Liu, Ting and Zhou, ICDM 2008): finds rows that are unlike the others, without a target. Trees ask
// random questions of small random samples; a row that few questions set apart from all others is an anomaly. The score
// is 2^(-mean path / expected path), between 0 and 1: one half is ordinary, near one is an anomaly.
// Forests that predict a target are in learners/forests.ts.
//
// Missing values go to a side drawn at each question, or apart from all values where these are equal. Categories are
// divided at random. The model is a row model like others (model/trees.ts): its leaf values add up to the logarithm of
// the score, so that the link `exponential` answers the score itself.
import { Problem } from '../../base/problems.ts';
import { seededRandom, type Random } from '../../base/random.ts';
import { copyFeatureRow, type FeatureTable } from '../frame/encoding.ts';
import {
  completeHyperparameters,
  isLate,
  numberSetting,
  type Hyperparameters,
  type LearnerSpec,
  type TrainingControl,
} from '../learners/learner.ts';
import { log } from '../model/arithmetic.ts';
import { applyModel } from '../model/row-model.ts';
import { categoricalFlag, missingLeftFlag, wordsPerSet, type TreesModel } from '../model/trees.ts';

export const isolationForestSpec: Pick<LearnerSpec, 'name' | 'label' | 'plainWords' | 'hyperparameters'> = {
  name: 'isolation-forest',
  label: 'Isolation forest',
  plainWords: 'Finds rows that are unlike the others, by how few random questions set them apart.',
  hyperparameters: [
    {
      name: 'trees',
      label: 'Trees',
      plainWords: 'How many trees are averaged; more are steadier and slower.',
      type: 'integer',
      default: 100,
      min: 1,
      max: 5000,
    },
    {
      name: 'sampleRows',
      label: 'Rows for each tree',
      plainWords: 'How many rows each tree sees; few make anomalies that lie together stand out.',
      type: 'integer',
      default: 256,
      min: 2,
      max: 100_000,
    },
  ],
};

export interface IsolationInput {
  table: FeatureTable;
  /** Rows to learn from, at least two. Anomalies may be among them. */
  rows: Int32Array;
  hyperparameters?: Hyperparameters;
  seed: number;
  control: TrainingControl;
}

/**
 * A model whose answer for a row is its anomaly score. Same input and seed, same bytes, unless a deadline cuts it short.
 * @throws Problem `too-few-rows`, `invalid-request` for settings, `cancelled`
 */
export async function trainIsolationForest(input: IsolationInput): Promise<TreesModel> {
  const { table, rows, control } = input;
  const settings = completeHyperparameters(isolationForestSpec, input.hyperparameters ?? {});
  if (rows.length < 2)
    throw new Problem('too-few-rows', 'Two rows at least are needed to tell which are unlike the others.');
  const sampleCount = Math.min(rows.length, numberSetting(settings, 'sampleRows'));
  const growing: Growing = { table, maxDepth: 32 - Math.clz32(sampleCount - 1), ...emptyTrees() };
  const wanted = numberSetting(settings, 'trees');
  const random = seededRandom(input.seed);
  while (growing.roots.length < wanted) {
    const own = random.fork(growing.roots.length);
    // The place of the root is known only once it has been grown: it may be a leaf.
    const root = growNode(growing, drawRows(rows, sampleCount, own), { depth: 0, random: own });
    growing.roots.push(root);
    await control.pause();
    if (isLate(control)) break;
  }
  return modelOf(growing, expectedPath(sampleCount));
}

/** The anomaly scores of rows of a table: above 0, at most 1. */
export async function anomalyScores(
  model: TreesModel,
  { table, rows }: { table: FeatureTable; rows: Int32Array },
  { pause }: Pick<TrainingControl, 'pause'>,
): Promise<Float64Array> {
  const featureCount = table.features.length;
  const scores = new Float64Array(rows.length);
  const block = new Float64Array(rowsAtOnce * featureCount);
  for (let from = 0; from < rows.length; from += rowsAtOnce) {
    const rowCount = Math.min(rowsAtOnce, rows.length - from);
    for (let row = 0; row < rowCount; row++)
      copyFeatureRow(table, rows[from + row]!, block.subarray(row * featureCount, (row + 1) * featureCount));
    applyModel(model, { rows: block, rowCount, featureCount }, scores.subarray(from, from + rowCount));
    await pause();
  }
  return scores;
}

/**
 * The mean number of questions that sets one of `rowCount` different rows apart in a random tree: that of an
 * unsuccessful search among `rowCount` - 1 keys (Preiss 1999), with exact harmonic numbers.
 */
export function expectedPath(rowCount: number): number {
  if (rowCount < 2) return 0;
  let harmonic = 0;
  for (let index = 1; index < rowCount; index++) harmonic += 1 / index;
  return 2 * harmonic - (2 * (rowCount - 1)) / rowCount;
}

const rowsAtOnce = 512;

interface Growing {
  table: FeatureTable;
  maxDepth: number;
  roots: number[];
  feature: number[];
  threshold: number[];
  sets: number[];
  left: number[];
  right: number[];
  flags: number[];
  categorySets: number[];
  /** Questions on the way to each leaf, and those that its rows would take on. */
  paths: number[];
  leafRowCounts: number[];
}

function emptyTrees(): Omit<Growing, 'table' | 'maxDepth'> {
  return {
    roots: [],
    feature: [],
    threshold: [],
    sets: [],
    left: [],
    right: [],
    flags: [],
    categorySets: [],
    paths: [],
    leafRowCounts: [],
  };
}

/** A question and the rows on both of its sides. */
interface Question {
  feature: number;
  /** NaN for categories. */
  threshold: number;
  isMissingLeft: boolean;
  /** For categories: bits of the codes that go left. */
  codes?: Uint32Array;
  left: Int32Array;
  right: Int32Array;
}

/** Grows what lies under one node and returns how to point at it: its number, or ~leaf. Parents come first. */
function growNode(
  growing: Growing,
  rows: Int32Array,
  { depth, random }: { depth: number; random: Random },
): number {
  const question = depth < growing.maxDepth && rows.length > 1 && drawQuestion(growing.table, rows, random);
  if (!question) {
    growing.paths.push(depth + expectedPath(rows.length));
    return ~(growing.leafRowCounts.push(rows.length) - 1);
  }
  const { feature, threshold, isMissingLeft, codes } = question;
  const node = growing.feature.push(feature) - 1;
  growing.threshold.push(threshold);
  growing.flags.push((codes ? categoricalFlag : 0) | (isMissingLeft ? missingLeftFlag : 0));
  growing.sets.push(codes ? growing.categorySets.length / wordsPerSet : 0);
  if (codes) growing.categorySets.push(...codes);
  growing.left.push(0);
  growing.right.push(0);
  growing.left[node] = growNode(growing, question.left, { depth: depth + 1, random });
  growing.right[node] = growNode(growing, question.right, { depth: depth + 1, random });
  return node;
}

/** A random question of a random feature that can tell some of the rows apart; `undefined` when none can. */
function drawQuestion(table: FeatureTable, rows: Int32Array, random: Random): Question | undefined {
  const left = Int32Array.from(table.features, (_, index) => index);
  for (let count = left.length; count > 0; count--) {
    const at = random.below(count);
    const feature = left[at]!;
    left[at] = left[count - 1]!;
    const question =
      table.features[feature]!.kind === 'category'
        ? divideCategories(table, { rows, feature, random })
        : divideNumbers(table, { rows, feature, random });
    if (question) return question;
  }
  return undefined;
}

interface Division {
  rows: Int32Array;
  feature: number;
  random: Random;
}

function divideNumbers(table: FeatureTable, { rows, feature, random }: Division): Question | undefined {
  const values = table.columns[feature]!;
  let low = Infinity;
  let high = -Infinity;
  let missing = 0;
  for (const row of rows) {
    const value = values[row]!;
    if (value !== value) missing++;
    else {
      if (value < low) low = value;
      if (value > high) high = value;
    }
  }
  const isLevel = !(low < high);
  if (isLevel && (missing === 0 || missing === rows.length)) return undefined;
  const share = random.next();
  const between = low * (1 - share) + high * share;
  // At least the lowest goes left, and the highest never does.
  const threshold = isLevel || !(between >= low && between < high) ? low : between;
  const isMissingLeft = isLevel ? false : drawMissingSide(random);
  const goesLeft = (row: number): boolean =>
    values[row] === values[row] ? values[row]! <= threshold : isMissingLeft;
  return { feature, threshold, isMissingLeft, ...divide(rows, goesLeft) };
}

function divideCategories(table: FeatureTable, { rows, feature, random }: Division): Question | undefined {
  const values = table.columns[feature]!;
  const present = new Set<number>();
  for (const row of rows) if (values[row] === values[row]) present.add(values[row]!);
  const hasMissing = rows.some((row) => values[row] !== values[row]);
  const isLevel = present.size < 2;
  if (isLevel && !(present.size === 1 && hasMissing)) return undefined;
  const codes = new Uint32Array(wordsPerSet);
  const isIn = (code: number): boolean => ((codes[code >>> 5]! >>> (code & 31)) & 1) === 1;
  // Codes that these rows lack are divided as well, so that they are not all sent the same way.
  for (let code = 0; code < table.features[feature]!.levelCount; code++)
    if (random.next() < 0.5) codes[code >>> 5] = (codes[code >>> 5]! | (1 << (code & 31))) >>> 0;
  const known = [...present].sort((a, b) => a - b);
  const inside = known.filter(isIn).length;
  // One side must not be empty: a code drawn at random changes over.
  if (inside === known.length ? !isLevel : inside === 0) {
    const code = known[random.below(known.length)]!;
    codes[code >>> 5] = (codes[code >>> 5]! ^ (1 << (code & 31))) >>> 0;
  }
  const isMissingLeft = isLevel ? false : drawMissingSide(random);
  const goesLeft = (row: number): boolean =>
    values[row] === values[row] ? isIn(values[row]!) : isMissingLeft;
  return { feature, threshold: NaN, isMissingLeft, codes, ...divide(rows, goesLeft) };
}

function drawMissingSide(random: Random): boolean {
  return random.next() < 0.5;
}

function divide(
  rows: Int32Array,
  goesLeft: (row: number) => boolean,
): { left: Int32Array; right: Int32Array } {
  return { left: rows.filter(goesLeft), right: rows.filter((row) => !goesLeft(row)) };
}

/** `count` of the rows, each at most once. */
function drawRows(rows: Int32Array, count: number, random: Random): Int32Array {
  if (count === rows.length) return rows;
  // Floyd's way (1987): as many draws as rows are wanted, however many there are.
  const drawn = new Set<number>();
  for (let last = rows.length - count; last < rows.length; last++) {
    const at = random.below(last + 1);
    drawn.add(drawn.has(at) ? last : at);
  }
  return Int32Array.from(drawn, (at) => rows[at]!).sort();
}

/** Leaf values are shares of the logarithm of the score: -path / (trees * expected path), times ln 2. */
function modelOf(growing: Growing, wholePath: number): TreesModel {
  const factor = -log(2) / (growing.roots.length * wholePath);
  return {
    kind: 'trees',
    link: 'exponential',
    base: new Float64Array(1),
    roots: Int32Array.from(growing.roots),
    feature: Uint16Array.from(growing.feature),
    threshold: Float64Array.from(growing.threshold),
    sets: Int32Array.from(growing.sets),
    left: Int32Array.from(growing.left),
    right: Int32Array.from(growing.right),
    flags: Uint8Array.from(growing.flags),
    categorySets: Uint32Array.from(growing.categorySets),
    leafValues: Float64Array.from(growing.paths, (path) => path * factor),
    leafRowCounts: Int32Array.from(growing.leafRowCounts),
  };
}
