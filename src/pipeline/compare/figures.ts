// Figures of a comparison, counted in the data engine: how many decisions flip, where, who was right, and what it costs.
// Shares with Wilson's interval; sums of money with that of the normal distribution.
import type { z } from 'zod';
import type { comparisonResult } from '../../contract/comparison.ts';
import { joined, sql, type DataEngine, type Sql } from '../../platform/ports/data-engine.ts';
import { shareOf } from '../monitor/performance.ts';
import { segmentsOf } from '../monitor/slices.ts';
import type { DecisionRule } from './decisions.ts';

type Result = z.output<typeof comparisonResult>;

/** What is known before anything is counted. */
export interface Tabulated {
  kind: 'classes' | 'numbers';
  /** Numbers: a change up to it is no flip. */
  tolerance: number | null;
}

/** A part of the range of answers that may change unless told otherwise; the range without its outer twentieths. */
const toleratedShare = 0.05;
const leastSegmentRows = 30;
const mostSegments = 30;
const mostSegmentsOfColumn = 200;
const mostMoves = 20;
/** Of a normal distribution, 95 %. */
const standardErrors = 1.96;

/** Makes the table `judged`: each request that both versions answer, with whether its decision flips. */
export async function tabulate(
  engine: DataEngine,
  { rule, tolerance: asked }: { rule: DecisionRule; tolerance: number | null },
): Promise<Tabulated> {
  const kind = rule.classes.length > 0 ? 'classes' : 'numbers';
  const tolerance = kind === 'classes' ? null : (asked ?? (await usualTolerance(engine)));
  const isFlipped =
    tolerance === null
      ? sql`answering <> candidate`
      : sql`abs(answering - candidate) > CAST(${String(tolerance)} AS DOUBLE)`;
  await engine.run(
    sql`CREATE TEMP TABLE judged AS SELECT asked.*, replayed.* EXCLUDE (place, lost_money),
      CASE WHEN isnan(lost_money) THEN NULL ELSE lost_money END AS lost_money, (${isFlipped}) AS is_flipped
      FROM asked JOIN replayed ON asked.place = replayed.place WHERE NOT isnan(answering) AND NOT isnan(candidate)`,
  );
  return { kind, tolerance };
}

async function usualTolerance(engine: DataEngine): Promise<number> {
  const [[range] = []] = await engine.rows(
    sql`SELECT CAST(quantile_cont(answering, 0.95) - quantile_cont(answering, 0.05) AS DOUBLE)
      FROM replayed WHERE NOT isnan(answering)`,
  );
  return typeof range === 'number' ? Number((toleratedShare * range).toPrecision(3)) : 0;
}

type Figures = Omit<
  Result,
  | 'loggedRowCount'
  | 'loggedShare'
  | 'replayedShare'
  | 'redactedRowCount'
  | 'redactedColumns'
  | 'unansweredReasons'
  | 'notes'
  | 'flipCount'
  | 'money'
> & { money: Omit<NonNullable<Result['money']>, 'currency' | 'costsOf'> | null };

/** All figures of the table `judged`. */
export async function figuresOf(
  engine: DataEngine,
  {
    table,
    rule,
    columns,
  }: {
    table: Tabulated;
    rule: DecisionRule;
    columns: readonly { name: string; kind: 'number' | 'category' | 'text'; value: Sql }[];
  },
): Promise<Figures> {
  const [[rowCount = 0, flippedCount = 0] = []] = (await engine.rows(
    sql`SELECT count(*), count(*) FILTER (is_flipped) FROM judged`,
  )) as number[][];
  const [[unreadable = 0, refused = 0] = []] = (await engine.rows(
    sql`SELECT count(*) FILTER (isnan(answering)), count(*) FILTER (isnan(candidate) AND NOT isnan(answering))
      FROM replayed`,
  )) as number[][];
  const { threshold, positiveClass } = rule;
  const decisionKind = table.kind === 'numbers' ? 'number' : threshold === null ? 'class' : 'threshold';
  return {
    rowCount,
    unreadableRowCount: unreadable,
    unanswered: counted(refused, rowCount + refused),
    decision: { kind: decisionKind, threshold, positiveClass, tolerance: table.tolerance },
    flipped: counted(flippedCount, rowCount),
    moves: await movesOf(engine, table, rule),
    outcomes: await outcomesOf(engine, table, rule),
    money: rule.costs ? await moneyOf(engine) : null,
    segments: await segmentFigures(engine, columns),
  };
}

/** What a decision is called. */
export function nameOfDecision(code: number, { classes }: Pick<DecisionRule, 'classes'>): string {
  return classes.length > 0 ? (classes[code] ?? String(code)) : String(Number(code.toPrecision(6)));
}

function counted(count: number, of: number): Result['flipped'] {
  return { ...(of === 0 ? { value: 0, lower: 0, upper: 1 } : shareOf(count / of, of)), count };
}

