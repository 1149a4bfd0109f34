// What a finished model does, told from the locked rows: how its answer follows the columns that matter, where it is worst,
// and how it treats groups of people. Beside the measures of quality, for those who must answer for it.
import { findCohorts, type CohortReport } from '../explain/cohorts.ts';
import { dependenceOn, type Dependence } from '../explain/partial-dependence.ts';
import { fairnessOf, type FairnessReport } from '../fairness/fairness.ts';
import { selectRows, type Frame } from '../frame/frame.ts';
import { hasClasses } from '../frame/schema.ts';
import type { Scored } from '../metrics/metrics.ts';
import type { ModelContent } from '../model/manifest.ts';
import { predictorOf } from '../model/predictor.ts';

export interface TrustReport {
  /** Most important columns first. */
  dependence: Dependence[];
  /** Absent for rankings, whose single rows are neither right nor wrong. */
  cohorts?: CohortReport;
  /** One for each protected column. */
  fairness: FairnessReport[];
}

export interface TrustInput {
  content: ModelContent;
  /** The holdout: its inputs, its protected columns, and what the model said of it. */
  frame: Frame;
  protectedColumns: Frame;
  scored: Scored;
  seed: number;
  /** Rows whose answers for one column there is time for; asked before each. */
  affordableRows: () => Promise<number>;
}

const mostColumns = 8;
const mostRows = 100;
const fewestRows = 20;
/** Values that are asked about, at most. */
const answersPerRow = 15;

/** Rows to predict for curves that show something, of a holdout of so many. */
export function rowsForCurves(holdoutCount: number): number {
  return Math.min(holdoutCount, fewestRows) * mostColumns * answersPerRow;
}

export async function trustReport(input: TrustInput): Promise<TrustReport> {
  const { content, frame, protectedColumns, scored, seed } = input;
  const { importance } = content.manifest;
  const ordered = importance.map(({ column }) => column);
  const byImportance = frame.columns.toSorted((a, b) => placeOf(ordered, a.name) - placeOf(ordered, b.name));
  const cohorts =
    scored.task === 'ranking'
      ? undefined
      : findCohorts(
          { ...frame, columns: byImportance },
          errorsOf(scored),
          hasClasses(scored.task) ? 'mistakes' : 'distance',
        );
  return {
    dependence: await dependences(input, ordered.slice(0, mostColumns)),
    ...(cohorts && { cohorts }),
    fairness:
      scored.task === 'ranking'
        ? []
        : protectedColumns.columns.map((column) => fairnessOf(column, scored, seed)),
  };
}

function placeOf(names: readonly string[], name: string): number {
  const place = names.indexOf(name);
  return place < 0 ? names.length : place;
}

function errorsOf({ task, actual, predicted }: Scored): Float64Array {
  return actual.map((truth, row) =>
    hasClasses(task) ? Number(predicted[row] !== truth) : Math.abs(predicted[row]! - truth),
  );
}

async function dependences(
  { content, frame, affordableRows }: TrustInput,
  names: readonly string[],
): Promise<Dependence[]> {
  const predictor = predictorOf(content);
  const found: Dependence[] = [];
  for (const name of names) {
    const rowCount = Math.min(mostRows, frame.rowCount, Math.floor((await affordableRows()) / answersPerRow));
    if (rowCount < Math.min(fewestRows, frame.rowCount)) break;
    const rows = Int32Array.from({ length: rowCount }, (_, index) =>
      Math.floor((index * frame.rowCount) / rowCount),
    );
    const one = dependenceOn(name, selectRows(frame, rows), predictor);
    if (one) found.push(one);
  }
  return found;
}
