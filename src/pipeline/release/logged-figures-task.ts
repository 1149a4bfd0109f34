// What the log of predictions tells of two versions that share an endpoint: how often each was wrong, and how their answers
// are spread. The worker's half. Of each request one row counts: requests are dealt to versions, not rows.
import { openDataEngine } from '../../platform/drivers/duckdb.ts';
import { joined, sql, type DataEngine, type Sql } from '../../platform/ports/data-engine.ts';
import type { Task } from '../../platform/ports/jobs.ts';
import { logTable, type LogPaths } from '../predict/log/layout.ts';

/** One period of a release in which shares did not change, or the time before it. */
export type LoggedPeriod = {
  candidateIds: string[];
  currentIds: string[];
};

export type LoggedFiguresInput = {
  live: LogPaths;
  /** What shadows answered to the same requests. */
  shadow: LogPaths;
  periods: LoggedPeriod[];
  isClassification: boolean;
  /** An answer is far off from here on; null: half of all answers seen now are. */
  farOff: number | null;
};

type Known = { count: number; bad: number };

export type LoggedFigures = {
  /** By period, in their order. */
  known: { candidate: Known; current: Known }[];
  /** Requests that a shadow answered, too, and of which the truth is known: where one alone was wrong, or further off. */
  pairs: { candidateWorse: number; currentWorse: number; count: number };
  /** Of the last period that has answers of both; bins in the same order. */
  answers: { candidate: number[]; current: number[] };
  farOff: number | null;
};

const engineMemoryBytes = 512 * 1_048_576;
const maxSpillBytes = 4 * 1024 ** 3;
const numberBins = 20;
const mostClasses = 100;
/** Before so many outcomes it is not said what is far off. */
const leastOutcomes = 50;

export const run: Task<LoggedFiguresInput, LoggedFigures> = async (input, context) => {
  const { live, shadow, periods, isClassification } = input;
  const engine = await openDataEngine({
    memoryBytes: engineMemoryBytes,
    threads: 1,
    workFolder: context.workFolder,
    maxSpillBytes,
    readablePaths: [...live.predictions, ...live.outcomes, ...shadow.predictions, ...shadow.outcomes],
  });
  context.signal.addEventListener('abort', () => engine.interrupt(), { once: true });
  try {
    const error = isClassification
      ? sql`CASE WHEN actual IS NOT NULL THEN CAST(prediction <> actual AS DOUBLE) END`
      : sql`abs(prediction_number - actual_number)`;
    const columns = sql`request_id, deployment_id, prediction, prediction_number, ${error} AS error`;
    await engine.run(sql`CREATE TEMP TABLE asked AS
      SELECT ${columns}, false AS is_shadow FROM (${logTable(live)}) WHERE row_index = 0
      UNION ALL SELECT ${columns}, true FROM (${logTable(shadow)}) WHERE row_index = 0`);
    const farOff = isClassification ? 0.5 : (input.farOff ?? (await medianError(engine)));
    const known = [];
    for (const { candidateIds, currentIds } of periods)
      known.push({
        candidate: await knownOf(engine, candidateIds, farOff),
        current: await knownOf(engine, currentIds, farOff),
      });
    return {
      known,
      pairs: await pairsOf(engine),
      answers: await answersOf(engine, periods, isClassification),
      farOff: isClassification ? null : farOff,
    };
  } finally {
    engine.close();
  }
};

async function medianError(engine: DataEngine): Promise<number | null> {
  const [[count = 0, median = null] = []] = await engine.rows(
    sql`SELECT count(error), median(error) FROM asked`,
  );
  return Number(count) < leastOutcomes ? null : Number(median);
}

async function knownOf(engine: DataEngine, ids: readonly string[], farOff: number | null): Promise<Known> {
  if (ids.length === 0 || farOff === null) return { count: 0, bad: 0 };
  const [[count = 0, bad = 0] = []] = await engine.rows(
    sql`SELECT count(error), count(*) FILTER (error > ${farOff}) FROM asked WHERE ${isOneOf(ids)}`,
  );
  return { count: Number(count), bad: Number(bad) };
}

async function pairsOf(engine: DataEngine): Promise<LoggedFigures['pairs']> {
  const [[count = 0, candidateWorse = 0, currentWorse = 0] = []] = await engine.rows(
    sql`SELECT count(*), count(*) FILTER (other.error > one.error), count(*) FILTER (other.error < one.error)
      FROM asked AS one JOIN asked AS other USING (request_id)
      WHERE NOT one.is_shadow AND other.is_shadow AND one.error IS NOT NULL AND other.error IS NOT NULL`,
  );
  return {
    count: Number(count),
    candidateWorse: Number(candidateWorse),
    currentWorse: Number(currentWorse),
  };
}

async function answersOf(
  engine: DataEngine,
  periods: readonly LoggedPeriod[],
  isClassification: boolean,
): Promise<LoggedFigures['answers']> {
  for (const { candidateIds, currentIds } of periods.toReversed()) {
    if (candidateIds.length === 0 || currentIds.length === 0) continue;
    const both = isOneOf([...candidateIds, ...currentIds]);
    const bin = isClassification
      ? sql`prediction`
      : sql`ntile(${numberBins}) OVER (ORDER BY prediction_number)`;
    // Equal numbers belong to one bin: that of the first of them.
    const merged = isClassification ? sql`bin` : sql`min(bin) OVER (PARTITION BY prediction_number)`;
    const rows = await engine.rows(sql`SELECT count(*) FILTER (${isOneOf(candidateIds)}) AS candidate,
        count(*) FILTER (${isOneOf(currentIds)}) AS current
      FROM (SELECT deployment_id, ${merged} AS bin FROM
        (SELECT deployment_id, prediction_number, ${bin} AS bin FROM asked WHERE ${both}))
      GROUP BY bin ORDER BY bin LIMIT ${mostClasses}`);
    const counts = rows.map(([candidate, current]) => [Number(candidate), Number(current)] as const);
    if (counts.some(([candidate]) => candidate > 0) && counts.some(([, current]) => current > 0))
      return { candidate: counts.map(([one]) => one), current: counts.map(([, other]) => other) };
  }
  return { candidate: [], current: [] };
}

function isOneOf(ids: readonly string[]): Sql {
  return sql`deployment_id IN (${joined(ids.map((id) => sql`${id}`))})`;
}
