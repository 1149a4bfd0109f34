// Searches whose models are one for all folds.
import assert from 'node:assert/strict';
import test from 'node:test';
import { seededRandom } from '../../base/random.ts';
import { systemClock } from '../../base/time.ts';
import { frameFromRows, type Frame } from '../frame/frame.ts';
import { openModel, writeModel } from '../model/model.ts';
import { portfolioCandidate } from './portfolio.ts';
import { prepare } from './prepare.ts';
import type { Recipe } from './recipe.ts';
import { search } from './search.ts';
import { fitCompactModels } from './compact.ts';
import { trialContext } from './testing.ts';
import { runTrial, type Trial } from './trial.ts';

const recipe: Recipe = {
  target: 'y',
  task: 'auto',
  metric: 'auto',
  budget: { trials: 3 },
  seed: 3,
  folds: 5,
  compact: true,
  refit: false,
};

/** The place, one of sixty, has a say of its own. */
function frameOf(rowCount: number, isChance = false): Frame {
  const random = seededRandom(9);
  const effects = Array.from({ length: 60 }, () => random.next());
  const rows = Array.from({ length: rowCount }, () => {
    const [x, z, place] = [random.next(), random.next(), random.below(60)];
    const score = isChance ? random.next() : x * z + effects[place]! + 0.2 * random.next();
    return { x, z, place: `place ${place}`, y: score };
  });
  return frameFromRows(rows, [
    { name: 'x', kind: 'numeric' },
    { name: 'z', kind: 'numeric' },
    { name: 'place', kind: 'categorical' },
    { name: 'y', kind: 'numeric' },
  ]);
}

const frame = frameOf(600);

test('each chosen model is one, nearly as good as those of the folds, and the file is smaller', async () => {
  const [bagged, once, again] = [
    await search({ frame, recipe: { ...recipe, compact: false }, clock: systemClock }),
    await search({ frame, recipe, clock: systemClock }),
    await search({ frame, recipe, clock: systemClock }),
  ];
  assert.ok(bagged.model.members.every(({ models }) => models.length === 5));
  assert.ok(once.model.members.every(({ models }) => models.length === 1));
  const bytes = await writeModel(once.model);
  assert.deepEqual(bytes, await writeModel(again.model));
  assert.ok(bytes.length < (await writeModel(bagged.model)).length / 2);
  const rmseOf = ({ evaluation }: typeof once): number => evaluation.metrics['rmse']!;
  assert.ok(rmseOf(once) < 1.15 * rmseOf(bagged), `${rmseOf(once)} and ${rmseOf(bagged)}`);
  assert.match(once.warnings.join(' '), /trained once more on all 480 training rows/);
  assert.doesNotMatch(bagged.warnings.join(' '), /once more/);
  const predictor = await openModel(bytes);
  for (const { input, prediction } of once.evaluation.samples)
    assert.equal(predictor.predictRows([input]).predictions[0]!.prediction, prediction);
});

test('means of the target leak nothing: where all is chance, the holdout is not worse than the mean of the target', async () => {
  const chance = frameOf(900, true);
  const { evaluation } = await search({ frame: chance, recipe, clock: systemClock });
  assert.ok(evaluation.metrics['r2']! > -0.1, `${evaluation.metrics['r2']}`);
});

test('what early stopping and the rows decided is taken over from the folds', async () => {
  const { trials, input } = await trialsOf(['boosted-trees', 'categorical-boosting']);
  for (const trial of trials) {
    const means = trial.settled.map(({ iterations }) => Number(iterations));
    const mean = Math.round(means.reduce((sum, value) => sum + value, 0) / means.length);
    await fitCompactModels(input, [trial]);
    const [model] = trial.models;
    assert.ok(model?.kind === 'trees');
    assert.equal(model.roots.length, mean);
  }
});

test('without time for it, fold models stay, which is told', async () => {
  const { trials, input } = await trialsOf(['boosted-trees']);
  const deadlineMs = systemClock.monotonicMs();
  const told = await fitCompactModels({ ...input, deadlineMs }, trials);
  assert.deepEqual(told, ['There was no time to train "Boosted trees" once more on all rows.']);
  assert.equal(trials[0]!.models.length, 5);
});

async function trialsOf(learners: readonly string[]) {
  const prepared = prepare(frame, recipe);
  const input = trialContext(prepared);
  const trials: Trial[] = [];
  for (const learner of learners) {
    const candidate = portfolioCandidate(0, ({ spec }) => spec.name === learner)!;
    trials.push(await runTrial(input, candidate, 1, 1));
  }
  return { trials, input };
}
