// A logged prediction once more: computed again with the very file that made it, explained, and told in a document that
// this installation vouches for.
import type { z } from 'zod';
import { assert } from '../../../base/assert.ts';
import { toHex } from '../../../base/hash.ts';
import { canonicalJson } from '../../../base/json.ts';
import { asProblem, Problem } from '../../../base/problems.ts';
import { toIso } from '../../../base/time.ts';
import type {
  explainPrediction as explainOperation,
  getPredictionEvidence as evidenceOperation,
  rerunPrediction as rerunOperation,
} from '../../../contract/prediction-log.ts';
import { asJsonRow } from '../../../ml/frame/json-row.ts';
import type { Context } from '../../../platform/context.ts';
import { explainRows } from '../../registry/explain.ts';
import { openModelVersion, type OpenedVersion } from '../../registry/registry.ts';

import { answerAt } from './recording.ts';
import { findPrediction, originOf, type LoggedPrediction } from './reads.ts';

export type Rerun = z.output<(typeof rerunOperation)['response']['json']>;
export type Evidence = z.output<(typeof evidenceOperation)['response']['json']>;
type Explanation = z.output<(typeof explainOperation)['response']['json']>;

/** Computes a prediction again. Throws `not-found`, `prediction-redacted`, or what opening the model throws. */
export async function rerunPrediction(
  context: Context,
  endpointId: string,
  predictionId: string,
): Promise<Rerun> {
  return await rerun(context, await findPrediction(context, endpointId, predictionId));
}

/** Why a prediction came out as it did. Throws what {@link rerunPrediction} throws, and `explanation-unsupported`. */
export async function explainPrediction(
  context: Context,
  endpointId: string,
  predictionId: string,
): Promise<Explanation> {
  return await explain(context, await findPrediction(context, endpointId, predictionId));
}

/** All that is known of a prediction, signed. */
export async function getPredictionEvidence(
  context: Context,
  endpointId: string,
  predictionId: string,
): Promise<Evidence> {
  const prediction = await findPrediction(context, endpointId, predictionId);
  const again = await unlessImpossible(() => rerun(context, prediction));
  const told = {
    kind: 'prediction-evidence' as const,
    issuedAt: toIso(context.clock.nowMs()),
    prediction,
    origin: await originOf(context, prediction),
    rerun: again && { isIdentical: again.isIdentical, answer: again.answer },
    explanation: await unlessImpossible(() => explain(context, prediction)),
  };
  const bytes = new TextEncoder().encode(canonicalJson(told));
  const value = toHex(await context.signer.sign(bytes));
  return { ...told, signature: { algorithm: 'Ed25519', publicKey: context.signer.publicKey, value } };
}

async function rerun(context: Context, prediction: LoggedPrediction): Promise<Rerun> {
  const opened = await openWhole(context, prediction);
  const answer = await compute(opened, prediction);
  return {
    // JSON writes a double in the one shortest form that reads back as it: equal texts are equal bits.
    isIdentical: canonicalJson(answer) === canonicalJson(prediction.answer),
    answer,
    logged: prediction.answer,
    modelFileSha256: opened.fileSha256,
  };
}

async function explain(context: Context, prediction: LoggedPrediction): Promise<Explanation> {
  const { fields } = await openWhole(context, prediction);
  const row = prediction.form === 'json' ? prediction.given : asJsonRow(prediction.given, fields);
  const question = { rows: [row], outcome: null, compareWith: [] };
  const { explanations, comparedWith } = await explainRows(context, prediction.modelVersionId, question);
  return { ...explanations[0]!, comparedWith };
}

/** The model of a prediction of which everything is known that the model looks at. */
async function openWhole(
  context: Context,
  { modelVersionId, modelFileSha256, redacted }: LoggedPrediction,
): Promise<OpenedVersion> {
  const opened = await openModelVersion(context, modelVersionId);
  assert(opened.fileSha256 === modelFileSha256, 'a version keeps its file');
  const hidden = opened.fields.filter(({ name }) => redacted.includes(name));
  if (hidden.length === 0) return opened;
  const names = hidden.map(({ name }) => `"${name}"`).join(', ');
  throw new Problem(
    'prediction-redacted',
    `The model looks at ${names}, and what was given for ${hidden.length === 1 ? 'it' : 'them'} was not kept.`,
  );
}

async function compute(
  { model }: OpenedVersion,
  { form, given }: LoggedPrediction,
): Promise<LoggedPrediction['answer']> {
  if (form === 'json') return (await model.predictRows([given])).predictions[0]!;
  const columns = Object.fromEntries(Object.entries(given).map(([name, value]) => [name, [value]]));
  return answerAt(await model.predictColumns(columns, 'text'), 0) as LoggedPrediction['answer'];
}

/** Null where values were redacted or the model cannot be explained. */
async function unlessImpossible<T>(work: () => Promise<T>): Promise<T | null> {
  try {
    return await work();
  } catch (error) {
    const { code } = asProblem(error);
    if (code === 'prediction-redacted' || code === 'explanation-unsupported') return null;
    throw error;
  }
}
