// Whatever the bytes, opening a model file ends in a predictor that answers with numbers, or in a problem that says why not.
import assert from 'node:assert/strict';
import { Problem } from '../../../base/problems.ts';
import { openModel } from '../model.ts';
import type { Predictor } from '../predictor.ts';
import type { Mutant } from './mutate.ts';
import { oddRows } from './rows.ts';

const refusals: readonly string[] = ['model-file-invalid', 'model-file-too-new'];

/** Opens and asks. @throws AssertionError for every other end */
export async function survives(
  { file, isMended }: Mutant,
  original: Uint8Array,
): Promise<'opened' | 'refused'> {
  try {
    const predictor = await openModel(file);
    assert.ok(isMended || Buffer.from(file).equals(original), 'a changed file was opened');
    for (const row of oddRows) answersInNumbers(predictor, row);
    return 'opened';
  } catch (error) {
    assert.ok(error instanceof Problem, String((error as Error).stack));
    assert.ok(refusals.includes(error.code), `${error.code}: ${error.message}`);
    return 'refused';
  }
}

/** A file may call a column by another kind, which the row then does not fit: its values are left out. */
function answersInNumbers({ predictRows }: Predictor, row: Record<string, unknown>): void {
  let answers;
  try {
    answers = predictRows([row, {}]).predictions;
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== 'prediction-input') throw error;
    answers = predictRows([{}]).predictions;
  }
  for (const { prediction, probabilities = {}, lower = 0, upper = 0 } of answers) {
    const numbers = [lower, upper, ...Object.values(probabilities)];
    if (typeof prediction === 'number') numbers.push(prediction);
    assert.ok(numbers.every(Number.isFinite), `answers ${numbers.join(', ')}`);
  }
}
