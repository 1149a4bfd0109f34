// The stated error of sketches, against the sorted numbers themselves.
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { seededRandom } from '../../base/random.ts';
import { boundsBetween } from './bins.ts';
import { quantileSketch, rankError, type QuantileSketch } from './quantile-sketch.ts';

const numbers = fc.oneof(
  fc.double(),
  fc.integer({ min: -3, max: 3 }).map(Number),
  fc.constantFrom(1e308, -1e308, Infinity, -Infinity, 0, -0, Number.MIN_VALUE),
);

test('few numbers are kept exactly, whatever they are', () => {
  fc.assert(
    fc.property(fc.array(numbers, { maxLength: 200 }), (values) => {
      const sketch = quantileSketch(seededRandom(1), { runLength: 256 });
      sketch.add(Float64Array.from(values));
      const sorted = Float64Array.from(values.filter((value) => !Number.isNaN(value))).sort();
      const { distinct, counts, valueCount } = sketch.levels();
      assert.equal(valueCount, sorted.length);
      const spread = [...distinct].flatMap((value, level) =>
        Array.from({ length: counts[level]! }, () => value),
      );
      assert.deepEqual(
        spread.map((value) => value + 0),
        [...sorted].map((value) => value + 0),
      );
    }),
  );
});

/** Numbers spread evenly, bunched, heavy on a few values, sorted or falling. */
const shapes: Record<string, (index: number, of: number, random: () => number) => number> = {
  even: (_index, _of, random) => random(),
  bunched: (_index, _of, random) => Math.exp(20 * random()),
  few: (_index, _of, random) => Math.floor(12 * random() ** 3),
  rising: (index) => index,
  falling: (index, of) => of - index,
  alternating: (index, of) => (index % 2 === 0 ? index : of - index),
};

for (const [name, shape] of Object.entries(shapes))
  test(`ranks of ${name} numbers stay within the stated error, in one sketch and in merged ones`, () => {
    const runLength = 128;
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 1, max: 60_000 }), (seed, count) => {
        const random = seededRandom(seed);
        const values = Float64Array.from({ length: count }, (_, index) =>
          shape(index, count, () => random.next()),
        );
        const one = quantileSketch(random.fork(1), { runLength });
        one.add(values);
        const cut = Math.floor(count * random.next());
        const merged = quantileSketch(random.fork(2), { runLength });
        const other = quantileSketch(random.fork(3), { runLength });
        merged.add(values.subarray(0, cut));
        other.add(values.subarray(cut));
        merged.merge(other);
        const sorted = values.slice().sort();
        checkRanks(one, sorted, runLength);
        // A merged sketch has merged as often as one that saw all, at most once more at each weight.
        checkRanks(merged, sorted, runLength / 2);
      }),
      { numRuns: 40, seed: 3 },
    );
  });

function checkRanks(sketch: QuantileSketch, sorted: Float64Array, runLength: number): void {
  assert.equal(sketch.count, sorted.length);
  const { distinct, counts, valueCount } = sketch.levels();
  assert.equal(valueCount, sorted.length);
  assert.equal(
    Array.from(counts).reduce((sum, count) => sum + count, 0),
    sorted.length,
  );
  let below = 0;
  let truth = 0;
  distinct.forEach((value, level) => {
    below += counts[level]!;
    while (truth < sorted.length && sorted[truth]! <= value) truth++;
    assert.ok(Math.abs(below - truth) <= rankError(runLength) * sorted.length, `${below} for ${truth}`);
  });
}

test('bins of a sketch hold shares of the rows that are as even as those of all numbers', () => {
  const random = seededRandom(5);
  const values = Float64Array.from({ length: 300_000 }, () => random.next() ** 4);
  const sketch = quantileSketch(random);
  sketch.add(values);
  const bounds = boundsBetween(sketch.levels(), values.length);
  assert.equal(bounds.length, 254);
  const counts = new Float64Array(254);
  for (const value of values) counts[bounds.findIndex((bound) => value <= bound)]!++;
  for (const count of counts)
    assert.ok(Math.abs(count / values.length - 1 / 254) <= 2 * rankError(16_384) + 1e-4, String(count));
});

test('the same numbers and seed make the same sketch', () => {
  const levels = (): unknown => {
    const random = seededRandom(9);
    const sketch = quantileSketch(random.fork(0), { runLength: 64 });
    for (let batch = 0; batch < 50; batch++)
      sketch.add(Float64Array.from({ length: 77 }, () => random.next()));
    return sketch.levels();
  };
  assert.deepEqual(levels(), levels());
});

test('no numbers at all make no levels and no bounds', () => {
  const sketch = quantileSketch(seededRandom(1));
  sketch.add(new Float64Array(100).fill(NaN));
  assert.equal(sketch.count, 0);
  assert.equal(boundsBetween(sketch.levels(), 100).length, 0);
});