async function movesOf(
  engine: DataEngine,
  { kind }: Tabulated,
  rule: DecisionRule,
): Promise<Result['moves']> {
  if (kind === 'numbers') {
    const [[lower = 0, higher = 0] = []] = (await engine.rows(
      sql`SELECT count(*) FILTER (candidate < answering), count(*) FILTER (candidate > answering)
        FROM judged WHERE is_flipped`,
    )) as number[][];
    return [
      { from: 'number', to: 'higher', count: higher },
      { from: 'number', to: 'lower', count: lower },
    ].filter(({ count }) => count > 0);
  }
  const rows = (await engine.rows(
    sql`SELECT answering, candidate, count(*) FROM judged WHERE is_flipped GROUP BY 1, 2
      ORDER BY 3 DESC, 1, 2 LIMIT ${mostMoves}`,
  )) as [number, number, number][];
  return rows.map(([from, to, count]) => ({
    from: nameOfDecision(from, rule),
    to: nameOfDecision(to, rule),
    count,
  }));
}

async function outcomesOf(
  engine: DataEngine,
  { kind }: Tabulated,
  { classes }: DecisionRule,
): Promise<Result['outcomes']> {
  const truth = sql`CAST(list_position(${classes}, actual) - 1 AS DOUBLE)`;
  const [known, now, then] =
    kind === 'classes'
      ? [
          sql`actual IS NOT NULL`,
          sql`coalesce(answering = ${truth}, false)`,
          sql`coalesce(candidate = ${truth}, false)`,
        ]
      : [
          sql`actual_number IS NOT NULL`,
          sql`abs(answering - actual_number) <= abs(candidate - actual_number)`,
          sql`abs(candidate - actual_number) <= abs(answering - actual_number)`,
        ];
  const [[count = 0, both = 0, onlyNow = 0, onlyThen = 0] = []] = (await engine.rows(
    sql`SELECT count(*), count(*) FILTER (${now} AND ${then}), count(*) FILTER (${now} AND NOT ${then}),
      count(*) FILTER (${then} AND NOT ${now}) FROM judged WHERE ${known}`,
  )) as number[][];
  if (count === 0) return null;
  const value = (onlyNow - onlyThen) / count;
  // Of the difference of two shares of the same requests (McNemar's setting).
  const half = standardErrors * Math.sqrt(Math.max(0, (onlyNow + onlyThen) / count - value ** 2) / count);
  return {
    knownCount: count,
    bothRight: both,
    onlyAnsweringRight: onlyNow,
    onlyCandidateRight: onlyThen,
    bothWrong: count - both - onlyNow - onlyThen,
    lostAccuracy: { value, lower: value - half, upper: value + half },
  };
}

async function moneyOf(engine: DataEngine): Promise<Figures['money']> {
  const [[lost = 0, spread = 0, count = 0, atStake = 0, known = 0] = []] = (await engine.rows(
    sql`SELECT coalesce(sum(lost_money), 0), coalesce(stddev_samp(lost_money), 0), count(lost_money),
      coalesce(sum(abs(lost_money)), 0), count(*) FILTER (is_flipped AND is_money_known = 1) FROM judged`,
  )) as number[][];
  const half = standardErrors * spread * Math.sqrt(count);
  return { lost: { value: lost, lower: lost - half, upper: lost + half }, atStake, knownRowCount: known };
}

async function segmentFigures(
  engine: DataEngine,
  columns: Parameters<typeof figuresOf>[1]['columns'],
): Promise<Result['segments']> {
  const found: Result['segments'] = [];
  for (const { name, kind, value } of columns) {
    // oxlint-disable-next-line no-await-in-loop -- statements run one at a time
    const segments = await segmentsOf(engine, kind, value);
    if (!segments) continue;
    const wanted = joined([
      segments.label,
      sql`count(*)`,
      sql`count(*) FILTER (is_flipped)`,
      sql`sum(lost_money)`,
    ]);
    // oxlint-disable-next-line no-await-in-loop -- statements run one at a time
    const rows = (await engine.rows(
      sql`SELECT ${wanted} FROM judged GROUP BY 1 HAVING count(*) >= ${leastSegmentRows}
        ORDER BY 1.0 * count(*) FILTER (is_flipped) / count(*) DESC, 1 LIMIT ${mostSegmentsOfColumn}`,
    )) as [string | null, number, number, number | null][];
    for (const [label, rowCount, flipped, lostMoney] of rows)
      found.push({
        column: name,
        segment: segments.inWords(label),
        rowCount,
        flipped: counted(flipped, rowCount),
        lostMoney,
      });
  }
  return found
    .toSorted((a, b) => b.flipped.value - a.flipped.value || b.rowCount - a.rowCount)
    .slice(0, mostSegments);
}
