// What tests of searches share: what a trial runs in, and a model that holds forms which a short search does not come to.
import { trainingOn } from '../learners/testing.ts';
import type { Frame } from '../frame/frame.ts';
import { systemClock } from '../../base/time.ts';
import { pauseBy, type Hyperparameters, type LearnedTask, type Learner } from '../learners/learner.ts';
import type { ModelContent } from '../model/manifest.ts';
import { openFitContext } from './fit-crew.ts';
import { prepare, type Prepared } from './prepare.ts';
import type { Recipe } from './recipe.ts';
import type { TrialContext } from './trial.ts';

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

/** Trials of something prepared, on one thread and without a limit. */
export function trialContext(prepared: Prepared, more: Partial<TrialContext> = {}): TrialContext {
  return {
    ...openFitContext({ prepared, clock: systemClock, pause: pauseBy(systemClock) }),
    emit: () => undefined,
    leastFirstFoldUtility: -Infinity,
    ...more,
  };
}
