// The worker's half of a comparison: logged requests through two versions, and what differs. Requests are streamed some
// thousand at a time; what is found of each lies in the data engine, which spills to disk, so memory does not grow with
// the log.
import { readFile } from 'node:fs/promises';
import type { z } from 'zod';
import { present } from '../../base/assert.ts';
import type { comparisonResult } from '../../contract/comparison.ts';
import { hasClasses } from '../../ml/frame/schema.ts';
import type { ModelContent } from '../../ml/model/manifest.ts';
import { readModel } from '../../ml/model/model.ts';
import { predictorOf, type Predictor } from '../../ml/model/predictor.ts';
import { openDataEngine } from '../../platform/drivers/duckdb.ts';
import { identifier, joined, sql, type DataEngine, type Sql } from '../../platform/ports/data-engine.ts';
import type { Task, TaskContext } from '../../platform/ports/jobs.ts';
import { inTime, loggedColumns, type LogWindow, type WatchedColumn } from '../monitor/watched.ts';
import { logTable } from '../predict/log/layout.ts';
import { answersOf, classesOf, decide, type DecisionRule, type LoggedRequest } from './decisions.ts';
import { figuresOf, tabulate, type Tabulated } from './figures.ts';
import { explainFlips, type Flip } from './flips.ts';

export type CompareTaskInput = {
  answeringPath: string;
  candidatePath: string;
  window: LogWindow;
  /** Fields of the endpoint, whose values make segments. */
  fields: readonly WatchedColumn[];
  positiveClass: string | null;
  threshold: number | null;
  tolerance: number | null;
  maxRows: number;
};

export type CompareTaskOutput = {
  /** Without what the host knows of the log. */
  result: Omit<z.output<typeof comparisonResult>, 'loggedShare' | 'notes'>;
  flips: Flip[];
};

const engineMemoryBytes = 384 * 1_048_576;
const maxSpillBytes = 16 * 1024 ** 3;
/** More columns than that are not looked at for segments. */
const mostSegmentColumns = 200;
/** Sampling is by a hash of the id: the same requests each time. */
const hashSteps = 1_000_000;

const replayedColumns = [
  'place',
  'answering',
  'candidate',
  'answering_sureness',
  'candidate_sureness',
  'lost_money',
  'is_money_known',
] as const;

export const run: Task<CompareTaskInput, CompareTaskOutput> = async (input, context) => {
  const { window, answeringPath, candidatePath } = input;
  const contents = await Promise.all(
    [answeringPath, candidatePath].map(async (path) => readModel(await readFile(path))),
  );
  const [answering, candidate] = contents as [ModelContent, ModelContent];
  const versions = { answering: predictorOf(answering), candidate: predictorOf(candidate) };
  const rule = ruleOf(input, versions);
  const engine = await openDataEngine({
    memoryBytes: engineMemoryBytes,
    threads: 2,
    workFolder: context.workFolder,
    maxSpillBytes,
    readablePaths: [...window.files.map(({ path }) => path), ...window.outcomePaths],
  });
  context.signal.addEventListener('abort', () => engine.interrupt(), { once: true });
  try {
    const asked = await ask(engine, input, versions);
    const refusals = await replay(engine, { rule, versions, asked, context });
    context.progress(0.8, 'counting flips');
    const table: Tabulated = await tabulate(engine, { rule, tolerance: input.tolerance });
    const figures = await figuresOf(engine, { table, rule, columns: asked.columns });
    context.progress(0.9, 'explaining flips');
    const flips = await explainFlips(engine, { table, rule, answering, candidate });
    const { costs } = rule;
    return {
      result: {
        ...figures,
        money: figures.money && {
          ...figures.money,
          costsOf: answering.manifest.costs ? 'answering' : 'candidate',
          currency: costs ? (answering.manifest.costs ?? candidate.manifest.costs)!.currency : '',
        },
        loggedRowCount: asked.loggedRowCount,
        replayedShare: asked.share,
        redactedRowCount: asked.redactedRowCount,
        redactedColumns: asked.redactedColumns,
        unansweredReasons: [...refusals],
        flipCount: flips.length,
      },
      flips,
    };
  } finally {
    engine.close();
  }
};

interface Versions {
  answering: Predictor;
  candidate: Predictor;
}

function ruleOf({ threshold, positiveClass }: CompareTaskInput, versions: Versions): DecisionRule {
  const { answering, candidate } = versions;
  const owner = answering.manifest.costs ? answering.manifest : candidate.manifest;
  return {
    classes: classesOf(answering, candidate),
    threshold,
    positiveClass,
    costs:
      owner.costs && hasClasses(owner.task)
        ? { classes: owner.classes, matrix: owner.costs.matrix }
        : undefined,
  };
}

