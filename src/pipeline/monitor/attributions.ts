// What counts for the answers: how far each column moves an answer away from the average (ml/explain), over some rows of
// a side. The sizes are kept as sketches of numbers like everything that reports compare; their means, as shares of the
// whole, say which columns the model listens to.
import type { z } from 'zod';
import { Problem } from '../../base/problems.ts';
import type { reportDetails } from '../../contract/monitor.ts';
import { addNumbers, columnSketch, type ColumnSketch } from '../../ml/drift/column-sketch.ts';
import { compareColumns } from '../../ml/drift/compare.ts';
import type { DriftLevel } from '../../ml/drift/drift-levels.ts';
import { modelExplainer, type ModelExplainer } from '../../ml/explain/explainer.ts';
import type { ModelContent } from '../../ml/model/manifest.ts';
import { stepCountOf } from '../../ml/model/row-model.ts';

type Attributions = NonNullable<z.output<typeof reportDetails>['attributions']>;
type Row = Readonly<Record<string, unknown>>;

/** Enough to tell a share to some hundredths. */
const mostRows = 300;
/** With fewer rows on a side nothing is said. */
const leastRows = 50;
/** Some seconds: of a large ensemble fewer rows are explained, and the report says how many. */
const mostSteps = 500_000_000;
/** A model without background rows takes as long as with so many. */
const leastBackground = 25;
/** Of all there is, what has to have gone to other columns. As for columns: a tenth, and a quarter. */
const changed = { little: 0.1, lot: 0.25 };
const shownColumns = 50;

/** How many rows are explained: the same each time, so that reports can be compared. */
export function explainedRowCount({
  members,
  background,
}: Pick<ModelContent, 'members' | 'background'>): number {
  const steps = members.flatMap(({ models }) => models).reduce((sum, model) => sum + stepCountOf(model), 0);
  const affordable = Math.floor(
    mostSteps / (Math.max(1, steps) * Math.max(leastBackground, background.length)),
  );
  return Math.min(mostRows, Math.max(leastRows, affordable));
}

/** Sketches of the sizes of contributions, by column. A row that the model refuses is left out. */
export function attributionSketches(model: ModelContent, rows: readonly Row[]): Map<string, ColumnSketch> {
  const { manifest, explain } = modelExplainer(model);
  const sketches = new Map(manifest.schema.map(({ name }) => [name, columnSketch('number')]));
  for (const contributions of explained(explain, rows))
    for (const { column, contribution } of contributions)
      addNumbers(sketches.get(column)!, Float64Array.of(Math.abs(contribution)));
  return sketches;
}

type Contributions = readonly { column: string; contribution: number }[];

function explained(explain: ModelExplainer['explain'], rows: readonly Row[]): Contributions[] {
  try {
    return explain(rows).explanations.map(({ contributions }) => contributions);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return rows.length <= 1 ? [] : rows.flatMap((row) => explained(explain, [row]));
  }
}

/** What counts now beside what counted before; null where either side is not known. */
export function compareAttributions(
  reference: ReadonlyMap<string, ColumnSketch>,
  current: ReadonlyMap<string, ColumnSketch>,
): Attributions | null {
  const [before, now] = [sharesOf(reference), sharesOf(current)];
  if (!before || !now) return null;
  const levels = new Map(compareColumns(reference, current).map(({ column, level }) => [column, level]));
  const columns = [...now.shares].map(([column, share]) => ({
    column,
    reference: short(before.shares.get(column) ?? 0),
    current: short(share),
  }));
  const distance = columns.reduce((sum, one) => sum + Math.abs(one.current - one.reference), 0) / 2;
  const isReal = [...levels.values()].some((level) => level === 'little' || level === 'lot');
  const rowCounts = { rowCount: now.rowCount, referenceRowCount: before.rowCount };
  return {
    level: levelOf(distance, isReal, rowCounts),
    distance: short(distance),
    ...rowCounts,
    columns: columns
      .toSorted((a, b) => Math.max(b.current, b.reference) - Math.max(a.current, a.reference))
      .slice(0, shownColumns),
  };
}

function levelOf(
  distance: number,
  isReal: boolean,
  { rowCount, referenceRowCount }: Pick<Attributions, 'rowCount' | 'referenceRowCount'>,
): DriftLevel {
  if (Math.min(rowCount, referenceRowCount) < leastRows) return 'unclear';
  // What chance explains is no change, however large it looks.
  if (!isReal || distance < changed.little) return 'same';
  return distance < changed.lot ? 'little' : 'lot';
}

function sharesOf(
  sketches: ReadonlyMap<string, ColumnSketch>,
): { rowCount: number; shares: Map<string, number> } | undefined {
  const means = new Map<string, number>();
  let rowCount = 0;
  for (const [column, sketch] of sketches) {
    if (sketch.kind !== 'number') continue;
    rowCount = Math.max(rowCount, sketch.rowCount);
    means.set(column, sketch.rowCount === 0 ? 0 : sketch.spread.moments.mean);
  }
  if (rowCount === 0) return undefined;
  const whole = [...means.values()].reduce((sum, mean) => sum + mean, 0);
  return {
    rowCount,
    shares: new Map([...means].map(([column, mean]) => [column, whole === 0 ? 0 : mean / whole])),
  };
}

function short(value: number): number {
  return Number(value.toPrecision(6));
}
