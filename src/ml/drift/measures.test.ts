// Figures of scipy 1.17.1 and numpy 2.4.6, each computed once by the line of Python above it, and what must hold of any
// counts.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import type { Levels } from '../learners/bins.ts';
import {
  chiSquare,
  jensenShannonDistance,
  kolmogorovSmirnov,
  meanDiscrepancy,
  stabilityIndex,
} from './measures.ts';
import { chiSquareTail, correctedForMany, kolmogorovTail } from './p-values.ts';
import { addText, termMean } from './term-mean.ts';

const a = [50, 30, 20, 10];
const b = [40, 35, 10, 25];

const counts = fc
  .array(fc.nat(1000), { minLength: 6, maxLength: 6 })
  .filter((all) => all.some((one) => one > 0));

suite('as scipy has it', () => {
  test('chi2.sf(x, k)', () => {
    // [stats.chi2.sf(x, k) for x, k in [(0.5, 1), (10, 3), (40, 9), (100, 50), (1e-3, 4), (300, 250)]]
    near(chiSquareTail(0.5, 1), 0.47950012218695337);
    near(chiSquareTail(10, 3), 0.01856613546304325);
    near(chiSquareTail(40, 9), 7.598525229464264e-6);
    near(chiSquareTail(100, 50), 3.454931382984871e-5);
    near(chiSquareTail(1e-3, 4), 0.9999998750416589);
    near(chiSquareTail(300, 250), 0.016518273157868715);
  });

  test('kstwobign.sf(x)', () => {
    // [stats.kstwobign.sf(x) for x in [0.2, 0.5, 0.9, 1.0, 1.5, 3.0]]
    near(kolmogorovTail(0.2), 0.999999999999495);
    near(kolmogorovTail(0.5), 0.9639452436648751);
    near(kolmogorovTail(0.9), 0.3927307079406543);
    near(kolmogorovTail(1), 0.26999967167735456);
    near(kolmogorovTail(1.5), 0.022217962616525127);
    near(kolmogorovTail(3), 3.045995948942526e-8);
  });

  test('chi2_contingency, jensenshannon, entropy', () => {
    // stats.chi2_contingency([a, b], correction=False)
    const { statistic, pValue, degrees } = chiSquare(a, b);
    near(statistic, 11.257631257631258);
    near(pValue, 0.010411300683756897);
    assert.equal(degrees, 3);
    // scipy.spatial.distance.jensenshannon(a, b, base=2)
    near(jensenShannonDistance(a, b), 0.194501405785678);
    // p, q = a/110, b/110; stats.entropy(p, q) + stats.entropy(q, p)
    near(stabilityIndex(a, b), 0.2152547426908197);
  });

  test('ks_2samp', () => {
    // x = np.sin(np.arange(200)); y = np.sin(np.arange(150)) * 0.8 + 0.1; r = stats.ks_2samp(x, y)
    // r.statistic, stats.kstwobign.sf(r.statistic * np.sqrt(200 * 150 / 350))
    const x = levels(Array.from({ length: 200 }, (_, index) => Math.sin(index)));
    const y = levels(Array.from({ length: 150 }, (_, index) => Math.sin(index) * 0.8 + 0.1));
    const { statistic, pValue } = kolmogorovSmirnov(x, y);
    near(statistic, 0.255);
    near(pValue, 2.8832836138838852e-5);
  });
});

suite('of any counts', () => {
  test('a distribution is not away from itself, however many rows it has', () => {
    fc.assert(
      fc.property(counts, fc.integer({ min: 1, max: 50 }), (some, times) => {
        const more = some.map((count) => count * times);
        assert.ok(stabilityIndex(some, more) < 1e-12);
        assert.ok(jensenShannonDistance(some, more) < 1e-6);
        assert.ok(chiSquare(some, more).pValue > 0.99);
      }),
    );
  });

  test('distances are the same both ways, never negative, and bounded where they say so', () => {
    fc.assert(
      fc.property(counts, counts, (some, others) => {
        near(stabilityIndex(some, others), stabilityIndex(others, some));
        near(jensenShannonDistance(some, others), jensenShannonDistance(others, some));
        near(chiSquare(some, others).pValue, chiSquare(others, some).pValue);
        assert.ok(stabilityIndex(some, others) >= 0);
        assert.ok(jensenShannonDistance(some, others) <= 1);
        const { pValue } = chiSquare(some, others);
        assert.ok(pValue >= 0 && pValue <= 1);
      }),
    );
  });

  test('the largest distance of steps is that of all of them', () => {
    const values = fc.array(fc.integer({ min: -5, max: 5 }).map(Number), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(values, values, (some, others) => {
        const share = (all: number[], at: number): number =>
          all.filter((value) => value <= at).length / all.length;
        const steps = [...some, ...others].map((at) => Math.abs(share(some, at) - share(others, at)));
        near(kolmogorovSmirnov(levels(some), levels(others)).statistic, Math.max(...steps));
      }),
    );
  });

  test('corrected p-values rise, keep their order and are at most as many times as large', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 30 }), (pValues) => {
        const corrected = correctedForMany(pValues);
        for (const [index, pValue] of pValues.entries()) {
          assert.ok(corrected[index]! >= pValue && corrected[index]! <= Math.min(1, pValue * pValues.length));
          for (const [other, otherP] of pValues.entries())
            if (pValue < otherP) assert.ok(corrected[index]! <= corrected[other]!);
        }
      }),
    );
  });

  test('nothing has moved where there is nothing', () => {
    assert.equal(stabilityIndex([0, 0], [3, 4]) > 0, true);
    assert.deepEqual(kolmogorovSmirnov(levels([]), levels([1])), { statistic: 0, pValue: 1 });
    assert.equal(chiSquare([0, 0], [3, 4]).pValue, 1);
    assert.equal(chiSquare([], []).pValue, 1);
    assert.deepEqual(meanDiscrepancy(termMean(), termMean()), { statistic: 0, pValue: 1 });
  });
});

test('texts about other things are far away, by another order of words not', () => {
  const [orders, same, complaints] = [termMean(), termMean(), termMean()];
  for (let index = 0; index < 400; index++) {
    addText(orders, `please send order ${index} to my house`, 1);
    addText(same, `to my house please send order ${index}`, 1);
    addText(complaints, `the invoice ${index} was wrong, refund at once`, 1);
  }
  assert.ok(meanDiscrepancy(orders, same).statistic < 1e-12);
  assert.equal(meanDiscrepancy(orders, same).pValue, 1);
  assert.ok(meanDiscrepancy(orders, complaints).statistic > 0.5);
  assert.ok(meanDiscrepancy(orders, complaints).pValue < 1e-6);
});

function levels(values: readonly number[]): Levels {
  const distinct = Float64Array.from(new Set(values)).sort();
  const counts = Float64Array.from(distinct, (value) => values.filter((one) => one === value).length);
  return { distinct, counts, valueCount: values.length };
}

function near(found: number, expected: number): void {
  const off = Math.abs(found - expected);
  assert.ok(off <= 1e-9 * Math.max(1, Math.abs(expected)), `${found} is not ${expected}`);
  if (expected !== 0 && Math.abs(expected) < 1e-3) assert.ok(off / Math.abs(expected) < 1e-6);
}
