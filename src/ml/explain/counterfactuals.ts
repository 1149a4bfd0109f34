// What would have to be otherwise for another answer: changes of few columns, and small ones, that the asker can make
// (Wachter, Mittelstadt & Russell 2017; constraints after Ustun, Spangher & Liu, FAT* 2019). A beam search over plausible
// values: those of the background that the file holds or, without one, of its golden rows, which are drawn from the ranges
// seen in training. It promises that the changes it names work; where it names none there may yet be some.
import type { JsonValue } from '../../base/json.ts';
import { Problem } from '../../base/problems.ts';
import { hasClasses, type ColumnSchema } from '../frame/schema.ts';
import type { ModelContent } from '../model/manifest.ts';
import { predictorOf, type Prediction } from '../model/predictor.ts';

type Row = Readonly<Record<string, unknown>>;

export interface CounterfactualQuestion {
  row: Row;
  /** The class that is wanted; or, for a number, at least or at most so much. */
  wanted: { class: string } | { atLeast: number } | { atMost: number };
  /** Columns that cannot change. */
  fixed: readonly string[];
  /** Columns whose numbers can only rise, or only fall. */
  increasing: readonly string[];
  decreasing: readonly string[];
  /** Numbers stay within these. */
  ranges: readonly { column: string; from: number | null; to: number | null }[];
  /** Columns that may change at once, 1 to 5. */
  mostChanges: number;
}

export interface Counterfactual {
  changes: { column: string; from: unknown; to: JsonValue }[];
  /** Sum over changes: numbers in units of their usual spread, anything else counts 1. */
  distance: number;
  prediction: Prediction;
}

/** Fewest changes first, then nearest; none when none was found. */
export interface CounterfactualAnswer {
  prediction: Prediction;
  isWantedAlready: boolean;
  counterfactuals: Counterfactual[];
  /** Rows that the model was asked about. */
  triedCount: number;
}

const beamWidth = 12;
const mostValues = 12;
/** Known values come most frequent first. */
const mostCategories = 30;
const mostFound = 3;
/** Halvings on the way back to the old number. */
const refinements = 12;

/** @throws Problem `invalid-request` for a question that does not fit the model, `prediction-input` for a bad row */
export function findCounterfactuals(
  content: ModelContent,
  question: CounterfactualQuestion,
): CounterfactualAnswer {
  checkQuestion(content, question);
  const asker = askerOf(content, question.wanted);
  const [start] = asker.ask([question.row]);
  const moves = content.manifest.schema.flatMap((column) => movesOf(column, content, question));
  if (start!.isWanted) return answerOf(asker, start!, [], true);
  let beam: State[] = [{ row: question.row, changed: [], distance: 0, answer: start! }];
  for (let changes = 1; changes <= question.mostChanges; changes++) {
    const next = beam.flatMap((state) => expand(state, moves));
    if (next.length === 0) break;
    const asked = asker.ask(next.map(({ row }) => row));
    const states = next.map((state, index): State => ({ ...state, answer: asked[index]! }));
    const reached = states.filter(({ answer }) => answer.isWanted);
    if (reached.length > 0) {
      const near = different(reached.toSorted((a, b) => a.distance - b.distance));
      const found = near.map((state) => refine(state, { question, moves, asker }));
      return answerOf(
        asker,
        start!,
        found.toSorted((a, b) => a.distance - b.distance),
        false,
      );
    }
    beam = different(
      states.toSorted((a, b) => b.answer.nearness - a.answer.nearness || a.distance - b.distance),
      beamWidth,
    );
  }
  return answerOf(asker, start!, [], false);
}

interface Asked {
  prediction: Prediction;
  isWanted: boolean;
  /** Larger is nearer to what is wanted. */
  nearness: number;
}

interface Asker {
  ask: (rows: readonly Row[]) => Asked[];
  triedCount: () => number;
}

interface State {
  row: Row;
  changed: { column: string; from: unknown; to: JsonValue }[];
  distance: number;
  answer: Asked;
}

/** The values that a column can be given, and what each change costs. */
interface Moves {
  column: string;
  /** Of numbers: their usual spread. */
  spread?: number;
  values: { to: JsonValue; distance: number }[];
}

