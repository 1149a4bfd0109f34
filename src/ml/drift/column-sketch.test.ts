// The stated errors of sketches against the values themselves; merging and bytes lose nothing more.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { seededRandom } from '../../base/random.ts';
import {
  addInvalid,
  addNumbers,
  addValue,
  columnSketch,
  mergeSketch,
  validCount,
  type ColumnSketch,
} from './column-sketch.ts';
import { estimateDistinct } from './distinct-count.ts';
import { countOf, topValues } from './frequent-values.ts';
import { standardDeviation } from './moments.ts';
import { readSketches, writeSketches } from './sketch-bytes.ts';

const numbers = fc.array(
  fc.oneof(fc.double(), fc.integer({ min: -9, max: 9 }).map(Number), fc.constant(NaN)),
  { maxLength: 120 },
);
const words = fc.array(fc.oneof(fc.constantFrom('a', 'b', '', 'ä'), fc.string(), fc.constant(null)), {
  maxLength: 120,
});

suite('small sketches are exact', () => {
  test('numbers', () => {
    fc.assert(
      fc.property(numbers, (values) => {
        const sketch = columnSketch('number');
        addNumbers(sketch, Float64Array.from(values));
        const finite = values.filter(Number.isFinite);
        assert.equal(sketch.rowCount, values.length);
        assert.equal(sketch.missingCount, values.filter(Number.isNaN).length);
        assert.equal(validCount(sketch), finite.length);
        const { distinct, counts } = sketch.spread.quantiles.levels();
        const all = [...distinct].flatMap((value, index) =>
          Array.from({ length: counts[index]! }, () => value),
        );
        const sorted = Float64Array.from(finite).sort();
        assert.deepEqual(
          all.map((value) => value + 0),
          [...sorted].map((value) => value + 0),
        );
        assert.equal(sketch.spread.moments.minimum, sorted[0] ?? Infinity);
      }),
    );
  });

  test('values', () => {
    fc.assert(
      fc.property(words, (values) => {
        const sketch = columnSketch('category');
        for (const value of values) addValue(sketch, value);
        for (const value of new Set(values))
          if (value !== null)
            assert.equal(countOf(sketch.values, value), values.filter((one) => one === value).length);
      }),
    );
  });
});

test('merged sketches say what one of all rows says', () => {
  fc.assert(
    fc.property(numbers, numbers, words, words, (a, b, c, d) => {
      const merged = [numberSketch(a), valueSketch('category', c), valueSketch('text', c)];
      const others = [numberSketch(b), valueSketch('category', d), valueSketch('text', d)];
      const whole = [
        numberSketch([...a, ...b]),
        valueSketch('category', [...c, ...d]),
        valueSketch('text', [...c, ...d]),
      ];
      for (const [index, sketch] of merged.entries()) {
        mergeSketch(sketch, others[index]!);
        assert.equal(sketch.rowCount, whole[index]!.rowCount);
        assert.equal(sketch.missingCount, whole[index]!.missingCount);
        assert.deepEqual(sketch.distinct, whole[index]!.distinct);
      }
      const [found, expected] = [merged[1]!, whole[1]!];
      assert.ok(found.kind === 'category' && expected.kind === 'category');
      assert.deepEqual(topValues(found.values), topValues(expected.values));
    }),
  );
});

test('bytes give the same sketches back, and the same bytes again', () => {
  fc.assert(
    fc.property(numbers, words, (some, others) => {
      const random = seededRandom(some.length);
      const many = numberSketch(Array.from({ length: 5000 }, () => random.next() - 0.5));
      const ids = valueSketch(
        'category',
        Array.from({ length: 400 }, (_, index) => `id ${index}`),
      );
      const number = numberSketch(some);
      addInvalid(number, 3);
      const sketches = new Map<string, ColumnSketch>([
        ['number', number],
        ['many', many],
        ['ids', ids],
        ['category', valueSketch('category', others)],
        ['text', valueSketch('text', others)],
      ]);
      const bytes = writeSketches(sketches);
      const back = readSketches(Buffer.from(bytes));
      assert.ok(back);
      assert.deepEqual(writeSketches(back), bytes);
      const again = back.get('many');
      assert.ok(again?.kind === 'number' && many.kind === 'number');
      assert.deepEqual(again.spread.quantiles.levels(), many.spread.quantiles.levels());
    }),
    { numRuns: 30 },
  );
});

test('what are no bytes of sketches is none', () => {
  const bytes = writeSketches(new Map([['a', numberSketch([1, 2, 3])]]));
  assert.equal(readSketches(Uint8Array.of(9)), undefined);
  for (let length = 0; length < bytes.length; length++)
    assert.equal(readSketches(bytes.subarray(0, length)), undefined);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (garbage) => {
      readSketches(Uint8Array.of(1, ...garbage));
    }),
  );
});

test('many rows: ranks, moments, different and frequent values keep to their stated errors', () => {
  const random = seededRandom(7);
  const values = Float64Array.from({ length: 100_000 }, () => random.next() ** 3 * 1000);
  const sketch = numberSketch(values);
  assert.ok(sketch.kind === 'number');
  const { distinct, counts } = sketch.spread.quantiles.levels();
  const sorted = values.slice().sort();
  let below = 0;
  let worst = 0;
  for (let index = 0, at = 0; index < distinct.length; index++) {
    below += counts[index]!;
    while (at < sorted.length && sorted[at]! <= distinct[index]!) at++;
    worst = Math.max(worst, Math.abs(below - at) / values.length);
  }
  assert.ok(worst < 0.018, String(worst));
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  assert.ok(Math.abs(sketch.spread.moments.mean - mean) < 1e-9 * mean);
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  assert.ok(
    Math.abs(standardDeviation(sketch.spread.moments) - Math.sqrt(squares / (values.length - 1))) < 1e-8,
  );
  // Three standard errors.
  assert.ok(Math.abs(estimateDistinct(sketch.distinct) / values.length - 1) < 0.1);

  const ids = columnSketch('category');
  for (let index = 0; index < 20_000; index++) addValue(ids, index % 10 === 0 ? 'usual' : `id ${index}`);
  assert.equal(topValues(ids.values)[0]!.value, 'usual');
  const count = countOf(ids.values, 'usual');
  assert.ok(count >= 2000 && count <= 2000 + 0.01 * 20_000);
  assert.ok(countOf(ids.values, 'never') <= 0.01 * 20_000);
});

test('65 columns of 150,000 rows take less than 500 kB', () => {
  const random = seededRandom(3);
  const sketch = columnSketch('number');
  for (let block = 0; block < 75; block++)
    addNumbers(
      sketch,
      Float64Array.from({ length: 2000 }, () => random.next()),
    );
  const { length } = writeSketches(new Map([['a', sketch]]));
  assert.ok(length * 65 < 500_000, String(length));
});

function numberSketch(values: ArrayLike<number>): ColumnSketch {
  const sketch = columnSketch('number');
  addNumbers(sketch, Float64Array.from(values));
  return sketch;
}

function valueSketch(kind: 'category' | 'text', values: readonly (string | null)[]): ColumnSketch {
  const sketch = columnSketch(kind);
  for (const value of values) addValue(sketch, value);
  return sketch;
}
