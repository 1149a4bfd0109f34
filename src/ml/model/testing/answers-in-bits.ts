// What a model file answers, every number by the 16 hexadecimal digits of its bits: equal texts are equal answers. It
// runs in Node and, bundled, in a page. What is not an answer (warnings, and whatever is added later) is left out.
import { openModel } from '../model.ts';
import type { PredictedColumns, Prediction } from '../predictor.ts';

/** The answers for `rows`, by rows and by columns (which walks through trees in WebAssembly), as one text. */
export async function answersInBits(
  file: Uint8Array,
  rows: readonly Record<string, unknown>[],
): Promise<string> {
  const { manifest, predictRows, predictColumns } = await openModel(file);
  const columns = Object.fromEntries(
    manifest.schema.map(({ name }) => [name, rows.map((row) => row[name] ?? null)]),
  );
  const answers = {
    together: predictRows(rows).predictions.map(onlyAnswer),
    alone: rows.map((row) => onlyAnswer(predictRows([row]).predictions[0]!)),
    columns: onlyAnswer(predictColumns(columns)),
  };
  return JSON.stringify(answers, inBits);
}

function onlyAnswer(answer: Partial<Prediction> | PredictedColumns): Record<string, unknown> {
  const { prediction, probabilities, likelyClasses, lower, upper } = answer as Partial<Prediction>;
  return { prediction, probabilities, likelyClasses, lower, upper };
}

function inBits(_key: string, value: unknown): unknown {
  if (value instanceof Float64Array) return Array.from(value);
  if (typeof value !== 'number') return value;
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  return view.getBigUint64(0).toString(16).padStart(16, '0');
}
