// Sketches of columns of a table in the data engine. Rows stream through: numbers as arrays of doubles, frequent values as
// counts, so that memory stays what the engine and the sketches take.
import {
  addNumbers,
  addValue,
  columnSketch,
  type ColumnSketch,
  type SketchKind,
} from '../../ml/drift/column-sketch.ts';
import { joined, sql, type DataEngine, type Sql } from '../../platform/ports/data-engine.ts';

export interface SketchedColumn {
  name: string;
  kind: SketchKind;
  /** A double for numbers, else a text; null is missing. */
  value: Sql;
}

const columnsAtOnce = 100;

/** The sketches of `columns` over `rows` (what may stand behind FROM), by name, in their order. */
export async function sketchRows(
  engine: DataEngine,
  rows: Sql,
  columns: readonly SketchedColumn[],
): Promise<Map<string, ColumnSketch>> {
  const sketches = new Map<string, ColumnSketch>(columns.map(({ name, kind }) => [name, columnSketch(kind)]));
  const numeric = columns.filter(({ kind }) => kind === 'number');
  for (let start = 0; start < numeric.length; start += columnsAtOnce)
    await addNumeric(engine, rows, { columns: numeric.slice(start, start + columnsAtOnce), sketches });
  for (const { name, value } of columns) {
    const sketch = sketches.get(name)!;
    if (sketch.kind === 'number') continue;
    // In a fixed order, so that the same rows give the same bytes.
    const counted =
      sketch.kind === 'category'
        ? sql`SELECT ${value} AS v, count(*) AS n FROM ${rows} GROUP BY v ORDER BY n DESC, v`
        : sql`SELECT ${value}, 1 FROM ${rows}`;
    for await (const batch of engine.batches(counted))
      for (const [text, count] of batch) addValue(sketch, text as string | null, Number(count));
  }
  return sketches;
}

async function addNumeric(
  engine: DataEngine,
  rows: Sql,
  { columns, sketches }: { columns: readonly SketchedColumn[]; sketches: ReadonlyMap<string, ColumnSketch> },
): Promise<void> {
  const values = columns.map(({ value }) => sql`coalesce(${value}, CAST('nan' AS DOUBLE))`);
  for await (const batch of engine.numbers(sql`SELECT ${joined(values)} FROM ${rows}`))
    for (const [index, numbers] of batch.entries()) {
      const sketch = sketches.get(columns[index]!.name)!;
      if (sketch.kind === 'number') addNumbers(sketch, numbers);
    }
}
