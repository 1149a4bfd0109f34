// Fits isotonic calibration: the rising curve nearest to what happened, by pooling adjacent violators (Ayer et al. 1955),
// over bands of equal count, so that a curve has few knots, and with a pull away from 0 and 1, which no sample can show.
import type { CalibrationCurve } from '../model/calibration.ts';
import type { Scored } from '../metrics/metrics.ts';

const mostBands = 50;
const fewestRowsPerBand = 20;
/** Imagined rows in each band, at its own prediction: what keeps a chance from becoming 0 or 1. */
const priorRows = 1;
const smallest = 1e-4;

/** One curve for two classes, one for each class otherwise; out-of-fold rows. */
export function fitIsotonic({ actual, probabilities, classCount }: Scored): CalibrationCurve[] {
  const wanted = classCount === 2 ? [1] : Array.from({ length: classCount }, (_, index) => index);
  return wanted.map((index) => {
    const said = Float64Array.from(actual, (_, row) => probabilities[row * classCount + index]!);
    return curveOf(
      said,
      actual.map((truth) => Number(truth === index)),
    );
  });
}

interface Band {
  rowCount: number;
  said: number;
  hits: number;
}

function curveOf(said: Float64Array, hits: Float64Array): CalibrationCurve {
  const pooled: Band[] = [];
  for (const band of bandsOf(said, hits)) {
    pooled.push(band);
    while (pooled.length > 1 && rateOf(pooled.at(-2)!) >= rateOf(pooled.at(-1)!)) {
      const last = pooled.pop()!;
      const before = pooled.at(-1)!;
      before.rowCount += last.rowCount;
      before.said += last.said;
      before.hits += last.hits;
    }
  }
  const centres = pooled.map((band) => ({ said: band.said / band.rowCount, cameTrue: rateOf(band) }));
  // Beyond the outermost centres the curve goes on to where nothing and everything would come true.
  const ends = [{ said: 0, cameTrue: smallest }, ...centres];
  ends.push({ said: 1, cameTrue: 1 - smallest });
  const knots = ends.filter((knot, index) => index === 0 || knot.said > ends[index - 1]!.said);
  return { said: knots.map((knot) => knot.said), cameTrue: knots.map((knot) => knot.cameTrue) };
}

function rateOf({ rowCount, said, hits }: Band): number {
  const rate = (hits + (priorRows * said) / rowCount) / (rowCount + priorRows);
  return Math.min(1 - smallest, Math.max(smallest, rate));
}

/** Of equal count, from low to high; equal predictions stay together. */
function bandsOf(said: Float64Array, hits: Float64Array): Band[] {
  const order = Int32Array.from(said, (_, row) => row).sort((a, b) => said[a]! - said[b]! || a - b);
  const size = Math.max(fewestRowsPerBand, Math.ceil(order.length / mostBands));
  const bands: Band[] = [];
  for (let from = 0; from < order.length;) {
    let to = Math.min(order.length, from + size);
    while (to < order.length && said[order[to]!] === said[order[to - 1]!]) to++;
    const band: Band = { rowCount: to - from, said: 0, hits: 0 };
    for (const row of order.subarray(from, to)) {
      band.said += said[row]!;
      band.hits += hits[row]!;
    }
    bands.push(band);
    from = to;
  }
  return bands;
}
