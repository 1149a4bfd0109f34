import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { exp, log, logit, sigmoid, sine, softmaxInPlace, softplus } from './arithmetic.ts';

const near = (value: number, expected: number): boolean =>
  Math.abs(value - expected) <= 4e-16 * Math.abs(expected) || value === expected;

test('exp and log are within two units in the last place of the engine', () => {
  fc.assert(
    fc.property(fc.double({ min: -700, max: 709, noNaN: true }), (x) => near(exp(x), Math.exp(x))),
    { numRuns: 5000 },
  );
  fc.assert(
    fc.property(
      fc.double({ min: 1e-300, max: 1e300, noNaN: true }),
      (x) => near(log(x), Math.log(x)) || Math.abs(log(x) - Math.log(x)) < 2e-16,
    ),
    { numRuns: 5000 },
  );
});

test('sine is near the engine, odd, and exact at right angles', () => {
  fc.assert(
    fc.property(
      fc.double({ min: -3, max: 3, noNaN: true }),
      (turns) => Math.abs(sine(turns) - Math.sin(2 * Math.PI * turns)) < 4e-15,
    ),
    { numRuns: 2000 },
  );
  assert.deepEqual(
    [0, 0.25, 0.5, 0.75, 1].map(sine).map((value) => Number(value.toFixed(14)) + 0),
    [0, 1, 0, -1, 0],
  );
  assert.ok(Number.isNaN(sine(NaN)));
});

test('exp and log at the ends of their ranges', () => {
  assert.deepEqual(
    [exp(-Infinity), exp(-800), exp(0), exp(710), exp(Infinity)],
    [0, 0, 1, Infinity, Infinity],
  );
  assert.deepEqual([log(0), log(1), log(Infinity)], [-Infinity, 0, Infinity]);
  assert.ok(Number.isNaN(exp(NaN)) && Number.isNaN(log(NaN)) && Number.isNaN(log(-1)));
  assert.ok(Math.abs(log(5e-324) - Math.log(5e-324)) < 1e-10);
  assert.ok(exp(-740) > 0 && exp(709.7) < Infinity);
});

test('sigmoid, logit, softplus and softmax hold their identities', () => {
  fc.assert(
    fc.property(fc.double({ min: -30, max: 30, noNaN: true }), (x) => {
      assert.ok(Math.abs(sigmoid(x) + sigmoid(-x) - 1) < 1e-15);
      assert.ok(Math.abs(softplus(x) - softplus(-x) - x) < 1e-12);
      if (Math.abs(x) < 20) assert.ok(Math.abs(logit(sigmoid(x)) - x) < 1e-6);
    }),
  );
  const scores = Float64Array.of(9, 1000, 1000, 1000, 9);
  softmaxInPlace(scores, 1, 3);
  assert.deepEqual([...scores], [9, 1 / 3, 1 / 3, 1 / 3, 9]);
});

test('the very bits: these must be the same in every runtime', () => {
  assert.deepEqual([exp(1), exp(-0.3), log(10), sigmoid(0.7)].map(String), [
    '2.7182818284590455',
    '0.7408182206817179',
    '2.302585092994046',
    '0.6681877721681662',
  ]);
});
