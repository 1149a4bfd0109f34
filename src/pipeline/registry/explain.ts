// Explanations of single answers of a model version, worked out by a worker (explain-task.ts).
import type { z } from 'zod';
import { present } from '../../base/assert.ts';
import { Problem } from '../../base/problems.ts';
import { secondMs } from '../../base/time.ts';
import type {
  explainRows as explainOperation,
  findCounterfactuals as findOperation,
} from '../../contract/explanation.ts';
import type { Context } from '../../platform/context.ts';
import type { ExplainTaskInput, ExplainTaskOutput } from './explain-task.ts';
import { modelFilePath } from './registry.ts';

type Explanations = z.output<(typeof explainOperation)['response']['json']>;
type Counterfactuals = z.output<(typeof findOperation)['response']['json']>;

const taskModule = new URL('./explain-task.ts', import.meta.url);
const limits = { memoryBytes: 2048 * 1_048_576, timeoutMs: 60 * secondMs };

/** What each column adds to the answers for rows. Throws `not-found`, `prediction-input`, `invalid-request` or `explanation-unsupported`. */
export async function explainRows(
  context: Context,
  versionId: string,
  question: z.output<(typeof explainOperation)['request']['json']>,
): Promise<Explanations> {
  const { why } = await ask(context, versionId, { kind: 'why', ...question });
  return present(why, 'the explanations');
}

/** What would have to be otherwise. Throws `not-found`, `prediction-input`, `invalid-request` or `explanation-unsupported`. */
export async function findCounterfactuals(
  context: Context,
  versionId: string,
  question: z.output<(typeof findOperation)['request']['json']>,
): Promise<Counterfactuals> {
  const { otherwise } = await ask(context, versionId, { kind: 'otherwise', question });
  return present(otherwise, 'the counterfactuals');
}

type Question<T> = T extends unknown ? Omit<T, 'modelPath'> : never;

async function ask(
  context: Context,
  versionId: string,
  question: Question<ExplainTaskInput>,
): Promise<ExplainTaskOutput> {
  const { path: modelPath, format } = await modelFilePath(context, versionId);
  if (format === 'onnx') {
    const detail =
      'The model was made elsewhere and imported as ONNX: what it does inside is not known here.';
    throw new Problem('explanation-unsupported', detail);
  }
  return await context.jobs.runTask<ExplainTaskInput, ExplainTaskOutput>(
    taskModule,
    { ...question, modelPath } as ExplainTaskInput,
    { limits, signal: context.signal },
  );
}
