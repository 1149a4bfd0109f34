// The profile of a dataset version: what it holds, column by column. One scan for the figures of all rows; the costlier
// ones (order statistics, counts of values, pairs) from all rows of small files and from a spread of blocks of large ones.
// Memory is bounded by reading a few columns at a time.
import type { ColumnType, DatasetProfile } from '../../../contract/dataset.ts';
import { identifier, joined, sql, type DataEngine } from '../../../platform/ports/data-engine.ts';
import { doubleOf, groupsOf, readDoubles } from './doubles.ts';
import { profileNumbers, type NumberFigures } from './number-profile.ts';
import { comparePairs, type PairColumn, type Pairs } from './pairs.ts';
import { roleOf } from './roles.ts';
import { sampledFrom, sampleRows, type RowSample } from './row-sample.ts';
import { textProfiler, type TextFigures } from './text-profile.ts';
import { warningsFor, type ColumnFigures } from './warnings.ts';
import { wholeFigures, type SampledColumn, type Whole } from './whole-figures.ts';

type Profile = DatasetProfile['columns'][number];

/** A Parquet file that an import wrote. */
export interface Content {
  path: string;
  columns: readonly { name: string; type: ColumnType }[];
  rowCount: number;
}

/** Up to so many rows (and cells) every figure is computed from all of them. */
const exact = { rows: 500_000, cells: 40_000_000 };
const sampledRows = 125_000;
/** Cells held in memory at once. */
const batchCells = 4_000_000;
const pairs = { columns: 200, rows: 50_000, cells: 5_000_000, correlatedColumns: 50 };
/** Opening a wide file costs more than reading some of its columns, but a union of many counts is slow to plan. */
const mostAtOnce = { numbers: 1000, texts: 100 };
const sizes = { few: { bins: 20, top: 10 }, many: { bins: 8, top: 3 }, manyColumns: 500 };

/** Profiles `content`; `progress` is told the share that is done. */
export async function profileContent(
  engine: DataEngine,
  content: Content,
  progress: (share: number) => void = () => undefined,
): Promise<DatasetProfile> {
  const { columns, rowCount } = content;
  const wanted = Math.max(1000, Math.floor(exact.cells / columns.length));
  const sample = sampleRows(rowCount, rowCount <= exact.rows ? wanted : Math.min(sampledRows, wanted));
  const isSampled = sample.condition !== undefined;
  const size = columns.length > sizes.manyColumns ? sizes.many : sizes.few;
  const missing = await missingCounts(engine, content);
  const numbers = await numberFigures(engine, content, { sample, size });
  progress(0.5);
  const texts = await textFigures(engine, content, { sample, size });
  progress(0.7);
  const whole = isSampled
    ? await wholeFigures(engine, content, sampledColumns(columns, numbers, texts))
    : new Map<string, Whole>();
  const found = columns.map(({ name, type }) =>
    figuresOf(
      { name, type, rowCount, missingCount: missing.get(name) ?? 0, sampledRows: sample.rowCount },
      {
        number: numbers.get(name),
        text: texts.get(name),
        whole: whole.get(name),
      },
    ),
  );
  const related = await relatedColumns(engine, content, found);
  const duplicateRowCount = isSampled ? null : await countDuplicates(engine, content);
  return {
    rowCount,
    duplicateRowCount,
    columns: found.map(({ column }) => column),
    correlations: related.correlations,
    warnings: warningsFor(found, related, { rowCount, duplicateRowCount }),
    sampledRowCount: isSampled ? sample.rowCount : null,
  };
}

interface Look {
  sample: RowSample;
  size: { bins: number; top: number };
}

/** From the file's own statistics, which cost nothing. */
async function missingCounts(engine: DataEngine, { path, columns }: Content): Promise<Map<string, number>> {
  const rows = await engine.rows(
    sql`SELECT column_id, sum(stats_null_count) FROM parquet_metadata(${path}) GROUP BY column_id`,
  );
  return new Map(rows.map(([id, count]) => [columns[Number(id)]!.name, Number(count)]));
}

async function numberFigures(
  engine: DataEngine,
  { path, columns }: Content,
  { sample, size }: Look,
): Promise<Map<string, NumberFigures>> {
  const figures = new Map<string, NumberFigures>();
  const numeric = columns.filter(({ type }) => type !== 'text');
  for (const group of groupsOf(numeric, columnsAtOnce(sample, mostAtOnce.numbers))) {
    const statement = sql`SELECT ${joined(group.map(({ name, type }) => doubleOf(name, type)))}
      FROM ${sampledFrom(path, sample)}`;
    const arrays = await readDoubles(engine, statement, { columns: group.length, rows: sample.rowCount });
    for (const [index, { name }] of group.entries()) figures.set(name, profileNumbers(arrays[index]!, size));
  }
  return figures;
}

