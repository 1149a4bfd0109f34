// The learners there are. Forms, documentation, validation and the search read their specifications from here.
import { Problem } from '../../base/problems.ts';
import { baseline } from './baseline.ts';
import { boostedTrees } from './boosted-trees.ts';
import { categoricalBoosting } from './categorical-boosting.ts';
import { extraTrees, randomForest } from './forests.ts';
import type { Learner } from './learner.ts';
import { linear } from './linear.ts';
import { naiveBayes } from './naive-bayes.ts';
import { neighbours } from './neighbours.ts';
import { network } from './network.ts';

export const learners: readonly Learner[] = [
  baseline,
  linear,
  boostedTrees,
  categoricalBoosting,
  randomForest,
  extraTrees,
  naiveBayes,
  neighbours,
  network,
];

/** The learner called `name`. @throws Problem `invalid-request` */
export function learnerNamed(name: string): Learner {
  const learner = learners.find((candidate) => candidate.spec.name === name);
  if (learner) return learner;
  const names = learners.map((candidate) => candidate.spec.name).join(', ');
  throw new Problem('invalid-request', `There is no learner "${name.slice(0, 60)}". Use one of: ${names}.`);
}
