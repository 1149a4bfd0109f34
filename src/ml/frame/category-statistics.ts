// Categories as numbers: how frequent a category is, and the smoothed mean of the target among its rows (Micci-Barreca,
// "A preprocessing scheme for high-cardinality categorical attributes", 2001), for learners that make none of their own.
// Means are learned in each fold from its training rows alone; a model reads those of its own fold and never another's.
// Fitting is in fit-statistics.ts; this file is what predictions need.

export interface FoldMeans {
  /** What a category that the fold has not seen counts as: the mean of all its training rows. */
  prior: number;
  /** The mean of each category. */
  means: readonly number[];
}

export interface CategoryStatistics {
  /** In alphabetical order. */
  categories: readonly string[];
  /** Share of rows that have the category; 0 counts for those that are not listed. */
  shares: readonly number[];
  /** What the means are of: the target, or whether a row has this class. */
  of: readonly string[];
  /** By fold, then as `of`. */
  folds: readonly (readonly FoldMeans[])[];
}

/** How many features the statistics of a column are. */
export function statisticsWidth({ of, folds }: CategoryStatistics): number {
  return 1 + folds.length * of.length;
}

/** Names of the features, and the fold whose models may see them (the first is for all). */
export function statisticsFeatures(
  column: string,
  { of, folds }: CategoryStatistics,
): { name: string; fold?: number }[] {
  return [
    { name: `${column} (share of rows)` },
    ...folds.flatMap((_, fold) =>
      of.map((what) => ({ name: `${column} (mean of ${what}, fold ${fold + 1})`, fold })),
    ),
  ];
}

/** Writes the statistics of one category into `out` from `start`; missing stays missing. */
export function statisticsEncoder(
  statistics: CategoryStatistics,
): (category: string | null, out: Float64Array, start: number) => void {
  const places = new Map(statistics.categories.map((category, index) => [category, index]));
  const means = statistics.folds.flat();
  const width = statisticsWidth(statistics);
  return (category, out, start) => {
    if (category === null) {
      out.fill(NaN, start, start + width);
      return;
    }
    const place = places.get(category);
    out[start] = place === undefined ? 0 : statistics.shares[place]!;
    for (let index = 0; index < means.length; index++) {
      const one = means[index]!;
      out[start + 1 + index] = place === undefined ? one.prior : one.means[place]!;
    }
  };
}