async function textFigures(
  engine: DataEngine,
  { path, columns }: Content,
  { sample, size }: Look,
): Promise<Map<string, TextFigures>> {
  const figures = new Map<string, TextFigures>();
  const texts = columns.filter(({ type }) => type === 'text');
  for (const group of groupsOf(texts, columnsAtOnce(sample, mostAtOnce.texts))) {
    const profilers = group.map(() => textProfiler(size));
    const values = joined(group.map(({ name }) => identifier(name)));
    await engine.run(sql`CREATE TEMP TABLE texts AS SELECT ${values} FROM ${sampledFrom(path, sample)}`);
    const counts = group.map(
      ({ name }, index) =>
        sql`(SELECT ${index} AS i, ${identifier(name)} AS v, count(*) AS n FROM texts GROUP BY v)`,
    );
    for await (const batch of engine.batches(joined(counts, sql` UNION ALL `)))
      for (const [index, value, count] of batch)
        if (value !== null) profilers[Number(index)]!.add(String(value), Number(count));
    await engine.run(sql`DROP TABLE texts`);
    for (const [index, { name }] of group.entries()) figures.set(name, profilers[index]!.end());
  }
  return figures;
}

function sampledColumns(
  columns: Content['columns'],
  numbers: ReadonlyMap<string, NumberFigures>,
  texts: ReadonlyMap<string, TextFigures>,
): SampledColumn[] {
  return columns.map(({ name, type }) => {
    const number = numbers.get(name);
    const { distinctCount } = (number ?? texts.get(name))!;
    return { name, type, distinctCount, mean: number?.numeric?.mean ?? null };
  });
}

interface Counted {
  name: string;
  type: ColumnType;
  rowCount: number;
  missingCount: number;
  sampledRows: number;
}

function figuresOf(
  { name, type, rowCount, missingCount, sampledRows: sampled }: Counted,
  {
    number,
    text,
    whole,
  }: Record<'number', NumberFigures | undefined> &
    Record<'text', TextFigures | undefined> &
    Record<'whole', Whole | undefined>,
): ColumnFigures {
  const figures = (number ?? text)!;
  const distinctCount = Math.min(
    rowCount - missingCount,
    Math.max(figures.distinctCount, whole?.distinctCount ?? 0),
  );
  const isTime = type === 'date' || type === 'datetime';
  const isAmount = type === 'integer' || type === 'number';
  const numeric = number?.numeric && withWhole(number.numeric, whole);
  const column: Profile = {
    name,
    type,
    role: roleOf({ name, type, rowCount, missingCount, distinctCount, sampled, number, text }),
    missingCount,
    distinctCount,
    numeric: isAmount ? (numeric ?? null) : null,
    range:
      isTime && numeric
        ? { earliest: timeText(numeric.minimum, type), latest: timeText(numeric.maximum, type) }
        : null,
    histogram: figures.histogram,
    topValues: text
      ? text.topValues
      : number!.topValues.map(({ value, count }) => ({ value: valueText(value, type), count })),
  };
  return { column, skewness: number?.skewness ?? 0, text: text ?? null };
}

function withWhole(
  numeric: NonNullable<Profile['numeric']>,
  whole: Whole | undefined,
): NonNullable<Profile['numeric']> {
  return {
    ...numeric,
    minimum: whole?.minimum ?? numeric.minimum,
    maximum: whole?.maximum ?? numeric.maximum,
    mean: whole?.mean ?? numeric.mean,
    standardDeviation: whole?.standardDeviation ?? numeric.standardDeviation,
  };
}

async function relatedColumns(
  engine: DataEngine,
  { path, rowCount }: Content,
  found: readonly ColumnFigures[],
): Promise<Pairs> {
  const candidates = found
    .map(({ column }) => column)
    .filter(({ role }) => role !== 'constant' && role !== 'empty' && role !== 'id')
    .slice(0, pairs.columns);
  const rows = Math.min(pairs.rows, Math.floor(pairs.cells / Math.max(1, candidates.length)));
  const sample = sampleRows(rowCount, rows);
  if (candidates.length < 2) return { correlations: [], equal: [], telling: [] };
  const arrays = await readDoubles(
    engine,
    sql`SELECT ${joined(candidates.map(({ name, type }) => doubleOf(name, type)))} FROM ${sampledFrom(path, sample)}`,
    { columns: candidates.length, rows: sample.rowCount },
  );
  const columns = candidates.map(({ name, type }, index): PairColumn => ({
    name,
    isNumeric: type === 'integer' || type === 'number',
    values: arrays[index]!,
  }));
  return comparePairs(columns, pairs.correlatedColumns);
}

async function countDuplicates(engine: DataEngine, { path, columns, rowCount }: Content): Promise<number> {
  const values = joined(columns.map(({ name }) => identifier(name)));
  const [[distinct]] = (await engine.rows(
    sql`SELECT count(DISTINCT hash(${values})) FROM read_parquet(${path})`,
  )) as [[number]];
  return rowCount - distinct;
}

function valueText(value: number, type: ColumnType): string {
  if (type === 'boolean') return value === 0 ? 'false' : 'true';
  return type === 'date' || type === 'datetime' ? timeText(value, type) : String(value);
}

function timeText(timeMs: number, type: ColumnType): string {
  const date = new Date(timeMs);
  if (Number.isNaN(date.getTime())) return String(timeMs);
  return type === 'date' ? date.toISOString().replace(/T.*$/, '') : date.toISOString();
}

function columnsAtOnce(sample: RowSample, most: number): number {
  return Math.min(most, Math.max(1, Math.floor(batchCells / sample.rowCount)));
}
