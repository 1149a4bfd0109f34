// What tests of whole models share: a model that holds forms which a short search does not come to.
import { trainingOn } from '../learners/testing.ts';
import type { Frame } from '../frame/frame.ts';
import type { Hyperparameters, LearnedTask, Learner } from '../learners/learner.ts';
import type { ModelContent } from '../model/manifest.ts';
import { prepare } from './prepare.ts';
import type { Recipe } from './recipe.ts';

/** Settings by learner, where tests want less than the defaults. */
export type SettingsByLearner = Readonly<Record<string, Hyperparameters>>;

const briefSettings: SettingsByLearner = { network: { epochs: 5, width: 8, heads: 2 } };

/** The model of a search with a member of each of `learners` more; all count the same. */
export async function withMembers(
  content: ModelContent,
  learners: readonly Learner[],
  { frame, recipe, settings = briefSettings }: { frame: Frame; recipe: Recipe; settings?: SettingsByLearner },
): Promise<ModelContent> {
  const { training, target } = prepare(frame, recipe);
  const members = [...content.members];
  for (const { spec, train } of learners) {
    const input = trainingOn(training.table, target.task as LearnedTask, training.actual, {
      classCount: target.classes.length,
      hyperparameters: settings[spec.name] ?? {},
    });
    const { model } = await train(input);
    members.push({ learner: spec.name, label: spec.label, hyperparameters: {}, weight: 1, models: [model] });
  }
  return { ...content, members: members.map((member) => ({ ...member, weight: 1 / members.length })) };
}
