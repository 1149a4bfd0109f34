// exp, log, sine and what is built from them, out of + - * / alone, so that every JavaScript runtime gives the same bits
// (ECMAScript leaves Math.exp and Math.log to the engine, and engines differ in the last bit).
// Range reduction by powers of two, then a short series; accurate to about one unit in the last place.

const ln2High = 0.69314718036912381649; // ln 2 in two parts: the first has trailing zero bits, so k * ln2High is exact
const ln2Low = 1.90821492927058770002e-10;
const inverseLn2 = 1.4426950408889634;
const lowestExponent = -1074;

/** Powers of two from 2^-1074 to 2^1023, made by doubling and therefore exact. */
const powersOfTwo = ((): Float64Array => {
  const powers = new Float64Array(1024 - lowestExponent);
  powers[0] = 5e-324;
  for (let index = 1; index < powers.length; index++) powers[index] = powers[index - 1]! * 2;
  return powers;
})();

/** e to the power `x`; 0 below -745.2, Infinity above 709.79. */
export function exp(x: number): number {
  if (x !== x) return x;
  if (x > 709.782712893384) return Infinity;
  if (x < -745.1332191019412) return 0;
  const k = Math.floor(x * inverseLn2 + 0.5);
  const rest = x - k * ln2High - k * ln2Low;
  const sum = expSeries(rest);
  if (k > 1023) return sum * 2 * powersOfTwo[1023 - lowestExponent]!;
  if (k < -1022) return sum * powersOfTwo[k + 60 - lowestExponent]! * powersOfTwo[-60 - lowestExponent]!;
  return sum * powersOfTwo[k - lowestExponent]!;
}

const doubleView = new Float64Array(1);
const wordView = new Uint32Array(doubleView.buffer);
const highWord = ((): number => {
  doubleView[0] = 1;
  return wordView[1] === 0x3ff00000 ? 1 : 0;
})();

/** Natural logarithm; -Infinity at 0, NaN below. */
export function log(x: number): number {
  if (x !== x || x < 0) return NaN;
  if (x === 0) return -Infinity;
  if (x === Infinity) return x;
  let exponent = 0;
  if (x < 2.2250738585072014e-308) {
    x *= 18014398509481984; // 2^54, lifts subnormal numbers
    exponent = -54;
  }
  doubleView[0] = x;
  exponent += ((wordView[highWord]! >>> 20) & 0x7ff) - 1023;
  wordView[highWord] = (wordView[highWord]! & 0x000fffff) | 0x3ff00000;
  let mantissa = doubleView[0]!;
  if (mantissa > 1.4142135623730951) {
    mantissa /= 2;
    exponent += 1;
  }
  const s = (mantissa - 1) / (mantissa + 1);
  const square = s * s;
  const sum = logSeries(square);
  return exponent * ln2High + (exponent * ln2Low + 2 * s * square * sum + 2 * s);
}

/** Sine of an angle in turns: 0.25 is a right angle. */
export function sine(turns: number): number {
  const share = turns - Math.floor(turns);
  const half = share >= 0.5 ? share - 0.5 : share;
  const x = 2 * Math.PI * (half > 0.25 ? 0.5 - half : half);
  const value = x * sineSeries(x * x);
  // Not -value, which would be -0.
  return share >= 0.5 ? 0 - value : value;
}

/** 1 / (1 + e^-x), in [0, 1]. */
export function sigmoid(x: number): number {
  if (x >= 0) return 1 / (1 + exp(-x));
  const e = exp(x);
  return e / (1 + e);
}

/** ln(1 + e^x) without overflow. */
export function softplus(x: number): number {
  return x > 0 ? x + log(1 + exp(-x)) : log(1 + exp(x));
}

/** Log odds of a probability, which is kept away from 0 and 1 by 1e-12. */
export function logit(probability: number): number {
  const p = Math.min(1 - 1e-12, Math.max(1e-12, probability));
  return log(p / (1 - p));
}

/** Replaces the `count` scores from `start` by probabilities that sum to one. */
export function softmaxInPlace(scores: Float64Array, start: number, count: number): void {
  let highest = -Infinity;
  for (let index = start; index < start + count; index++)
    if (scores[index]! > highest) highest = scores[index]!;
  let sum = 0;
  for (let index = start; index < start + count; index++)
    sum += scores[index] = exp(scores[index]! - highest);
  for (let index = start; index < start + count; index++) scores[index] = scores[index]! / sum;
}

/** 1 + x + x^2/2! + ... + x^13/13!, enough for |x| <= ln(2)/2. Written out, because this is the innermost loop of all. */
function expSeries(x: number): number {
  const high =
    ((((((1 / 6227020800) * x + 1 / 479001600) * x + 1 / 39916800) * x + 1 / 3628800) * x + 1 / 362880) * x +
      1 / 40320) *
      x +
    1 / 5040;
  return ((((((high * x + 1 / 720) * x + 1 / 120) * x + 1 / 24) * x + 1 / 6) * x + 0.5) * x + 1) * x + 1;
}

/** 1 - y/3! + y^2/5! - ... - y^9/19!, for y up to 2.47. */
function sineSeries(y: number): number {
  let sum = 1;
  for (let factor = 18; factor >= 2; factor -= 2) sum = 1 - (sum * y) / (factor * (factor + 1));
  return sum;
}

/** 1/3 + y/5 + y^2/7 + ... + y^10/23, for y up to 0.0295. */
function logSeries(y: number): number {
  const high = (((((1 / 23) * y + 1 / 21) * y + 1 / 19) * y + 1 / 17) * y + 1 / 15) * y + 1 / 13;
  return ((((high * y + 1 / 11) * y + 1 / 9) * y + 1 / 7) * y + 1 / 5) * y + 1 / 3;
}