function askerOf(content: ModelContent, wanted: CounterfactualQuestion['wanted']): Asker {
  const predictor = predictorOf(content);
  let tried = 0;
  const judged = (prediction: Prediction): Asked => {
    if ('class' in wanted)
      return {
        prediction,
        isWanted: prediction.prediction === wanted.class,
        nearness: prediction.probabilities![wanted.class]!,
      };
    const value = Number(prediction.prediction);
    return 'atLeast' in wanted
      ? { prediction, isWanted: value >= wanted.atLeast, nearness: value }
      : { prediction, isWanted: value <= wanted.atMost, nearness: -value };
  };
  return {
    ask: (rows) => {
      tried += rows.length;
      return predictor.predictRows(rows).predictions.map(judged);
    },
    triedCount: () => tried,
  };
}

function answerOf(
  asker: Asker,
  start: Asked,
  found: readonly State[],
  isWantedAlready: boolean,
): CounterfactualAnswer {
  return {
    prediction: start.prediction,
    isWantedAlready,
    counterfactuals: found.map(({ changed, distance, answer }) => ({
      changes: changed,
      distance,
      prediction: answer.prediction,
    })),
    triedCount: asker.triedCount(),
  };
}

function expand(state: State, moves: readonly Moves[]): Omit<State, 'answer'>[] {
  return moves.flatMap(({ column, values }) =>
    state.changed.some((change) => change.column === column)
      ? []
      : values.map(({ to, distance }) => ({
          row: { ...state.row, [column]: to },
          changed: [...state.changed, { column, from: state.row[column] ?? null, to }],
          distance: state.distance + distance,
        })),
  );
}

/** The first of those that change the same columns; few of them. */
function different(states: readonly State[], most = mostFound): State[] {
  const seen = new Set<string>();
  const kept: State[] = [];
  for (const state of states) {
    const columns = JSON.stringify(state.changed.map(({ column }) => column).sort());
    if (kept.length === most) break;
    if (seen.has(columns)) continue;
    seen.add(columns);
    kept.push(state);
  }
  return kept;
}

/** Brings each changed number back towards the old one, as far as the answer stays, and to as few digits as may be. */
function refine(
  state: State,
  { question, moves, asker }: { question: CounterfactualQuestion; moves: readonly Moves[]; asker: Asker },
): State {
  let best = state;
  for (const { column, from, to } of state.changed) {
    const spread = moves.find((one) => one.column === column)?.spread;
    if (spread === undefined || typeof from !== 'number' || typeof to !== 'number') continue;
    const isAllowed = allowing(column, from, question);
    const attempt = (value: number): boolean => {
      const row = { ...best.row, [column]: value };
      const [answer] = isAllowed(value) && value !== from ? asker.ask([row]) : [];
      if (!answer?.isWanted) return false;
      const changed = best.changed.map((change) =>
        change.column === column ? { ...change, to: value } : change,
      );
      const before = Number(best.row[column]);
      const distance = best.distance + (Math.abs(value - from) - Math.abs(before - from)) / spread;
      best = { row, changed, distance, answer };
      return true;
    };
    let [works, fails] = [to, from];
    for (let step = 0; step < refinements; step++) {
      const middle = (works + fails) / 2;
      if (attempt(middle)) works = middle;
      else fails = middle;
    }
    for (let digits = 1; digits <= 6; digits++) if (attempt(roundAway(works, from, digits))) break;
  }
  return best;
}

/** With so many digits of the distance, and no nearer to the old number. */
function roundAway(value: number, from: number, digits: number): number {
  const unit = 10 ** (Math.floor(Math.log10(Math.abs(value - from))) + 1 - digits);
  const steps = value / unit;
  return Number(((value > from ? Math.ceil(steps) : Math.floor(steps)) * unit).toPrecision(12));
}

function allowing(
  column: string,
  from: unknown,
  { increasing, decreasing, ranges }: CounterfactualQuestion,
): (value: number) => boolean {
  const range = ranges.find((one) => one.column === column);
  return (value) =>
    !(typeof from === 'number' && increasing.includes(column) && value < from) &&
    !(typeof from === 'number' && decreasing.includes(column) && value > from) &&
    value >= (range?.from ?? -Infinity) &&
    value <= (range?.to ?? Infinity);
}