interface Asked {
  loggedRowCount: number;
  share: number;
  redactedRowCount: number;
  redactedColumns: string[];
  /** Of the table `asked`, by which segments are made. */
  columns: { name: string; kind: 'number' | 'category' | 'text'; value: Sql }[];
}

/** Makes the table `asked`: the requests to replay, each with its place. */
async function ask(engine: DataEngine, input: CompareTaskInput, versions: Versions): Promise<Asked> {
  const { window, maxRows, fields } = input;
  const log = sql`(${logTable({ predictions: window.files.map(({ path }) => path), outcomes: window.outcomePaths })})`;
  const within = sql`FROM ${log} WHERE ${inTime(window.fromMs, window.toMs)}`;
  const looked = lookedAt(versions);
  // Values that a version looks at and that were not kept.
  const hidden = sql`list_filter(coalesce(redacted, CAST([] AS VARCHAR[])), name -> list_contains(${looked}, name))`;
  const isWhole = looked.length === 0 ? sql`true` : sql`len(${hidden}) = 0`;
  const [[loggedRowCount = 0, wholeCount = 0] = []] = (await engine.rows(
    sql`SELECT count(*), count(*) FILTER (${isWhole}) ${within}`,
  )) as number[][];
  const redactedColumns =
    wholeCount === loggedRowCount
      ? []
      : (await engine.rows(sql`SELECT DISTINCT unnest(${hidden}) AS name ${within} ORDER BY 1`)).map(
          ([name]) => String(name),
        );
  const share = Math.min(1, maxRows / Math.max(1, wholeCount));
  const isDrawn =
    share < 1 ? sql`hash(prediction_id) % ${hashSteps} < ${Math.ceil(share * hashSteps)}` : sql`true`;
  const columns = loggedColumns(fields, window).slice(0, mostSegmentColumns);
  const values = columns.map(({ value }, index) => sql`${value} AS ${identifier(`segment_${index}`)}`);
  const kept = [
    sql`row_number() OVER () AS place`,
    sql`prediction_id, epoch_ms(time) AS time_ms, given, form, actual, actual_number`,
    ...values,
  ];
  await engine.run(
    sql`CREATE TEMP TABLE asked AS SELECT ${joined(kept)} ${within} AND ${isWhole} AND ${isDrawn} LIMIT ${maxRows}`,
  );
  return {
    loggedRowCount,
    share,
    redactedRowCount: loggedRowCount - wholeCount,
    redactedColumns,
    columns: columns.map(({ name, kind }, index) => ({
      name,
      kind,
      value: identifier(`segment_${index}`),
    })),
  };
}

/** Columns that either version looks at. */
function lookedAt({ answering, candidate }: Versions): string[] {
  return [
    ...new Set(
      [answering, candidate].flatMap(({ manifest }) => manifest.encoding.map(({ column }) => column)),
    ),
  ];
}

/** Fills the table `replayed`; returns why the candidate refused requests. */
async function replay(
  engine: DataEngine,
  {
    rule,
    versions,
    asked: { loggedRowCount },
    context,
  }: { rule: DecisionRule; versions: Versions; asked: Asked; context: TaskContext },
): Promise<Set<string>> {
  const columns = replayedColumns.map((name) => sql`${identifier(name)} DOUBLE`);
  await engine.run(sql`CREATE TABLE replayed (${joined(columns)})`);
  const appender = await engine.appender(
    'replayed',
    replayedColumns.map(() => 'double' as const),
  );
  const refusals = new Set<string>();
  let count = 0;
  for await (const rows of engine.batches(
    sql`SELECT CAST(place AS DOUBLE), given, form, actual, actual_number FROM asked`,
  )) {
    const requests = rows.map(([, given, form, actual, actualNumber]): LoggedRequest => ({
      given: JSON.parse(String(given)) as Record<string, unknown>,
      form: form as LoggedRequest['form'],
      actual: actual as string | null,
      actualNumber: actualNumber as number | null,
    }));
    const decided = decide(rule, requests, {
      answering: answersOf(versions.answering, requests, new Set()),
      candidate: answersOf(versions.candidate, requests, refusals),
    });
    const { answering, candidate, answeringSureness, candidateSureness, lostMoney, isMoneyKnown } = decided;
    const places = Float64Array.from(rows, ([place]) => present(place, 'the place') as number);
    appender.append(
      [places, answering, candidate, answeringSureness, candidateSureness, lostMoney, isMoneyKnown],
      rows.length,
    );
    count += rows.length;
    context.progress(
      0.1 + (0.7 * count) / Math.max(count, loggedRowCount),
      `${count.toLocaleString('en')} requests replayed`,
    );
  }
  appender.close();
  return refusals;
}
