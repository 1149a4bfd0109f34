// The worker's half of a report: sketches of a window of the prediction log beside those of what it is compared with.
// Nothing is held but sketches, so that memory does not grow with the rows.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { z } from 'zod';
import type { reportDetails } from '../../contract/monitor.ts';
import { columnSketch, type ColumnSketch } from '../../ml/drift/column-sketch.ts';
import { compareColumns, type ColumnDrift } from '../../ml/drift/compare.ts';
import { qualityOf } from '../../ml/drift/data-quality.ts';
import { readSketches, writeSketches } from '../../ml/drift/sketch-bytes.ts';
import { Problem } from '../../base/problems.ts';
import type { ModelContent } from '../../ml/model/manifest.ts';
import { readModel } from '../../ml/model/model.ts';
import { openDataEngine } from '../../platform/drivers/duckdb.ts';
import { sql, type DataEngine } from '../../platform/ports/data-engine.ts';
import type { Task } from '../../platform/ports/jobs.ts';
import { typesOf } from '../data/column-types.ts';
import { judge, type JudgedModel } from './performance.ts';
import { compareAttributions } from './attributions.ts';
import { answerNames, sketchLogged, sketchTraining } from './asked-model.ts';
import { sketchRows } from './sketch-rows.ts';
import { loggedColumns, trainingColumns, windowRows, type LogWindow, type WatchedColumn } from './watched.ts';

export type Details = z.output<typeof reportDetails>;

/** What a window is compared with. */
export type Reference =
  /**
   * The training data: sketches that an earlier report made of it, or where there are none that can be read, the data
   * itself; then its sketches are written to be kept.
   */
  | { kind: 'training'; keptPath: string | null; contentPath: string | null }
  | { kind: 'window'; window: LogWindow }
  | { kind: 'nothing' };

export type ReportTaskInput = {
  watched: readonly WatchedColumn[];
  model: JudgedModel;
  /** The version's file; null of a model that is not ours, which cannot be explained. */
  modelPath: string | null;
  /** Some of what the model looks at was not kept in the log: what counts cannot be told. */
  isRedacted: boolean;
  importance: Readonly<Record<string, number>>;
  reference: Reference;
  /** Why the reference is not the one that was asked for. */
  why: string | null;
  current: LogWindow;
};

export type ReportTaskOutput = {
  details: Details;
  rowCount: number;
  /** Sketches of the training data, to be kept for the next report. */
  referenceFileName: string | null;
};

const engineMemoryBytes = 256 * 1_048_576;
const maxSpillBytes = 16 * 1024 ** 3;
const referenceFileName = 'reference.sketches';

/** Sketches of columns, and of answers. */
interface Side {
  rowCount: number;
  columns: Map<string, ColumnSketch>;
  answers: Map<string, ColumnSketch>;
  /** Sizes of contributions. */
  attributions: Map<string, ColumnSketch>;
  /** It was made here, of training data. */
  isFresh?: boolean;
}

export const run: Task<ReportTaskInput, ReportTaskOutput> = async (input, context) => {
  const { reference, current } = input;
  const { workFolder } = context;
  const engine = await openDataEngine({
    memoryBytes: engineMemoryBytes,
    threads: 2,
    workFolder,
    maxSpillBytes,
    readablePaths: readPaths(input),
  });
  context.signal.addEventListener('abort', () => engine.interrupt(), { once: true });
  try {
    context.progress(0.05, 'reading what was learned from');
    const model = input.modelPath === null ? undefined : await readModel(await readFile(input.modelPath));
    const before = await referenceSide(engine, { input, model, workFolder });
    context.progress(0.5, 'reading the predictions');
    const now = await windowSide(engine, { input, model }, current);
    context.progress(0.8, 'comparing');
    const details: Details = {
      comparedWith: { kind: kindOf(reference), rowCount: before.rowCount, why: input.why },
      columns: columnsOf(input, before, now),
      ...answersOf(before, now),
      attributions: compareAttributions(before.attributions, now.attributions),
      ...(await judge(engine, {
        model: input.model,
        watched: input.watched,
        window: current,
        now: now.answers,
      })),
    };
    const isMade = before.isFresh === true;
    if (isMade) await writeFile(join(workFolder, referenceFileName), bytesOf(before));
    return { details, rowCount: now.rowCount, referenceFileName: isMade ? referenceFileName : null };
  } finally {
    engine.close();
  }
};

async function referenceSide(
  engine: DataEngine,
  {
    input,
    model,
    workFolder,
  }: { input: ReportTaskInput; model: ModelContent | undefined; workFolder: string },
): Promise<Side> {
  const { reference, watched } = input;
  switch (reference.kind) {
    case 'nothing':
      return noSide();
    case 'window':
      return await windowSide(engine, { input, model }, reference.window);
    case 'training': {
      const { keptPath, contentPath } = reference;
      const kept = keptPath === null ? undefined : readSketches(await readFile(keptPath));
      if (kept) return sideOf(kept);
      if (contentPath === null || model === undefined)
        throw new Problem('not-found', 'The training data was deleted: compare with the window before.');
      return { ...(await trainingSide(engine, { watched, contentPath, model, workFolder })), isFresh: true };
    }
    default:
      return reference satisfies never;
  }
}

