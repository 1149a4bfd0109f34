// The simplest model: the mean, or the share of each class, whatever the row says. Everything else must beat it.
import { outputCountOf } from '../model/row-model.ts';
import {
  checkAbilities,
  type Learner,
  type LearnerSpec,
  type TrainedModel,
  type TrainingInput,
} from './learner.ts';

const spec: LearnerSpec = {
  name: 'baseline',
  label: 'Baseline',
  plainWords:
    'Always answers with the average, or with how frequent each class is. What a model must beat to be worth anything.',
  tasks: ['binary', 'multiclass', 'regression'],
  hyperparameters: [],
  abilities: {
    missingValues: true,
    categories: true,
    weights: true,
    earlyStopping: false,
    // An answer that never changes keeps to all of them.
    constraints: true,
  },
};

export const baseline: Learner = {
  spec,
  train: async (input) => {
    checkAbilities(spec, input);
    await input.control.pause();
    return trainBaseline(input);
  },
};

function trainBaseline({ task, target, classCount, rows, weights }: TrainingInput): TrainedModel {
  const values = new Float64Array(outputCountOf(task, classCount));
  let total = 0;
  for (const row of rows) {
    const weight = weights ? weights[row]! : 1;
    if (task === 'regression') values[0]! += weight * target[row]!;
    else values[target[row]!]! += weight;
    total += weight;
  }
  // One row's worth spread over the classes: a class that these rows lack must not become impossible.
  const extra = task === 'regression' ? 0 : 1;
  for (let index = 0; index < values.length; index++)
    values[index] = (values[index]! + extra / values.length) / (total + extra);
  return { model: { kind: 'constant', values }, iterationCount: 1, curve: [], endedBy: 'iterations' };
}
