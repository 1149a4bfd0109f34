// Nearest neighbours: the average of the most similar rows, which the model holds. Distance is squared difference of
// standardised numbers, plus a weight for each code that differs. Codes are categories, and for a number, where rows
// lacked it, whether it is there; a missing number then counts as the average. Rows are compared one by one, leaving off
// as soon as one is too far; among equally near ones the first counts.
import { standardise } from './linear.ts';

export const weightings = ['uniform', 'distance'] as const;
export type Weighting = (typeof weightings)[number];

export interface NeighboursModel {
  kind: 'neighbours';
  neighbourCount: number;
  /** Whether all neighbours count the same, or nearer ones more. */
  weighting: Weighting;
  /** Shares of the classes, which count as one more neighbour; for a regression nothing. */
  base: Float64Array;
  /** Numeric terms: feature index, its centre, one over its spread. */
  numberFeature: Uint16Array;
  centre: Float64Array;
  inverseSpread: Float64Array;
  /** Coded terms: feature index (of a category, or of a number that may be missing), and what a difference weighs. */
  codeFeature: Uint16Array;
  /** The code of a missing category; for numbers 1. */
  missingCode: Uint8Array;
  codeWeights: Float64Array;
  /** Row-major: the standardised numbers and the codes of the rows. */
  numbers: Float32Array;
  codes: Uint8Array;
  /** The class index or value of each row, and how much it counts. */
  answers: Float64Array;
  rowWeights: Float64Array;
}

/** Adding this to a distance keeps the weight of an equal row finite. */
export const leastDistance = 1e-6;

/** Writes the answers for row-major `rows`: the shares of classes, or one value. */
export function applyNeighbours(
  model: NeighboursModel,
  input: { rows: Float64Array; rowCount: number; featureCount: number },
  out: Float64Array,
): void {
  const query = queryFor(model);
  const nearest = nearestFor(model);
  const outputCount = out.length / input.rowCount;
  for (let row = 0; row < input.rowCount; row++) {
    writeTerms(model, input.rows, row * input.featureCount, query);
    findNearest(model, query, nearest);
    average(model, nearest, out.subarray(row * outputCount, (row + 1) * outputCount));
  }
}

export interface Query {
  numbers: Float32Array;
  codes: Uint8Array;
}

/** Room for the terms of one row. */
export function queryFor(model: Pick<NeighboursModel, 'numberFeature' | 'codeFeature'>): Query {
  return {
    numbers: new Float32Array(model.numberFeature.length),
    codes: new Uint8Array(model.codeFeature.length),
  };
}

/** The terms of the encoded row that begins at `start`. */
export function writeTerms(
  model: Pick<NeighboursModel, 'numberFeature' | 'centre' | 'inverseSpread' | 'codeFeature' | 'missingCode'>,
  rows: Float64Array,
  start: number,
  { numbers, codes }: Query,
): void {
  for (let term = 0; term < numbers.length; term++) {
    const value = rows[start + model.numberFeature[term]!]!;
    numbers[term] = value === value ? standardise(value, model.centre[term]!, model.inverseSpread[term]!) : 0;
  }
  for (let term = 0; term < codes.length; term++) {
    const value = rows[start + model.codeFeature[term]!]!;
    const missing = model.missingCode[term]!;
    // A number that is there has code 0, and 1 is the only code of its kind that is missing.
    codes[term] = value !== value ? missing : missing === 1 ? 0 : Math.min(value, missing - 1);
  }
}

interface Nearest {
  count: number;
  /** Nearest first. */
  rows: Int32Array;
  squares: Float64Array;
}

function nearestFor({ neighbourCount, answers }: NeighboursModel): Nearest {
  const count = Math.min(neighbourCount, answers.length);
  return { count, rows: new Int32Array(count), squares: new Float64Array(count) };
}

const numbersAtOnce = 8;

function findNearest(model: NeighboursModel, query: Query, { count, rows, squares }: Nearest): void {
  const { numbers, codes, codeWeights, answers } = model;
  const numberCount = query.numbers.length;
  const codeCount = query.codes.length;
  squares.fill(Infinity);
  let limit = Infinity;
  for (let row = 0; row < answers.length; row++) {
    let square = 0;
    const codeStart = row * codeCount;
    for (let term = 0; term < codeCount; term++)
      if (codes[codeStart + term] !== query.codes[term]) square += codeWeights[term]!;
    const start = row * numberCount;
    for (let from = 0; from < numberCount && square < limit; from += numbersAtOnce) {
      const to = Math.min(numberCount, from + numbersAtOnce);
      for (let term = from; term < to; term++) {
        const difference = numbers[start + term]! - query.numbers[term]!;
        square += difference * difference;
      }
    }
    if (!(square < limit)) continue;
    let place = count - 1;
    for (; place > 0 && squares[place - 1]! > square; place--) {
      squares[place] = squares[place - 1]!;
      rows[place] = rows[place - 1]!;
    }
    squares[place] = square;
    rows[place] = row;
    limit = squares[count - 1]!;
  }
}

function average(model: NeighboursModel, { count, rows, squares }: Nearest, out: Float64Array): void {
  const { base, answers, rowWeights, weighting } = model;
  let total = 0;
  out.fill(0);
  for (let place = 0; place < count; place++) {
    const row = rows[place]!;
    const nearness = weighting === 'uniform' ? 1 : 1 / (Math.sqrt(squares[place]!) + leastDistance);
    const weight = rowWeights[row]! * nearness;
    total += weight;
    if (base.length === 0) out[0]! += weight * answers[row]!;
    else out[answers[row]!]! += weight;
  }
  for (let index = 0; index < out.length; index++) {
    const mean = out[index]! / total;
    out[index] = base.length === 0 ? mean : (count * mean + base[index]!) / (count + 1);
  }
}
