// How numbers are cut into bins.
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { seededRandom } from '../../base/random.ts';
import { binnedTable, type BinnedFeature } from './bins.ts';

function binned(values: Float64Array): BinnedFeature | undefined {
  const features = [{ name: 'x', column: 'x', kind: 'number' as const, levelCount: 0 }];
  return binnedTable({ rowCount: values.length, features, columns: [values] }).features[0];
}

function rowsByBin({ bins, binCount }: BinnedFeature): number[] {
  const counts = Array.from({ length: binCount }, () => 0);
  for (const bin of bins) counts[bin]!++;
  return counts;
}

test('a heavy value has a bin of its own, and the bins on both sides of it are about as full', () => {
  const random = seededRandom(1);
  const values = Float64Array.from({ length: 20_000 }, () =>
    random.next() < 0.4 ? 300 : 1 + random.below(600),
  );
  const feature = binned(values)!;
  assert.ok(feature.binCount > 240 && feature.binCount <= 254);
  const counts = rowsByBin(feature);
  const heavy = counts.findIndex((count) => count > 7000);
  const inHeavy = values.filter((_, row) => feature.bins[row] === heavy);
  // Nothing but few rows before it share its bin.
  assert.ok(inHeavy.every((value) => value >= 297 && value <= 300));
  const meanOf = (part: number[]): number => part.reduce((sum, count) => sum + count, 0) / part.length;
  const [below, above] = [meanOf(counts.slice(0, heavy)), meanOf(counts.slice(heavy + 1))];
  assert.ok(Math.abs(below - above) < 0.1 * below, `${below} and ${above}`);
});

test('bins keep the order of values, and never more than 255 of them', () => {
  const level = fc.oneof(fc.integer({ min: -300, max: 300 }), fc.integer({ min: 0, max: 3 }));
  fc.assert(
    fc.property(fc.array(fc.option(level, { nil: NaN }), { minLength: 2, maxLength: 3000 }), (levels) => {
      const values = Float64Array.from(levels);
      const feature = binned(values);
      if (!feature) return;
      assert.ok(feature.binCount <= 255);
      assert.ok(rowsByBin(feature).every((count) => count > 0));
      values.forEach((value, row) => {
        const bin = feature.bins[row]!;
        if (Number.isNaN(value)) assert.equal(bin, feature.missingBin);
        else {
          assert.ok(value <= feature.bounds[bin]!);
          assert.ok(bin === 0 || value > feature.bounds[bin - 1]!);
        }
      });
    }),
    { seed: 5, numRuns: 60 },
  );
});
