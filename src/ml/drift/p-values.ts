// How likely a difference is by chance alone: tails of the chi-square and the Kolmogorov distribution, and what becomes
// of many such figures in one report. Agrees with scipy to 1e-9 (measures.test.ts holds its figures).

/** Chance of a chi-square value of at least `value` with so many degrees of freedom. */
export function chiSquareTail(value: number, degrees: number): number {
  if (degrees === 0 || value <= 0) return 1;
  return upperGamma(degrees / 2, value / 2);
}

/**
 * Chance that the largest distance of two empirical distributions, times sqrt(n m / (n + m)), is at least `value`
 * (Kolmogorov, 1933; Smirnov, 1948). For large samples.
 */
export function kolmogorovTail(value: number): number {
  if (value <= 0) return 1;
  let sum = 0;
  if (value < 1) {
    // The series below is slow here; this is its theta transform.
    const base = -(Math.PI ** 2) / (8 * value ** 2);
    for (let odd = 1; odd < 40; odd += 2) sum += Math.exp(base * odd ** 2);
    return Math.max(0, Math.min(1, 1 - (Math.sqrt(2 * Math.PI) / value) * sum));
  }
  for (let term = 1; term < 40; term++)
    sum += (term % 2 === 1 ? 2 : -2) * Math.exp(-2 * term ** 2 * value ** 2);
  return Math.max(0, Math.min(1, sum));
}

/**
 * p-values of several tests, raised so that the chance of naming even one wrongly stays what it says, whatever hangs
 * together with what (Holm, "A simple sequentially rejective multiple test procedure", 1979). In the given order.
 */
export function correctedForMany(pValues: readonly number[]): number[] {
  const order = pValues.map((_, index) => index).sort((a, b) => pValues[a]! - pValues[b]!);
  const corrected = pValues.map(() => 1);
  let highest = 0;
  for (const [rank, index] of order.entries()) {
    highest = Math.max(highest, Math.min(1, pValues[index]! * (pValues.length - rank)));
    corrected[index] = highest;
  }
  return corrected;
}

/** The regularised upper incomplete gamma function, by series or continued fraction (DLMF 8.7.1, 8.9.2). */
function upperGamma(shape: number, x: number): number {
  const scale = Math.exp(shape * Math.log(x) - x - logGamma(shape));
  if (x < shape + 1) {
    let term = 1 / shape;
    let sum = term;
    for (let step = 1; term > sum * 1e-17 && step < 10_000; step++) {
      term *= x / (shape + step);
      sum += term;
    }
    return Math.max(0, 1 - sum * scale);
  }
  // Lentz's method.
  const tiny = 1e-300;
  let b = x + 1 - shape;
  let c = 1 / tiny;
  let d = 1 / b;
  let fraction = d;
  for (let step = 1; step < 10_000; step++) {
    const a = -step * (step - shape);
    b += 2;
    d = 1 / nonZero(a * d + b, tiny);
    c = nonZero(b + a / c, tiny);
    fraction *= d * c;
    if (Math.abs(d * c - 1) < 1e-16) break;
  }
  return Math.min(1, scale * fraction);
}

function nonZero(value: number, tiny: number): number {
  return Math.abs(value) < tiny ? tiny : value;
}

/** Of positive numbers: Stirling's series (DLMF 5.11.1) beyond 10, and the recurrence below. */
function logGamma(x: number): number {
  let below = 0;
  let z = x;
  for (; z < 10; z++) below += Math.log(z);
  const inverse = 1 / z ** 2;
  const series =
    (1 / 12 - inverse * (1 / 360 - inverse * (1 / 1260 - inverse * (1 / 1680 - inverse / 1188)))) / z;
  return (z - 0.5) * Math.log(z) - z + Math.log(2 * Math.PI) / 2 + series - below;
}
