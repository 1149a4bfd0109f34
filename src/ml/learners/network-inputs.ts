// The columns as a neural network is taught them: numbers as piecewise-linear encodings (Gorishniy et al., NeurIPS 2022)
// between quantiles of the training rows, missing numbers and categories as ones among zeros, words as roots of their
// weights. The first layer's weights for these inputs become the vectors of the model (network-model.ts).
import type { FeatureTable } from '../frame/encoding.ts';
import { placeOf } from '../model/network.ts';
import { momentsOf } from './linear-design.ts';

export interface NetworkInputs {
  /** How many inputs there are; those of a term follow each other from its `place`. */
  count: number;
  numbers: {
    feature: number;
    centre: number;
    /** One input fewer than knots: how far each step is behind the value, 0 to 1. */
    knots: Float64Array;
    place: number;
    /** Where there are missing values, the input that says so. */
    missingPlace: number | undefined;
  }[];
  /** Codes, then missing; how many rows have each. */
  categories: { feature: number; rowCounts: Float64Array; place: number }[];
  counts: { feature: number; place: number }[];
  /** Standard deviation of the first weights of each input, so that all columns begin with an equal say. */
  startSpreads: Float64Array;
}

/** Beyond so many inputs, numbers have fewer knots. */
const mostSteps = 4096;
/** The weights of the terms of a text sum to about so much: three kinds of some eight terms (frame/text-features.ts). */
const usualTermWeights = 250;

/** The inputs that suit `rows` of a table; `stepCount` is the most steps of a number. */
export function networkInputs(table: FeatureTable, rows: Int32Array, stepCount: number): NetworkInputs {
  const inputs: NetworkInputs = {
    count: 0,
    numbers: [],
    categories: [],
    counts: [],
    startSpreads: new Float64Array(0),
  };
  const isNumber = (index: number): boolean =>
    table.features[index]!.kind === 'number' && !(table.columns[index] instanceof Uint8Array);
  const numberCount = table.features.filter((_, index) => isNumber(index)).length;
  const steps = Math.max(1, Math.min(stepCount, Math.floor(mostSteps / Math.max(1, numberCount))));
  table.features.forEach((feature, index) => {
    const column = table.columns[index]!;
    if (isNumber(index)) addNumber(inputs, index, { column, rows, steps });
    else if (column instanceof Uint8Array) inputs.counts.push({ feature: index, place: inputs.count++ });
    else {
      const rowCounts = new Float64Array(feature.levelCount + 1);
      for (const row of rows) rowCounts[column[row] === column[row] ? column[row]! : feature.levelCount]!++;
      inputs.categories.push({ feature: index, rowCounts, place: inputs.count });
      inputs.count += rowCounts.length;
    }
  });
  inputs.startSpreads = startSpreads(inputs);
  return inputs;
}

/** Writes the inputs of one row into `out` from `start`; all of them were zero. */
export function writeInputs(
  inputs: NetworkInputs,
  { columns }: FeatureTable,
  row: number,
  { out, start }: { out: Float32Array; start: number },
): void {
  for (const { feature, knots, place, missingPlace } of inputs.numbers) {
    const value = columns[feature]![row]!;
    if (value !== value) {
      if (missingPlace !== undefined) out[start + missingPlace] = 1;
      continue;
    }
    const { knot, share } = placeOf(value, knots, 0, knots.length);
    out.fill(1, start + place, start + place + knot);
    if (share > 0) out[start + place + knot] = share;
  }
  for (const { feature, rowCounts, place } of inputs.categories) {
    const code = columns[feature]![row]!;
    out[start + place + (code === code ? code : rowCounts.length - 1)] = 1;
  }
  for (const { feature, place } of inputs.counts) out[start + place] = Math.sqrt(columns[feature]![row]!);
}

function addNumber(
  inputs: NetworkInputs,
  feature: number,
  { column, rows, steps }: { column: ArrayLike<number>; rows: Int32Array; steps: number },
): void {
  const { centre, missingCount } = momentsOf(column, rows);
  const knots = quantiles(column, rows, steps);
  if (knots.length === 0 || (knots.length === 1 && missingCount === 0)) return;
  const place = inputs.count;
  inputs.count += knots.length - 1;
  const missingPlace = missingCount > 0 ? inputs.count++ : undefined;
  inputs.numbers.push({ feature, centre, knots, place, missingPlace });
}

/** Distinct quantiles of the present values, the least and the largest among them. */
function quantiles(column: ArrayLike<number>, rows: Int32Array, steps: number): Float64Array {
  const sorted = Float64Array.from(rows, (row) => column[row]!)
    .filter((value) => value === value)
    .sort();
  if (sorted.length === 0) return sorted;
  const chosen = Array.from(
    { length: steps + 1 },
    (_, step) => sorted[Math.round((step / steps) * (sorted.length - 1))]!,
  );
  return Float64Array.from(new Set(chosen));
}

function startSpreads({ count, numbers, categories, counts }: NetworkInputs): Float64Array {
  const spreads = new Float64Array(count);
  const columnCount = Math.max(1, numbers.length + categories.length + Math.min(1, counts.length));
  const spread = (activeCount: number): number => 1 / Math.sqrt(columnCount * activeCount);
  for (const { knots, place, missingPlace } of numbers) {
    // Half of the steps are behind an average value.
    spreads.fill(spread(Math.max(1, (knots.length - 1) / 2)), place, place + knots.length - 1);
    if (missingPlace !== undefined) spreads[missingPlace] = spread(1);
  }
  for (const { rowCounts, place } of categories) spreads.fill(spread(1), place, place + rowCounts.length);
  for (const { place } of counts) spreads[place] = spread(usualTermWeights);
  return spreads;
}
