// The one-line rule of a gate, such as `flipped <= 2% and lost_money <= 0 and worst_segment <= 5%`: read, and held against
// the figures of a comparison. Not a programming language: checks, all of which have to hold, and nothing else.
//
//   rule  = check { "and" check }
//   check = measure ( "<=" | "<" | ">=" | ">" ) number [ "%" ]
import type { z } from 'zod';
import { Problem } from '../../base/problems.ts';
import type { comparison, comparisonResult } from '../../contract/comparison.ts';

export type Result = z.output<typeof comparisonResult>;
export type Verdict = NonNullable<z.output<typeof comparison>['verdict']>;

type Comparator = '<=' | '<' | '>=' | '>';

export interface Check {
  measure: MeasureName;
  comparator: Comparator;
  /** A share for measures in percent. */
  limit: number;
}

interface Measure {
  unit: 'share' | 'money' | 'count';
  words: string;
  /** Undefined: not known. */
  valueOf(result: Result): number | undefined;
  /** What `value` is, as the beginning of a sentence. */
  say(result: Result, value: string): string;
  /** Why it is not known. */
  unknown: string;
}

const leastOutcomes = 30;

const measures = {
  flipped: {
    unit: 'share',
    words: 'the share of requests that are decided otherwise',
    valueOf: ({ flipped }) => flipped.value,
    say: ({ flipped, rowCount }, value) =>
      `${value} of the requests are decided otherwise (${countOf(flipped.count)} of ${countOf(rowCount)}; 95% interval ${shareOf(flipped.lower)} to ${shareOf(flipped.upper)})`,
    unknown: '',
  },
  worst_segment: {
    unit: 'share',
    words: 'the same in the segment of at least 30 requests where it is highest',
    valueOf: ({ segments, flipped }) => segments[0]?.flipped.value ?? flipped.value,
    say: ({ segments: [worst] }, value) =>
      worst
        ? `${value} flip where ${worst.column} is ${worst.segment} (${countOf(worst.flipped.count)} of ${countOf(worst.rowCount)}; 95% interval ${shareOf(worst.flipped.lower)} to ${shareOf(worst.flipped.upper)})`
        : `No segment has 30 requests; of all, ${value} flip`,
    unknown: '',
  },
  lost_money: {
    unit: 'money',
    words: 'what the candidate costs more on all replayed requests; negative: it saves',
    valueOf: ({ money }) => money?.lost.value,
    say: ({ money }, value) =>
      `The candidate costs ${value}${money?.currency ? ` ${money.currency}` : ''} more on these requests (95% interval ${amountOf(money!.lost.lower)} to ${amountOf(money!.lost.upper)})`,
    unknown:
      'What is lost in money is not known: neither version was told what mistakes cost. Train with costs, or take lost_money out of the rule',
  },
  lost_accuracy: {
    unit: 'share',
    words: 'by what share of known outcomes the candidate is right less often; negative: more often',
    valueOf: ({ outcomes }) =>
      outcomes && outcomes.knownCount >= leastOutcomes ? outcomes.lostAccuracy.value : undefined,
    say: ({ outcomes }, value) =>
      `The candidate is right ${value} less often (only it: ${countOf(outcomes!.onlyCandidateRight)}, only the version of now: ${countOf(outcomes!.onlyAnsweringRight)}, of ${countOf(outcomes!.knownCount)} known outcomes)`,
    unknown: `Who is right is not known: fewer than ${leastOutcomes} of the replayed requests have an outcome. Send outcomes, or take lost_accuracy out of the rule`,
  },
  unanswered: {
    unit: 'share',
    words: 'the share of requests that the candidate refuses',
    valueOf: ({ unanswered }) => unanswered.value,
    say: ({ unanswered }, value) =>
      `The candidate refuses ${value} of the requests (${countOf(unanswered.count)})`,
    unknown: '',
  },
  rows: {
    unit: 'count',
    words: 'how many requests could be replayed',
    valueOf: ({ rowCount }) => rowCount,
    say: (_, value) => `${value} requests could be replayed`,
    unknown: '',
  },
} as const satisfies Record<string, Measure>;

export type MeasureName = keyof typeof measures;

/** Every measure that a rule may name. */
export const measureWords = Object.entries(measures).map(([name, { words }]) => ({ name, words }));

const mostChecks = 20;
const comparators: readonly string[] = ['<=', '<', '>=', '>'];

/** Reads a rule. Throws `invalid-request`, which points at the place. */
export function readRule(text: string): Check[] {
  const words = wordsOf(text);
  const checks: Check[] = [];
  for (let place = 0; ;) {
    checks.push(readCheck(text, words.slice(place, place + 4)));
    place += words[place + 3]?.text === '%' ? 4 : 3;
    const next = words[place];
    if (!next) break;
    if (next.text !== 'and') throw refusal(text, next.at, `expected "and", found "${next.text}"`);
    place += 1;
    if (checks.length === mostChecks) throw refusal(text, next.at, `more than ${mostChecks} checks`);
  }
  return checks;
}

