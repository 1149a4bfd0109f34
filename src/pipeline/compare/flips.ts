// Flipped requests that are shown: those that change the most money first, else those of which both versions are most
// certain, of numbers the furthest. Each with both explanations, which are about the same outcome so that they compare.
import type { z } from 'zod';
import type { comparisonFlip } from '../../contract/comparison.ts';
import { Problem } from '../../base/problems.ts';
import { toIso } from '../../base/time.ts';
import { explainerOf, type Explainer, type Explanation } from '../../ml/explain/attributions.ts';
import { readValue } from '../../ml/frame/values.ts';
import type { ModelContent } from '../../ml/model/manifest.ts';
import { sql, type DataEngine } from '../../platform/ports/data-engine.ts';
import type { DecisionRule } from './decisions.ts';
import { nameOfDecision, type Tabulated } from './figures.ts';

export type Flip = z.output<typeof comparisonFlip>;

const mostFlips = 40;
const mostContributions = 12;
const mostValueCharacters = 200;

/** The flips that are shown, of the table `judged`. */
export async function explainFlips(
  engine: DataEngine,
  {
    table,
    rule,
    answering,
    candidate,
  }: { table: Tabulated; rule: DecisionRule; answering: ModelContent; candidate: ModelContent },
): Promise<Flip[]> {
  const order =
    table.kind === 'numbers'
      ? sql`abs(candidate - answering) DESC`
      : sql`abs(coalesce(lost_money, 0)) DESC, answering_sureness + candidate_sureness DESC`;
  const rows = await engine.rows(
    sql`SELECT prediction_id, time_ms, given, form, coalesce(actual, CAST(actual_number AS VARCHAR)), answering, candidate,
      answering_sureness, candidate_sureness, lost_money FROM judged WHERE is_flipped ORDER BY ${order}, place LIMIT ${mostFlips}`,
  );
  if (rows.length === 0) return [];
  const explainers = { answering: explainerOf(answering), candidate: explainerOf(candidate) };
  return rows.map(([id, timeMs, given, form, actual, now, then, nowSure, thenSure, lostMoney]): Flip => {
    const logged = JSON.parse(String(given)) as Record<string, unknown>;
    const newDecision = nameOfDecision(Number(then), rule);
    const explain = (explainer: Explainer, content: ModelContent): Explanation | null => {
      const row = form === 'text' ? asJsonRow(logged, content) : logged;
      const outcome = content.manifest.classes.includes(newDecision) ? newDecision : undefined;
      return explained(explainer, row, outcome);
    };
    return {
      predictionId: String(id),
      time: toIso(Number(timeMs)),
      answering: {
        decision: nameOfDecision(Number(now), rule),
        sureness: knownNumber(nowSure),
        explanation: explain(explainers.answering, answering),
      },
      candidate: {
        decision: newDecision,
        sureness: knownNumber(thenSure),
        explanation: explain(explainers.candidate, candidate),
      },
      lostMoney: knownNumber(lostMoney),
      actual: actual as string | null,
    };
  });
}

function explained(
  explainer: Explainer,
  row: Readonly<Record<string, unknown>>,
  outcome: string | undefined,
): Explanation | null {
  try {
    const [found] = explainer([row], outcome);
    const contributions = found!.contributions.slice(0, mostContributions).map((one) => ({
      ...one,
      value: shortened(one.value),
    }));
    return { ...found!, contributions };
  } catch (error) {
    if (error instanceof Problem) return null;
    throw error;
  }
}

function shortened(value: unknown): unknown {
  return typeof value === 'string' && value.length > mostValueCharacters
    ? `${value.slice(0, mostValueCharacters)}…`
    : (value ?? null);
}

/** NaN and null: not known. */
function knownNumber(value: unknown): number | null {
  const number = value === null ? NaN : Number(value);
  return Number.isFinite(number) ? number : null;
}

/** A row of CSV texts as the row of JSON that means the same. */
function asJsonRow(
  given: Readonly<Record<string, unknown>>,
  { manifest }: ModelContent,
): Record<string, unknown> {
  return Object.fromEntries(
    manifest.schema
      .filter(({ name }) => Object.hasOwn(given, name))
      .map(({ name, kind }) => {
        const value = readValue(given[name], kind, 'text');
        if (typeof value !== 'number') return [name, value];
        return [name, Number.isNaN(value) ? null : kind === 'boolean' ? value === 1 : value];
      }),
  );
}