function movesOf(column: ColumnSchema, content: ModelContent, question: CounterfactualQuestion): Moves[] {
  const { name, kind, categories } = column;
  const from = question.row[name] ?? null;
  if (question.fixed.includes(name)) return [];
  switch (kind) {
    case 'boolean':
      return [{ column: name, values: [true, false].filter((to) => to !== from).map(step) }];
    case 'categorical':
      return [
        {
          column: name,
          values: (categories ?? [])
            .slice(0, mostCategories)
            .filter((to) => to !== from)
            .map(step),
        },
      ];
    case 'numeric':
      return numberMoves(name, from, { content, question });
    case 'date':
    case 'text':
      // Nobody acts on a moment that has passed, or on words that are only counted.
      return [];
    default:
      return kind satisfies never;
  }
}

function step(to: JsonValue): Moves['values'][number] {
  return { to, distance: 1 };
}

function numberMoves(
  column: string,
  from: unknown,
  { content, question }: { content: ModelContent; question: CounterfactualQuestion },
): Moves[] {
  const seen = (content.background.length > 0 ? content.background : content.goldenRows)
    .map((row) => row[column])
    .filter((value) => typeof value === 'number')
    .sort((a, b) => a - b);
  const at = (share: number): number => seen[Math.round(share * (seen.length - 1))]!;
  // Half of the rows lie within the quarters; where they are all alike, any difference counts as one.
  const spread = seen.length > 1 && at(0.75) > at(0.25) ? at(0.75) - at(0.25) : 1;
  const range = question.ranges.find((one) => one.column === column);
  const candidates = new Set(
    Array.from({ length: Math.min(mostValues, seen.length) }, (_, index) =>
      at(index / Math.max(1, mostValues - 1)),
    ),
  );
  for (const end of [range?.from, range?.to]) if (typeof end === 'number') candidates.add(end);
  const isAllowed = allowing(column, from, question);
  const values = [...candidates]
    .filter((to) => Number.isFinite(to) && to !== from && isAllowed(to))
    .map((to) => ({ to, distance: typeof from === 'number' ? Math.abs(to - from) / spread : 1 }));
  return [{ column, spread, values }];
}

function checkQuestion({ manifest }: ModelContent, question: CounterfactualQuestion): void {
  const { wanted, fixed, increasing, decreasing, ranges } = question;
  const kinds = new Map(manifest.schema.map(({ name, kind }) => [name, kind]));
  const isClass = 'class' in wanted;
  const fault = (field: string, message: string): { field: string; message: string } => ({ field, message });
  const unknown = [
    ...fixed.map((name) => ({ field: 'fixed', name })),
    ...increasing.map((name) => ({ field: 'increasing', name })),
    ...decreasing.map((name) => ({ field: 'decreasing', name })),
    ...ranges.map(({ column }) => ({ field: 'ranges', name: column })),
  ];
  const errors = [
    ...(isClass !== hasClasses(manifest.task)
      ? [
          fault(
            'wanted',
            isClass
              ? 'is a class, and this model gives numbers'
              : 'is a number, and this model gives classes',
          ),
        ]
      : []),
    ...(isClass && hasClasses(manifest.task) && !manifest.classes.includes(wanted.class)
      ? [fault('wanted', `must be one of ${manifest.classes.slice(0, 20).join(', ')}`)]
      : []),
    ...unknown.flatMap(({ field, name }) => {
      const kind = kinds.get(name);
      if (kind === undefined)
        return [fault(field, `names "${name.slice(0, 60)}", which the model does not look at`)];
      return field !== 'fixed' && kind !== 'numeric'
        ? [fault(field, `names "${name.slice(0, 60)}", which holds no numbers`)]
        : [];
    }),
    ...ranges
      .filter(({ from, to }) => from !== null && to !== null && from > to)
      .map(({ column }) => fault('ranges', `of "${column.slice(0, 60)}" begins above its end`)),
  ];
  if (errors.length > 0)
    throw new Problem('invalid-request', `The question: "${errors[0]!.field}" ${errors[0]!.message}.`, {
      errors: errors.slice(0, 20),
    });
}
