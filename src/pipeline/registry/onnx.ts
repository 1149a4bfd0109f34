// Foreign models in the registry: what is kept of an ONNX file. The file stays as it came; a worker process opens and runs
// it once (onnx-task.ts), with a memory cap and a time limit, because a graph is a program of somebody else's. How it
// answers later is serve-apart.ts.
import { minuteMs } from '../../base/time.ts';
import { hasClasses } from '../../ml/frame/schema.ts';
import { metricFor } from '../../ml/metrics/metrics.ts';
import type { OnnxOptions, OnnxSignature } from '../../ml/onnx/signature.ts';
import type { Context } from '../../platform/context.ts';
import type { OnnxSource, OnnxTaskInput } from './onnx-task.ts';
import type { ModelVersion, VersionSummary } from './registry.ts';

/** What is kept of an ONNX file besides what every version has. */
export interface OnnxVersion {
  signature: OnnxSignature;
  source: OnnxSource;
}

const taskModule = new URL('./onnx-task.ts', import.meta.url);
const limits = { memoryBytes: 2048 * 1_048_576, timeoutMs: minuteMs };
const mostCategoriesShown = 100;

/** Opens and runs a stored file once. Throws `onnx-invalid`, `onnx-unsupported`, `memory-limit`, `time-limit`, ... */
export async function examineOnnx(
  context: Context,
  fileSha256: string,
  options: OnnxOptions,
): Promise<OnnxVersion> {
  const modelPath = await context.blobs.localPath(fileSha256);
  const { signal } = context;
  return await context.jobs.runTask<OnnxTaskInput, OnnxVersion>(
    taskModule,
    { modelPath, options },
    { limits, signal },
  );
}

/** What the registry keeps of an ONNX file, so that pages need not open it. */
export function summariseOnnx({ signature, source }: OnnxVersion): VersionSummary {
  const { task, target, classes, inputs } = signature;
  const fields = inputs
    .flatMap(({ columns }) => columns)
    .map(({ name, kind }) => ({
      name,
      kind,
      categories: null,
      minimum: null,
      maximum: null,
      example: null,
      missingShare: 0,
    }));
  return {
    task,
    target,
    classes: hasClasses(task) ? classes : null,
    metric: metricFor('auto', task).name,
    score: null,
    evaluation: null,
    importance: [],
    fields,
    card: cardOf({ signature, source }),
    signer: null,
    onnx: { signature, source },
  };
}

/** What callers see of it. */
export function showOnnx({ signature, source }: OnnxVersion): NonNullable<ModelVersion['onnx']> {
  const meaning = signature.scores?.meaning ?? 'none';
  const isMade = meaning === 'logits' || meaning === 'positive-logit';
  const probabilities = meaning === 'none' ? 'none' : isMade ? 'softmax' : 'given';
  return { ...source, batchRowCount: signature.batchRowCount, probabilities };
}

function cardOf(version: OnnxVersion): string {
  const { task, target, classes, inputs } = version.signature;
  const { producer, operatorSets } = version.source;
  const { probabilities } = showOnnx(version);
  const columns = inputs.flatMap((input) => input.columns);
  const sets = operatorSets.map(({ domain, version: number }) => `${domain} ${number}`).join(', ');
  const probabilityWords = {
    given: 'Probabilities are those that the model gives; they were not calibrated here.',
    softmax:
      'Probabilities are the softmax of the scores that the model gives; they were not calibrated here.',
    none: 'The model decides without probabilities.',
  }[probabilities];
  return [
    `# Predicts ${target}`,
    '',
    `An ONNX model${producer && ` written by ${producer}`} and imported as it is. It was not trained here: what it ` +
      'learned from, how good it is and whom it treats how are not known.',
    '',
    '## What it answers',
    '',
    hasClasses(task)
      ? `One of ${classes.length} classes: ${listed(classes)}. ${probabilityWords}`
      : 'One number, without an interval.',
    '',
    '## What it takes',
    '',
    ...columns.slice(0, mostCategoriesShown).map(({ name, kind }) => `- ${name}: ${kind}`),
    ...(columns.length > mostCategoriesShown ? [`- and ${columns.length - mostCategoriesShown} more`] : []),
    '',
    '## Limits',
    '',
    '- It can predict and be deployed. It cannot be explained, and counterfactuals cannot be found.',
    '- Missing numbers reach it as NaN and missing texts as empty ones; what it makes of them is its own affair.',
    `- Operators: ${sets}.`,
    '',
  ].join('\n');
}

function listed(names: readonly string[]): string {
  const shown = names.slice(0, 20).join(', ');
  return names.length > 20 ? `${shown} and ${names.length - 20} more` : shown;
}
