// Going on from an earlier training: new trees are added to those of a model rather than to a constant score, on the
// same rows or on others. On the same table, with the same settings and seed, the result is that of one training that
// never stopped, bit for bit up to 100,000 rows (beyond, rows are moved once in each training, and rounded in another
// order). On another table the bins, and so the borders, are those of its own values; the base score stays the earlier.
import { Problem } from '../../base/problems.ts';
import { copyFeatureRow, type Feature, type FeatureTable } from '../frame/encoding.ts';
import { applyTrees, type TreesModel } from '../model/trees.ts';
import type { Constraints } from './constraints.ts';
import type { TrainingControl } from './learner.ts';
import type { Loss } from './loss.ts';

/** A model to go on from, and what it was trained on. */
export interface EarlierTraining {
  model: TreesModel;
  /** Features of its table. The new table must be encoded as that one was: equal codes mean equal categories. */
  features: readonly Feature[];
  /** What its trees keep to. */
  constraints?: Constraints;
}

/** Rounds of trees that a model holds. */
export function roundCountOf({ roots, base }: TreesModel): number {
  return roots.length / base.length;
}

/** @throws Problem `invalid-request` saying how the earlier training differs from the one that is to go on from it */
export function checkEarlier(
  { model, features, constraints }: EarlierTraining,
  wanted: { features: readonly Feature[]; constraints?: Constraints | undefined; loss: Loss },
): void {
  const { link, outputCount } = wanted.loss;
  if (model.link !== link)
    throw refusal(`its scores become answers by "${model.link}", those of this training by "${link}"`);
  if (model.base.length !== outputCount)
    throw refusal(`it has ${model.base.length} outputs and this training has ${outputCount}`);
  if (features.length !== wanted.features.length)
    throw refusal(`it has ${features.length} features and this training has ${wanted.features.length}`);
  features.forEach((feature, index) => {
    const other = wanted.features[index]!;
    const isSame =
      feature.name === other.name && feature.kind === other.kind && feature.levelCount === other.levelCount;
    if (!isSame) throw refusal(`feature ${index} is ${inWords(feature)} there and ${inWords(other)} here`);
  });
  if (JSON.stringify(constraints ?? {}) !== JSON.stringify(wanted.constraints ?? {}))
    throw refusal('its constraints are not those of this training');
}

/** Writes the earlier model's scores of the table's rows at `positions`, output by output, as kernels hold them. */
export async function writeScores(
  model: TreesModel,
  { table, positions, scores }: { table: FeatureTable; positions: Int32Array; scores: Float64Array },
  { pause }: Pick<TrainingControl, 'pause'>,
): Promise<void> {
  const featureCount = table.features.length;
  const outputCount = model.base.length;
  const rows = new Float64Array(rowsAtOnce * featureCount);
  const raw = new Float64Array(rowsAtOnce * outputCount);
  for (let from = 0; from < positions.length; from += rowsAtOnce) {
    const rowCount = Math.min(rowsAtOnce, positions.length - from);
    for (let row = 0; row < rowCount; row++) {
      copyFeatureRow(table, positions[from + row]!, rows.subarray(row * featureCount));
      raw.set(model.base, row * outputCount);
    }
    applyTrees(model, { rows, rowCount, featureCount }, raw);
    for (let row = 0; row < rowCount; row++)
      for (let k = 0; k < outputCount; k++)
        scores[k * positions.length + from + row] = raw[row * outputCount + k]!;
    await pause();
  }
}

const rowsAtOnce = 512;

function refusal(difference: string): Problem {
  return new Problem(
    'invalid-request',
    `The training cannot go on from the earlier model: ${difference}. Train anew, or with the settings and columns of the earlier training.`,
    { errors: [{ field: 'earlier', message: difference }] },
  );
}

function inWords({ name, kind, levelCount }: Feature): string {
  return kind === 'number' ? `the number "${name}"` : `the category "${name}" with ${levelCount} levels`;
}
