// What two versions decide for the same logged requests, some thousand at a time: decisions as codes, how sure they are, and
// what a changed decision costs. Pure; the statements around it are compare-task.ts.
import { assert } from '../../base/assert.ts';
import { Problem } from '../../base/problems.ts';
import { hasClasses } from '../../ml/frame/schema.ts';
import type { Prediction, Predictor } from '../../ml/model/predictor.ts';

/** A request as it was logged. */
export interface LoggedRequest {
  given: Readonly<Record<string, unknown>>;
  /** `text`: values as they stood in a CSV file. */
  form: 'json' | 'text';
  actual: string | null;
  actualNumber: number | null;
}

/** How answers become decisions that can be compared. */
export interface DecisionRule {
  /** Of either version; empty for numbers. */
  classes: readonly string[];
  /** Two classes: from which probability of `positiveClass` on it is decided for. */
  threshold: number | null;
  positiveClass: string | null;
  costs: NamedCosts | undefined;
}

/** `matrix[actual][decided]`, both in the order of `classes`. */
export interface NamedCosts {
  classes: readonly string[];
  matrix: readonly (readonly number[])[];
}

/** Columns by row; NaN is not known. */
export interface Decided {
  /** A code of the rule's classes, or a number. NaN: refused. */
  answering: Float64Array;
  candidate: Float64Array;
  answeringSureness: Float64Array;
  candidateSureness: Float64Array;
  /** What the candidate's decision costs more. */
  lostMoney: Float64Array;
  /** 1 where that is by what turned out to be true, 0 where by what both hold likely. */
  isMoneyKnown: Float64Array;
}

/** Answers of one version; undefined for requests that it refuses. */
export type Answers = (Prediction | undefined)[];

/** Asks for answers; why requests are refused is added to `refusals`, up to a few. */
export function answersOf(
  predictor: Predictor,
  requests: readonly LoggedRequest[],
  refusals: Set<string>,
): Answers {
  const answers: Answers = Array.from({ length: requests.length });
  for (const form of ['json', 'text'] as const) {
    const places = requests.flatMap((request, place) => (request.form === form ? [place] : []));
    const ask = (wanted: readonly number[]): Prediction[] =>
      predict(
        predictor,
        wanted.map((place) => requests[place]!.given),
        form,
      );
    if (places.length > 0) answerAll(ask, places, answers, refusals);
  }
  return answers;
}

const mostRefusals = 5;

/** All at once; where that is refused, in halves, so that a few bad rows cost little. */
function answerAll(
  ask: (places: readonly number[]) => Prediction[],
  places: readonly number[],
  answers: Answers,
  refusals: Set<string>,
): void {
  try {
    const found = ask(places);
    for (const [index, place] of places.entries()) answers[place] = found[index];
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    if (places.length === 1) {
      if (refusals.size < mostRefusals) refusals.add(error.message);
      return;
    }
    const middle = places.length >> 1;
    answerAll(ask, places.slice(0, middle), answers, refusals);
    answerAll(ask, places.slice(middle), answers, refusals);
  }
}

function predict(
  predictor: Predictor,
  rows: readonly Readonly<Record<string, unknown>>[],
  form: LoggedRequest['form'],
): Prediction[] {
  if (form === 'json') return predictor.predictRows(rows).predictions;
  const names = new Set(rows.flatMap((row) => Object.keys(row)));
  const columns = Object.fromEntries(
    [...names].map((name) => [name, rows.map((row) => (Object.hasOwn(row, name) ? row[name] : ''))]),
  );
  const { prediction, probabilities } = predictor.predictColumns(columns, 'text');
  return rows.map((_, row) => ({
    prediction: prediction[row]!,
    ...(probabilities && {
      probabilities: Object.fromEntries(
        Object.entries(probabilities).map(([name, values]) => [name, values[row]!]),
      ),
    }),
  }));
}

/** The decisions of both versions for the same requests. */
export function decide(
  rule: DecisionRule,
  requests: readonly LoggedRequest[],
  { answering, candidate }: { answering: Answers; candidate: Answers },
): Decided {
  const column = (): Float64Array => new Float64Array(requests.length).fill(NaN);
  const decided: Decided = {
    answering: column(),
    candidate: column(),
    answeringSureness: column(),
    candidateSureness: column(),
    lostMoney: column(),
    isMoneyKnown: new Float64Array(requests.length),
  };
  for (const [row, { actual }] of requests.entries()) {
    const now = answering[row];
    const next = candidate[row];
    if (now) [decided.answering[row], decided.answeringSureness[row]] = decisionOf(rule, now);
    if (next) [decided.candidate[row], decided.candidateSureness[row]] = decisionOf(rule, next);
    if (!now || !next || !rule.costs) continue;
    const change = { from: decided.answering[row]!, to: decided.candidate[row]! };
    const { lost, isKnown } = moneyOf(rule, rule.costs, { ...change, actual, now, next });
    decided.lostMoney[row] = lost;
    decided.isMoneyKnown[row] = isKnown ? 1 : 0;
  }
  return decided;
}

function decisionOf(
  { classes, threshold, positiveClass }: DecisionRule,
  { prediction, probabilities }: Prediction,
): [number, number] {
  if (typeof prediction === 'number') return [prediction, NaN];
  let name = prediction;
  if (threshold !== null) {
    assert(positiveClass !== null && probabilities, 'thresholds are of probabilities of two classes');
    const isPositive = (probabilities[positiveClass] ?? 0) >= threshold;
    name = isPositive ? positiveClass : classes.find((one) => one !== positiveClass)!;
  }
  return [classes.indexOf(name), probabilities?.[name] ?? NaN];
}

/**
 * What deciding `to` in place of `from` costs. Where it is not known what was true, the chances of each class are the mean
 * of what both versions say, so that neither is judge in its own cause.
 */
function moneyOf(
  { classes }: DecisionRule,
  costs: NamedCosts,
  {
    from,
    to,
    actual,
    now,
    next,
  }: { from: number; to: number; actual: string | null; now: Prediction; next: Prediction },
): { lost: number; isKnown: boolean } {
  const known = actual === null ? -1 : costs.classes.indexOf(actual);
  if (from === to) return { lost: 0, isKnown: known >= 0 };
  const [before, after] = [from, to].map((code) => costs.classes.indexOf(classes[code]!));
  if (before! < 0 || after! < 0) return { lost: NaN, isKnown: false };
  const differenceIf = (truth: number): number =>
    costs.matrix[truth]![after!]! - costs.matrix[truth]![before!]!;
  if (known >= 0) return { lost: differenceIf(known), isKnown: true };
  let lost = 0;
  for (const [truth, name] of costs.classes.entries())
    lost +=
      ((now.probabilities?.[name] ?? 0) + (next.probabilities?.[name] ?? 0)) * 0.5 * differenceIf(truth);
  return { lost, isKnown: false };
}

/** The classes of both versions, those of the first before. */
export function classesOf(one: Predictor, other: Predictor): string[] {
  if (!hasClasses(one.manifest.task)) return [];
  return [...new Set([...one.manifest.classes, ...other.manifest.classes])];
}
