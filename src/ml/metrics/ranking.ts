// Curves and areas over a ranking: ROC, precision-recall, AUC, average precision. Ties share a threshold.
// Definitions: Fawcett, "An introduction to ROC analysis" (2006); scikit-learn's average_precision_score.

/** Rows of one class against the rest, with a score for each. */
export interface Ranked {
  scores: Float64Array;
  /** 1 where the row is of the class. */
  isPositive: Uint8Array;
  weights?: Float64Array;
}

/** The same, with the rows from the highest score to the lowest. */
export interface Ranking extends Ranked {
  order: Int32Array;
}

export interface RankPoint {
  threshold: number;
  truePositives: number;
  falsePositives: number;
}

/** Orders rows by falling score; equal scores keep their order. */
export function rankBy(ranked: Ranked): Ranking {
  const { scores } = ranked;
  const order = Int32Array.from(scores, (_, row) => row).sort((a, b) => scores[b]! - scores[a]! || a - b);
  return { ...ranked, order };
}

/** Cumulated weight of positives and negatives at each distinct score, from the highest. */
export function rankPoints({ order, scores, isPositive, weights }: Ranking): RankPoint[] {
  const points: RankPoint[] = [];
  let truePositives = 0;
  let falsePositives = 0;
  for (let index = 0; index < order.length; index++) {
    const row = order[index]!;
    const weight = weights ? weights[row]! : 1;
    if (isPositive[row]) truePositives += weight;
    else falsePositives += weight;
    const next = order[index + 1];
    if (next === undefined || scores[next] !== scores[row])
      points.push({ threshold: scores[row]!, truePositives, falsePositives });
  }
  return points;
}

/**
 * Area under the ROC curve: the share of pairs of a positive and a negative that the scores put in order, ties half.
 * NaN unless both classes are there.
 */
export function areaUnderRoc(ranking: Ranked): number {
  return ranking.weights ? weightedArea(rankPoints(rankBy(ranking))) : areaByMerging(ranking);
}

/** Sum over thresholds of precision times the gain in recall; NaN without positives. */
export function averagePrecision(ranked: Ranked): number {
  const points = rankPoints(rankBy(ranked));
  const total = points.at(-1)?.truePositives ?? 0;
  if (total === 0) return NaN;
  let sum = 0;
  let before = 0;
  for (const point of points) {
    sum +=
      ((point.truePositives - before) * point.truePositives) / (point.truePositives + point.falsePositives);
    before = point.truePositives;
  }
  return sum / total;
}

/** The ROC curve thinned to at most `maximumPoints` points, both ends kept. */
export function rocCurve(
  ranking: Ranking,
  maximumPoints = 200,
): { falsePositiveRate: number; truePositiveRate: number; threshold: number }[] {
  const points = rankPoints(ranking);
  const last = points.at(-1);
  if (!last || last.truePositives === 0 || last.falsePositives === 0) return [];
  const curve = thin(points, maximumPoints - 1).map((point) => ({
    falsePositiveRate: point.falsePositives / last.falsePositives,
    truePositiveRate: point.truePositives / last.truePositives,
    threshold: point.threshold,
  }));
  return [{ falsePositiveRate: 0, truePositiveRate: 0, threshold: 1 }, ...curve];
}

/** The precision-recall curve thinned to at most `maximumPoints` points. */
export function precisionRecallCurve(
  ranking: Ranking,
  maximumPoints = 200,
): { recall: number; precision: number; threshold: number }[] {
  const points = rankPoints(ranking);
  const total = points.at(-1)?.truePositives ?? 0;
  if (total === 0) return [];
  return thin(points, maximumPoints).map((point) => ({
    recall: point.truePositives / total,
    precision: point.truePositives / (point.truePositives + point.falsePositives),
    threshold: point.threshold,
  }));
}

/** Two sorted arrays merged: many times faster than ordering rows, and searches do this often. */
function areaByMerging({ scores, isPositive }: Ranked): number {
  const positives = scores.filter((_, row) => isPositive[row] === 1).sort();
  const negatives = scores.filter((_, row) => isPositive[row] !== 1).sort();
  let below = 0;
  let notAbove = 0;
  let pairs = 0;
  for (const score of positives) {
    while (below < negatives.length && negatives[below]! < score) below++;
    while (notAbove < negatives.length && negatives[notAbove]! <= score) notAbove++;
    pairs += (below + notAbove) / 2;
  }
  return pairs / (positives.length * negatives.length);
}

function weightedArea(points: readonly RankPoint[]): number {
  let area = 0;
  let before: RankPoint = { threshold: Infinity, truePositives: 0, falsePositives: 0 };
  for (const point of points) {
    area +=
      ((point.falsePositives - before.falsePositives) * (point.truePositives + before.truePositives)) / 2;
    before = point;
  }
  return area / (before.truePositives * before.falsePositives);
}

/** Evenly spaced points, the first and the last among them. */
function thin<T>(points: readonly T[], maximumPoints: number): T[] {
  if (points.length <= maximumPoints) return [...points];
  const step = (points.length - 1) / (maximumPoints - 1);
  return Array.from({ length: maximumPoints }, (_, index) => points[Math.round(index * step)]!);
}
