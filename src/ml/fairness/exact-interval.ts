// The exact interval of a share (Clopper & Pearson 1934): it holds the truth in at least 95 of 100 cases, however few the
// rows, also where none or all of them hit.

export interface Share {
  value: number;
  lower: number;
  upper: number;
}

const tail = 0.025;
const steps = 60;

/** `hits` of `count` rows, one at least. */
export function exactShare(hits: number, count: number): Share {
  return {
    value: hits / count,
    lower: hits === 0 ? 0 : bisect((share) => chanceOfAtLeast(hits, count, share) > tail),
    upper: hits === count ? 1 : bisect((share) => 1 - chanceOfAtLeast(hits + 1, count, share) < tail),
  };
}

/** The least share for which `isPast` holds; it holds from there on. */
function bisect(isPast: (share: number) => boolean): number {
  let low = 0;
  let high = 1;
  for (let step = 0; step < steps; step++) {
    const middle = (low + high) / 2;
    if (isPast(middle)) high = middle;
    else low = middle;
  }
  return (low + high) / 2;
}

/** Of a binomial variable: the regularised incomplete beta function of (hits, count - hits + 1) at `share`. */
function chanceOfAtLeast(hits: number, count: number, share: number): number {
  const a = hits;
  const b = count - hits + 1;
  const front = Math.exp(
    logFactorial(a + b - 1) -
      logFactorial(a - 1) -
      logFactorial(b - 1) +
      a * Math.log(share) +
      b * Math.log1p(-share),
  );
  return share < (a + 1) / (a + b + 2)
    ? (front * continuedFraction(share, a, b)) / a
    : 1 - (front * continuedFraction(1 - share, b, a)) / b;
}

/** Lentz's evaluation of the fraction for the incomplete beta function. */
function continuedFraction(x: number, a: number, b: number): number {
  const tiny = 1e-300;
  let c = 1;
  let d = 1 / orTiny(1 - ((a + b) * x) / (a + 1), tiny);
  let fraction = d;
  for (let step = 1; step <= 500; step++) {
    const even = (step * (b - step) * x) / ((a + 2 * step - 1) * (a + 2 * step));
    d = 1 / orTiny(1 + even * d, tiny);
    c = orTiny(1 + even / c, tiny);
    fraction *= d * c;
    const odd = (-(a + step) * (a + b + step) * x) / ((a + 2 * step) * (a + 2 * step + 1));
    d = 1 / orTiny(1 + odd * d, tiny);
    c = orTiny(1 + odd / c, tiny);
    fraction *= d * c;
    if (Math.abs(d * c - 1) < 1e-14) break;
  }
  return fraction;
}

function orTiny(value: number, tiny: number): number {
  return Math.abs(value) < tiny ? tiny : value;
}

/** Stirling's series, from ten on; products below. */
function logFactorial(n: number): number {
  if (n < 10) {
    let product = 1;
    for (let factor = 2; factor <= n; factor++) product *= factor;
    return Math.log(product);
  }
  const x = n + 1;
  return (
    (x - 0.5) * Math.log(x) -
    x +
    Math.log(2 * Math.PI) / 2 +
    1 / (12 * x) -
    1 / (360 * x ** 3) +
    1 / (1260 * x ** 5)
  );
}
