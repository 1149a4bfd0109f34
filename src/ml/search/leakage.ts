// Warns of columns that alone predict the target almost perfectly: often they were filled in after the fact, and will
// not be there when it matters. Each column's bins are fitted on one half of the rows and judged on the other.
import type { FeatureTable } from '../frame/encoding.ts';
import { areaUnderRoc } from '../metrics/ranking.ts';
import { binnedTable, type BinnedFeature } from '../learners/bins.ts';
import type { Prepared } from './prepare.ts';

const fewestRows = 100;
const mostRows = 20_000;
const suspicious = 0.99;

/** One sentence for each suspect. */
export function leakageWarnings({ training, target, encoding }: Prepared): string[] {
  const { actual, table } = training;
  if (actual.length < fewestRows) return [];
  const rowCount = Math.min(mostRows, actual.length);
  const warnings = new Map<string, string>();
  // One word of a text hardly gives the target away, and there may be a thousand.
  const texts = new Set(encoding.filter((entry) => entry.kind === 'text').map((entry) => entry.column));
  for (const feature of binnedTable(withoutColumns(table, texts)).features) {
    const { column } = table.features[feature.feature]!;
    if (warnings.has(column) || feature.binCount > rowCount / 8) continue;
    const score =
      target.task === 'multiclass'
        ? hitRate(feature, actual, rowCount, target.classes.length)
        : meanScore(feature, actual, rowCount, target.task);
    if (score < suspicious) continue;
    warnings.set(
      column,
      `"${column}" alone predicts the target almost perfectly (${(score * 100).toFixed(1)} of 100). Check that it is known before the target is; exclude it if not.`,
    );
  }
  return [...warnings.values()];
}

/** The same table with nothing in the features of some columns; binning a thousand words takes seconds. */
function withoutColumns(table: FeatureTable, hidden: ReadonlySet<string>): FeatureTable {
  if (hidden.size === 0) return table;
  const blank = new Float64Array(table.rowCount);
  return {
    ...table,
    source: table.source ?? table,
    columns: table.columns.map((values, index) =>
      hidden.has(table.features[index]!.column) ? blank : values,
    ),
  };
}

/** AUC (binary) or R squared (regression) of the mean target of each bin. */
function meanScore(
  feature: BinnedFeature,
  actual: Float64Array,
  rowCount: number,
  task: 'binary' | 'regression' | 'ranking',
): number {
  const sums = new Float64Array(feature.binCount);
  const counts = new Float64Array(feature.binCount);
  let total = 0;
  for (let row = 0; row < rowCount; row += 2) {
    sums[feature.bins[row]!]! += actual[row]!;
    counts[feature.bins[row]!]!++;
    total += actual[row]!;
  }
  const mean = total / Math.ceil(rowCount / 2);
  const half = Int32Array.from({ length: rowCount >> 1 }, (_, index) => index * 2 + 1);
  const predicted = Float64Array.from(half, (row) =>
    counts[feature.bins[row]!]! > 0 ? sums[feature.bins[row]!]! / counts[feature.bins[row]!]! : mean,
  );
  if (task === 'binary')
    return areaUnderRoc({ scores: predicted, isPositive: Uint8Array.from(half, (row) => actual[row]!) });
  let error = 0;
  let spread = 0;
  half.forEach((row, index) => {
    error += (actual[row]! - predicted[index]!) * (actual[row]! - predicted[index]!);
    spread += (actual[row]! - mean) * (actual[row]! - mean);
  });
  return spread > 0 ? 1 - error / spread : 0;
}

/** Share of rows of which the most frequent class of their bin is the true one. */
function hitRate(feature: BinnedFeature, actual: Float64Array, rowCount: number, classCount: number): number {
  const counts = new Float64Array(feature.binCount * classCount);
  for (let row = 0; row < rowCount; row += 2) counts[feature.bins[row]! * classCount + actual[row]!]!++;
  const likeliest = Int32Array.from({ length: feature.binCount }, (_, bin) => {
    const own = counts.subarray(bin * classCount, (bin + 1) * classCount);
    return own.reduce((best, count, index) => (count > own[best]! ? index : best), 0);
  });
  let hits = 0;
  for (let row = 1; row < rowCount; row += 2) if (likeliest[feature.bins[row]!] === actual[row]) hits++;
  return hits / (rowCount >> 1);
}