/** Whether a result keeps to a rule, and if not why. */
export function judge(rule: string, result: Result): Verdict {
  const checks = readRule(rule).map((check) => judgeCheck(check, result));
  const nothing =
    result.rowCount === 0
      ? ['No logged request could be replayed, so nothing is known of the candidate.']
      : [];
  const reasons = [
    ...nothing,
    ...(nothing.length > 0 ? [] : checks.filter(({ passed }) => !passed).map(({ words }) => words)),
  ];
  return { rule, passed: reasons.length === 0, reasons, checks };
}

function judgeCheck({ measure, comparator, limit }: Check, result: Result): Verdict['checks'][number] {
  const { unit, valueOf, say, unknown }: Measure = measures[measure];
  const shownLimit = `${comparator} ${shown(unit, limit)}`;
  const value = result.rowCount === 0 && measure !== 'rows' ? undefined : valueOf(result);
  if (value === undefined) {
    const words = result.rowCount === 0 ? 'No logged request could be replayed.' : `${unknown}.`;
    return { measure, limit: shownLimit, value: null, passed: false, words };
  }
  const passed = holds(value, comparator, limit);
  const allowed = `the rule ${comparator.startsWith('<') ? 'allows' : 'wants'} ${boundWords[comparator]} ${shown(unit, limit)}`;
  return {
    measure,
    limit: shownLimit,
    value,
    passed,
    words: `${say(result, shown(unit, value))}; ${allowed}.`,
  };
}

const boundWords = { '<=': 'at most', '<': 'less than', '>=': 'at least', '>': 'more than' };

function holds(value: number, comparator: Comparator, limit: number): boolean {
  switch (comparator) {
    case '<=':
      return value <= limit;
    case '<':
      return value < limit;
    case '>=':
      return value >= limit;
    case '>':
      return value > limit;
    default:
      return comparator satisfies never;
  }
}

interface Word {
  text: string;
  at: number;
}

function wordsOf(text: string): Word[] {
  const words: Word[] = [];
  const form = /\s*(?:([A-Za-z_]\w*)|(<=|>=|<|>)|(-?(?:\d+\.?\d*|\.\d+)(?:e-?\d{1,2})?)|(%))/iy;
  while (form.lastIndex < text.trimEnd().length) {
    const { lastIndex } = form;
    const match = form.exec(text);
    if (!match) {
      const at = lastIndex + /^\s*/.exec(text.slice(lastIndex))![0].length;
      throw refusal(text, at, `"${text[at]}" has no meaning here`);
    }
    const word = match[0].trimStart();
    words.push({ text: /^and$/i.test(word) ? 'and' : word, at: form.lastIndex - word.length });
  }
  return words;
}

function readCheck(text: string, [name, comparator, number, percent]: Word[]): Check {
  const end = text.trimEnd().length;
  const names = Object.keys(measures).join(', ');
  if (!name) throw refusal(text, end, `expected a measure: ${names}`);
  if (!Object.hasOwn(measures, name.text))
    throw refusal(text, name.at, `"${name.text}" is no measure; there are ${names}`);
  const measure = name.text as MeasureName;
  if (!comparator || !comparators.includes(comparator.text))
    throw refusal(text, comparator?.at ?? end, 'expected <=, <, >= or >');
  const value = Number(number?.text);
  if (!number || !Number.isFinite(value))
    throw refusal(text, number?.at ?? end, 'expected a number, such as 2%');
  const isPercent = percent?.text === '%';
  const { unit } = measures[measure];
  if (unit !== 'share' && isPercent)
    throw refusal(
      text,
      percent.at,
      `${measure} is ${unit === 'money' ? 'money' : 'a number of requests'}, not a share`,
    );
  if (unit === 'share' && !isPercent && Math.abs(value) > 1)
    throw refusal(text, number.at, `${measure} is a share: write ${number.text}%, or a number up to 1`);
  if (isPercent && Math.abs(value) > 100) throw refusal(text, number.at, 'no share is more than 100%');
  return { measure, comparator: comparator.text as Comparator, limit: isPercent ? value / 100 : value };
}

function refusal(text: string, at: number, message: string): Problem {
  const before = text.slice(Math.max(0, at - 30), at);
  const after = text.slice(at, at + 30);
  return new Problem(
    'invalid-request',
    `The rule cannot be read at character ${at + 1}: ${message}. Here: ${before}»${after}`,
    { errors: [{ field: 'body.rule', message: `character ${at + 1}: ${message}` }] },
  );
}

function shown(unit: Measure['unit'], value: number): string {
  return unit === 'share' ? shareOf(value) : unit === 'money' ? amountOf(value) : countOf(value);
}

function shareOf(value: number): string {
  return `${Number((100 * value).toPrecision(3))}%`;
}

function amountOf(value: number): string {
  return value.toLocaleString('en', { maximumFractionDigits: Math.abs(value) < 100 ? 2 : 0 });
}

function countOf(value: number): string {
  return value.toLocaleString('en');
}
