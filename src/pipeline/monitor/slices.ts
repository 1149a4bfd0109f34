// Segments of the rows in which answers are clearly worse than elsewhere: one value of a column, or a quarter of its
// numbers. Worse means that chance explains the difference in one case of many thousand, as many segments are looked at.
import type { z } from 'zod';
import type { reportDetails } from '../../contract/monitor.ts';
import { joined, sql, type DataEngine, type Sql } from '../../platform/ports/data-engine.ts';
import type { SketchedColumn } from './sketch-rows.ts';

type Slice = NonNullable<z.output<typeof reportDetails>['performance']>['slices'][number];

const leastRows = 30;
const mostSlices = 8;
/** Standard errors by which a segment must be worse. */
const clearly = 4;
const standardErrors = 1.96;

/** Looks at the table `judged`, whose column `error` is what is wrong with each answer. */
export async function findSlices(
  engine: DataEngine,
  { columns, all }: { columns: readonly SketchedColumn[]; all: { count: number; mean: number } },
): Promise<Slice[]> {
  const found: (Slice & { excess: number })[] = [];
  for (const { name, kind, value } of columns) {
    const segments = await segmentsOf(engine, kind, value);
    if (!segments) continue;
    const rows = (await engine.rows(sql`SELECT ${segments.label}, count(*), avg(error),
      coalesce(stddev_samp(error), 0) FROM judged GROUP BY 1 HAVING count(*) >= ${leastRows} ORDER BY 1`)) as [
      string | null,
      number,
      number,
      number,
    ][];
    for (const [label, count, mean, spread] of rows) {
      const others = all.count - count;
      if (others < leastRows) continue;
      const errorElsewhere = (all.mean * all.count - mean * count) / others;
      const standardError = spread / Math.sqrt(count);
      const excess = (mean - errorElsewhere) * Math.sqrt(count);
      if (mean - errorElsewhere <= clearly * standardError || mean <= errorElsewhere) continue;
      const half = standardErrors * standardError;
      found.push({
        column: name,
        segment: segments.inWords(label),
        rowCount: count,
        error: { value: mean, lower: Math.max(0, mean - half), upper: mean + half },
        errorElsewhere,
        excess,
      });
    }
  }
  return found
    .toSorted((a, b) => b.excess - a.excess)
    .slice(0, mostSlices)
    .map(({ excess: _excess, ...slice }) => slice);
}

/** A label for each row of the table `judged`, and what it is called; undefined for texts, and where all rows are alike. */
export async function segmentsOf(
  engine: DataEngine,
  kind: SketchedColumn['kind'],
  value: Sql,
): Promise<{ label: Sql; inWords: (label: string | null) => string } | undefined> {
  const missing = 'missing';
  if (kind === 'text') return undefined;
  if (kind === 'category') return { label: value, inWords: (label) => label ?? missing };
  const [[quarters] = []] = await engine.rows(
    sql`SELECT to_json(list_distinct(quantile_disc(${value}, ${[0.25, 0.5, 0.75]}))) FROM judged`,
  );
  const cuts = (JSON.parse(String(quarters ?? '[]')) as number[]).toSorted((a, b) => a - b);
  if (cuts.length === 0) return undefined;
  const above = joined(
    cuts.map((cut) => sql`CAST(${value} > CAST(${String(cut)} AS DOUBLE) AS INTEGER)`),
    sql` + `,
  );
  return {
    label: sql`CAST(${above} AS VARCHAR)`,
    inWords: (label) => {
      if (label === null) return missing;
      const [from, to] = [cuts[Number(label) - 1], cuts[Number(label)]];
      if (from === undefined) return `up to ${to}`;
      return to === undefined ? `above ${from}` : `above ${from}, up to ${to}`;
    },
  };
}
