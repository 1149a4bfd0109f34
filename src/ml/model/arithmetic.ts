// exp, log and what is built from them, out of + - * / alone, so that every JavaScript runtime gives the same bits
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

/** Reciprocal factorials 1/0! to 1/13!. */
const inverseFactorials = ((): Float64Array => {
  const values = new Float64Array(14);
  let factorial = 1;
  for (let n = 0; n < 14; n++) {
    if (n > 0) factorial *= n;
    values[n] = 1 / factorial;
  }
  return values;
})();

/** e to the power `x`; 0 below -745.2, Infinity above 709.79. */
export function exp(x: number): number {
  if (x !== x) return x;
  if (x > 709.782712893384) return Infinity;
  if (x < -745.1332191019412) return 0;
  const k = Math.floor(x * inverseLn2 + 0.5);
  const rest = x - k * ln2High - k * ln2Low;
  let sum = inverseFactorials[13]!;
  for (let n = 12; n >= 0; n--) sum = sum * rest + inverseFactorials[n]!;
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
  let sum = 1 / 23;
  for (let n = 21; n >= 3; n -= 2) sum = sum * square + 1 / n;
  return exponent * ln2High + (exponent * ln2Low + 2 * s * square * sum + 2 * s);
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
