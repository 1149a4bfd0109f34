// Whether a candidate is worse than what answers now, looked at as often as one likes. Pure statistics.
//
// Requests are dealt to versions by chance. So if the candidate is no worse, each bad event (an error, a slow answer, a
// mistake) falls on it with the chance of its share of the traffic, whatever the load and however rates change over the
// day (Lindon, Malek, "Anytime-valid inference for multinomial count data", 2022). What is watched is the likelihood ratio
// of "its odds are r times as high", mixed over many r above 1, to that: a mixture sequential probability ratio test
// (Robbins 1970; Johari, Koomen, Pekelis, Walsh, "Peeking at A/B tests", 2017). By Ville's inequality it exceeds 1/alpha at
// any time at all with a chance of at most alpha, as long as the candidate is no worse.

/** Bad events of one period in which the chances did not change. */
export interface Stratum {
  /** Events in all. */
  trials: number;
  /** Those that fell on the candidate. */
  hits: number;
  /** The chance of a hit if the candidate is no worse, above 0 and below 1. */
  nullShare: number;
}

/** How many times as high the odds may be: from barely worse to hopeless, in equal steps of the logarithm. */
const oddsRatios = Array.from({ length: 24 }, (_, index) => Math.exp(Math.log(1.1) + index * 0.3));

/**
 * The evidence that hits are more frequent than they should be, over all strata together: the mixed likelihood ratio, as its
 * natural logarithm. 0 where nothing was seen; compare it with {@link limitOf}.
 */
export function logEvidence(strata: readonly Stratum[]): number {
  const ratios = oddsRatios.map((ratio) =>
    strata.reduce((total, { trials, hits, nullShare }) => {
      const share = (ratio * nullShare) / (ratio * nullShare + 1 - nullShare);
      return (
        total + hits * Math.log(share / nullShare) + (trials - hits) * Math.log((1 - share) / (1 - nullShare))
      );
    }, 0),
  );
  const largest = Math.max(...ratios);
  const sum = ratios.reduce((total, ratio) => total + Math.exp(ratio - largest), 0);
  return largest + Math.log(sum / ratios.length);
}

/** The evidence from which on a candidate is worse, when one in 1/alpha candidates that are not may be called so. */
export function limitOf(alpha: number): number {
  return Math.log(1 / alpha);
}

/** The chance, at most, of so much evidence by luck, at whatever time it is looked at: an always-valid p-value. */
export function chanceOf(evidence: number): number {
  return Math.min(1, Math.exp(-evidence));
}

/**
 * How far the measured shares of values below any point can lie from the true ones, at all sizes at once, but for a chance of
 * alpha (Howard, Ramdas, "Sequential estimation of quantiles with applications to A/B testing and best-arm identification",
 * 2022, theorem 2).
 */
export function shareRadius(count: number, alpha: number): number {
  if (count < 1) return 1;
  const growth = Math.log(Math.log(Math.E * count)) + 0.8 * Math.log(1612 / alpha);
  return Math.min(1, 0.85 * Math.sqrt(growth / count));
}

/** Two samples of answers, as counts of the same bins in the same order. */
export interface AnswerCounts {
  candidate: readonly number[];
  current: readonly number[];
}

/**
 * By how much at least the answers of two versions are spread differently: the largest difference of the shares of any bin
 * (`classes`) or of all bins up to any one (`numbers`), and what of it chance cannot explain.
 */
export function answersShift(
  { candidate, current }: AnswerCounts,
  kind: 'classes' | 'numbers',
  alpha: number,
): { measured: number; atLeast: number } {
  const [candidateCount, currentCount] = [sumOf(candidate), sumOf(current)];
  if (candidateCount === 0 || currentCount === 0) return { measured: 0, atLeast: 0 };
  // Of classes each is a sample of its own; all steps of one curve are bounded together.
  const each = alpha / 2 / (kind === 'classes' ? Math.max(1, candidate.length) : 1);
  let measured = 0;
  let difference = 0;
  candidate.forEach((count, index) => {
    const here = count / candidateCount - current[index]! / currentCount;
    difference = kind === 'classes' ? here : difference + here;
    measured = Math.max(measured, Math.abs(difference));
  });
  const radius = shareRadius(candidateCount, each) + shareRadius(currentCount, each);
  return { measured, atLeast: Math.max(0, measured - radius) };
}

function sumOf(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}
