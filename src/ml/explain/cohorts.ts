// Where a model is worst: segments of the rows, of one condition or two, in which its errors are clearly larger than
// elsewhere (slice finding: Chung et al., "Slice Finder", ICDE 2019). What many looks find by chance is held back with
// Benjamini and Hochberg's procedure (1995).
import type { Frame } from '../frame/frame.ts';
import { normalTail } from './normal.ts';
import { inBoth, segmentsOf, type Condition, type Segment } from './segments.ts';

export interface Cohort {
  conditions: Condition[];
  rowCount: number;
  /** Mean error in it, with an interval of 95 %, and of all other rows. */
  error: number;
  lower: number;
  upper: number;
  errorElsewhere: number;
}

export interface CohortReport {
  /** `mistakes`: the share of rows answered wrongly. `distance`: how far off answers are, in the target's unit. */
  measure: 'mistakes' | 'distance';
  /** Segments that were looked at. */
  lookedAt: number;
  /** Worst first; none where errors are spread evenly. */
  cohorts: Cohort[];
}

const fewestRows = 30;
const fewestShare = 0.02;
const mostColumns = 30;
const mostPaired = 12;
const mostShown = 8;
/** Of the cohorts that are told, at most this share is expected to be chance. */
const falseShare = 0.05;
/** A pair must be this much worse than each of its parts, or its parts say it more simply. */
const leastWorse = 1.1;
/** Of the rows of two cohorts together. */
const mostCommon = 0.5;
const intervalErrors = 1.96;

interface Look extends Cohort {
  rows: Int32Array;
  chance: number;
  parts: Look[];
}

/** Finds them among rows with one error each; `columns` of the frame in the order in which they matter. */
export function findCohorts(
  { columns }: Frame,
  errors: Float64Array,
  measure: CohortReport['measure'],
): CohortReport {
  const enough = Math.max(fewestRows, Math.ceil(errors.length * fewestShare));
  const fits = (rows: Int32Array): boolean => rows.length >= enough && errors.length - rows.length >= enough;
  const total = sumsOf(
    errors,
    Int32Array.from(errors, (_, row) => row),
  );
  const look = (conditions: Condition[], rows: Int32Array, parts: Look[]): Look =>
    lookAt({ conditions, rows, parts }, errors, total);
  const single = columns
    .slice(0, mostColumns)
    .flatMap(segmentsOf)
    .filter((segment: Segment) => fits(segment.rows))
    .map(({ condition, rows }) => look([condition], rows, []));
  const worst = single.toSorted((a, b) => a.chance - b.chance).slice(0, mostPaired);
  const pairs = worst.flatMap((a, index) =>
    worst.slice(index + 1).flatMap((b) => {
      if (a.conditions[0]!.column === b.conditions[0]!.column) return [];
      const rows = inBoth(a.rows, b.rows);
      return fits(rows) ? [look([...a.conditions, ...b.conditions], rows, [a, b])] : [];
    }),
  );
  const all = [...single, ...pairs];
  const clear = clearOf(all).filter(({ error, parts }) =>
    parts.every((part) => error > part.error * leastWorse),
  );
  return {
    measure,
    lookedAt: all.length,
    cohorts: unlike(
      clear.sort((a, b) => b.lower - b.errorElsewhere - (a.lower - a.errorElsewhere)),
      errors.length,
    ).map(({ conditions, rowCount, error, lower, upper, errorElsewhere }) => ({
      conditions,
      rowCount,
      error,
      lower,
      upper,
      errorElsewhere,
    })),
  };
}

/** Those that chance alone would rarely show, by Benjamini and Hochberg. */
function clearOf(looks: readonly Look[]): Look[] {
  const sorted = looks.toSorted((a, b) => a.chance - b.chance);
  const last = sorted.findLastIndex(
    ({ chance }, index) => chance <= (falseShare * (index + 1)) / looks.length,
  );
  return sorted.slice(0, last + 1);
}

/** The first of those that have most rows in common: "husband" and "married" are one finding. */
function unlike(looks: readonly Look[], rowCount: number): Look[] {
  const kept: Look[] = [];
  const isIn = new Uint8Array(rowCount);
  for (const candidate of looks) {
    if (kept.length === mostShown) break;
    isIn.fill(0);
    for (const row of candidate.rows) isIn[row] = 1;
    const isKnown = kept.some(({ rows }) => {
      const common = rows.reduce((sum, row) => sum + isIn[row]!, 0);
      return common > mostCommon * (rows.length + candidate.rows.length - common);
    });
    if (!isKnown) kept.push(candidate);
  }
  return kept;
}

interface Sums {
  count: number;
  sum: number;
  squares: number;
}

function sumsOf(errors: Float64Array, rows: Int32Array): Sums {
  let sum = 0;
  let squares = 0;
  for (const row of rows) {
    sum += errors[row]!;
    squares += errors[row]! ** 2;
  }
  return { count: rows.length, sum, squares };
}

/** Welch's comparison of the segment with all other rows, one-sided. */
function lookAt(
  { conditions, rows, parts }: Pick<Look, 'conditions' | 'rows' | 'parts'>,
  errors: Float64Array,
  total: Sums,
): Look {
  const inside = sumsOf(errors, rows);
  const outside: Sums = {
    count: total.count - inside.count,
    sum: total.sum - inside.sum,
    squares: total.squares - inside.squares,
  };
  const error = inside.sum / inside.count;
  const errorElsewhere = outside.sum / outside.count;
  const own = variance(inside) / inside.count;
  const spread = Math.sqrt(own + variance(outside) / outside.count);
  const margin = intervalErrors * Math.sqrt(own);
  return {
    conditions,
    rowCount: inside.count,
    error,
    lower: Math.max(0, error - margin),
    upper: error + margin,
    errorElsewhere,
    rows,
    parts,
    chance: spread > 0 ? normalTail((error - errorElsewhere) / spread) : 1,
  };
}

function variance({ count, sum, squares }: Sums): number {
  return Math.max(0, (squares - (sum * sum) / count) / (count - 1));
}
