// The worker's half of explanations: opens the model file and asks it, away from the server's own thread.
import { readFile } from 'node:fs/promises';
import { explainerOf, type Explanation } from '../../ml/explain/attributions.ts';
import {
  findCounterfactuals,
  type CounterfactualAnswer,
  type CounterfactualQuestion,
} from '../../ml/explain/counterfactuals.ts';
import { readModel } from '../../ml/model/model.ts';
import type { Task } from '../../platform/ports/jobs.ts';

type Rows = readonly Record<string, unknown>[];

export type ExplainTaskInput = { modelPath: string } & (
  | { kind: 'why'; rows: Rows; outcome: string | null; compareWith: Rows }
  | { kind: 'otherwise'; question: CounterfactualQuestion }
);
/** By the kind of the question. */
export interface ExplainTaskOutput {
  why?: Explanation[];
  otherwise?: CounterfactualAnswer;
}

export const run: Task<ExplainTaskInput, ExplainTaskOutput> = async (input) => {
  const content = await readModel(await readFile(input.modelPath));
  if (input.kind === 'otherwise') return { otherwise: findCounterfactuals(content, input.question) };
  const { rows, outcome, compareWith } = input;
  return { why: explainerOf(content, compareWith)(rows, outcome ?? undefined) };
};