async function trainingSide(
  engine: DataEngine,
  {
    watched,
    contentPath: path,
    model,
    workFolder,
  }: {
    watched: readonly WatchedColumn[];
    contentPath: string;
    model: ModelContent;
    workFolder: string;
  },
): Promise<Side> {
  const types = await typesOf(engine, path);
  const [[rowCount]] = (await engine.rows(sql`SELECT count(*) FROM read_parquet(${path})`)) as [[number]];
  const columns = await sketchRows(engine, sql`read_parquet(${path})`, trainingColumns(watched, types));
  const asked = { path, rowCount, columnNames: [...types.keys()], workFolder };
  return { rowCount, columns, ...(await sketchTraining(model, asked)) };
}

async function windowSide(
  engine: DataEngine,
  { input, model }: { input: ReportTaskInput; model: ModelContent | undefined },
  window: LogWindow,
): Promise<Side> {
  const hasClasses = input.model.classes !== null;
  if (window.files.length === 0) return noSide();
  const rows = windowRows(window);
  const [[rowCount]] = (await engine.rows(sql`SELECT count(*) FROM ${rows}`)) as [[number]];
  const columns = await sketchRows(engine, rows, loggedColumns(input.watched, window));
  const answers = hasClasses
    ? [
        { name: answerNames.answers, kind: 'category' as const, value: sql`prediction` },
        {
          name: answerNames.confidence,
          kind: 'number' as const,
          value: sql`map_extract(probabilities, prediction)[1]`,
        },
      ]
    : [{ name: answerNames.answers, kind: 'number' as const, value: sql`prediction_number` }];
  return {
    rowCount,
    columns,
    answers: await sketchRows(engine, rows, answers),
    attributions: model && !input.isRedacted ? await sketchLogged(engine, rows, model) : new Map(),
  };
}

function columnsOf({ watched, importance }: ReportTaskInput, before: Side, now: Side): Details['columns'] {
  const drifts = new Map(compareColumns(before.columns, now.columns).map((drift) => [drift.column, drift]));
  return watched
    .flatMap(({ name, kind }) => {
      const current = now.columns.get(name);
      const reference = before.columns.get(name);
      if (!current) return [];
      const { column: _, ...quality } = qualityOf(name, reference ?? columnSketch(current.kind), current);
      const unknown = reference ? {} : { outsideShare: null, unseenShare: null, unseenValues: [] };
      const drift = drifts.get(name);
      return {
        column: name,
        kind: shownKinds[kind],
        importance: importance[name] ?? null,
        drift: drift ? driftOf(drift) : null,
        quality: { ...quality, ...unknown },
      };
    })
    .toSorted((a, b) => rankOf(b) - rankOf(a));
}

const shownKinds = {
  numeric: 'number',
  date: 'date',
  categorical: 'category',
  boolean: 'category',
  text: 'text',
} as const;

const levelRanks = { unclear: 0, same: 1, little: 2, lot: 3 };

/** Columns that moved come first, most moved before. */
function rankOf({ drift }: Details['columns'][number]): number {
  return drift ? levelRanks[drift.level] * 1000 + Math.min(999, drift.psi) : -1;
}

function answersOf(before: Side, now: Side): Pick<Details, 'answers' | 'confidence'> {
  const drifts = compareColumns(before.answers, now.answers);
  const named = (name: string): Details['answers'] => {
    const found = drifts.find(({ column }) => column === name);
    return found ? driftOf(found) : null;
  };
  return { answers: named(answerNames.answers), confidence: named(answerNames.confidence) };
}

/** As it is shown: six digits are enough. */
function driftOf({
  level,
  psi,
  pValue,
  measures,
  distribution,
}: ColumnDrift): NonNullable<Details['answers']> {
  const { edges, reference, current, ...rest } = distribution;
  return {
    level,
    psi: short(psi),
    pValue: short(pValue),
    measures: measures.map((one) => ({
      measure: one.measure,
      value: short(one.value),
      pValue: one.pValue === null ? null : short(one.pValue),
    })),
    distribution: {
      ...rest,
      edges: edges && edges.map(short),
      reference: reference.map(short),
      current: current.map(short),
    },
  };
}

function short(value: number): number {
  return Number(value.toPrecision(6));
}

function kindOf({ kind }: Reference): Details['comparedWith']['kind'] {
  return kind === 'window' ? 'previous-window' : kind;
}

function readPaths({ reference, current }: ReportTaskInput): string[] {
  const windows = reference.kind === 'window' ? [reference.window, current] : [current];
  const logged = windows.flatMap(({ files, outcomePaths }) => [
    ...files.map(({ path }) => path),
    ...outcomePaths,
  ]);
  const content =
    reference.kind === 'training' && reference.contentPath !== null ? [reference.contentPath] : [];
  return [...content, ...logged];
}

/** Kept sketches hold all: names of columns begin with c, of answers with a, of attributions with w. */
function bytesOf({ columns, answers, attributions }: Side): Uint8Array {
  const all = new Map<string, ColumnSketch>();
  for (const [name, sketch] of columns) all.set(`c${name}`, sketch);
  for (const [name, sketch] of answers) all.set(`a${name}`, sketch);
  for (const [name, sketch] of attributions) all.set(`w${name}`, sketch);
  return writeSketches(all);
}

function sideOf(sketches: ReadonlyMap<string, ColumnSketch>): Side {
  const starting = (letter: string): Map<string, ColumnSketch> =>
    new Map([...sketches].flatMap(([name, sketch]) => (name[0] === letter ? [[name.slice(1), sketch]] : [])));
  const columns = starting('c');
  const rowCount = Math.max(0, ...[...columns.values()].map((sketch) => sketch.rowCount));
  return { rowCount, columns, answers: starting('a'), attributions: starting('w') };
}

function noSide(): Side {
  return { rowCount: 0, columns: new Map(), answers: new Map(), attributions: new Map() };
}
