// The worker's half of explanations: opens the model file and asks it, away from the server's own thread.
import { readFile } from 'node:fs/promises';
import type { CounterfactualAnswer, CounterfactualQuestion } from '../../ml/explain/counterfactuals.ts';
import { openExplainer, type Why } from '../../ml/explain/explainer.ts';
import type { Task } from '../../platform/ports/jobs.ts';

type Rows = readonly Record<string, unknown>[];

export type ExplainTaskInput = { modelPath: string } & (
  | { kind: 'why'; rows: Rows; outcome: string | null; compareWith: Rows }
  | { kind: 'otherwise'; question: CounterfactualQuestion }
);
/** By the kind of the question. */
export interface ExplainTaskOutput {
  why?: Why;
  otherwise?: CounterfactualAnswer;
}

export const run: Task<ExplainTaskInput, ExplainTaskOutput> = async (input) => {
  const explainer = await openExplainer(await readFile(input.modelPath));
  if (input.kind === 'otherwise') return { otherwise: explainer.findCounterfactuals(input.question) };
  const { rows, outcome, compareWith } = input;
  return { why: explainer.explain(rows, { ...(outcome !== null && { outcome }), compareWith }) };
};
