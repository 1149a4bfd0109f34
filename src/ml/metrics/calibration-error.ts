// Expected calibration error: how far what was said lies from what came true, on average over bands of equal count
// (Naeini et al., AAAI 2015; equal counts after Nguyen & O'Connor, EMNLP 2015).
import type { Scored } from './metrics.ts';

const mostBands = 15;
const fewestRowsPerBand = 20;

/** 0 is perfect. Two classes: of the positive one. More: of the likeliest class, and whether it was right. */
export function calibrationError({ task, actual, probabilities, classCount, positiveClass }: Scored): number {
  const said = new Float64Array(actual.length);
  const cameTrue = new Uint8Array(actual.length);
  for (let row = 0; row < actual.length; row++) {
    let index = positiveClass;
    if (task !== 'binary') {
      index = 0;
      for (let other = 1; other < classCount; other++)
        if (probabilities[row * classCount + other]! > probabilities[row * classCount + index]!)
          index = other;
    }
    said[row] = probabilities[row * classCount + index]!;
    cameTrue[row] = Number(actual[row] === index);
  }
  const order = Int32Array.from(said, (_, row) => row).sort((a, b) => said[a]! - said[b]! || a - b);
  const bands = Math.max(1, Math.min(mostBands, Math.floor(order.length / fewestRowsPerBand)));
  let sum = 0;
  for (let band = 0; band < bands; band++) {
    let gap = 0;
    const from = Math.round((band * order.length) / bands);
    for (const row of order.subarray(from, Math.round(((band + 1) * order.length) / bands)))
      gap += said[row]! - cameTrue[row]!;
    sum += Math.abs(gap);
  }
  return sum / order.length;
}
