import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../base/random.ts';
import { systemClock, type Clock } from '../../base/time.ts';
import { frameFromRows, type Frame } from '../frame/frame.ts';
import { modelCard } from '../model/card.ts';
import { openModel, writeModel } from '../model/model.ts';
import { finalFit, finalFitMs } from './final-fit.ts';
import { openFitContext } from './fit-crew.ts';
import { prepare } from './prepare.ts';
import type { Recipe } from './recipe.ts';
import { search } from './search.ts';
import { trialContext } from './testing.ts';
import { runTrial, type Trial } from './trial.ts';

const recipe: Recipe = {
  target: 'y',
  task: 'auto',
  metric: 'auto',
  budget: { trials: 3 },
  seed: 3,
  folds: 3,
};

/** 200 days; from day 160 on a level is higher than ever, and what was about 10 is about 100. */
function changingFrame(): Frame {
  const random = seededRandom(5);
  const rows = Array.from({ length: 200 }, (_, day) => ({
    day,
    level: (day < 160 ? 0 : 5) + random.next(),
    y: (day < 160 ? 10 : 100) + random.next(),
  }));
  return frameFromRows(rows, [
    { name: 'day', kind: 'numeric' },
    { name: 'level', kind: 'numeric' },
    { name: 'y', kind: 'numeric' },
  ]);
}

async function trialOf(learner: string): Promise<{ prepared: ReturnType<typeof prepare>; trial: Trial }> {
  const prepared = prepare(changingFrame(), recipe);
  const candidate = { learner, label: learner, hyperparameters: {}, timeShare: 1, isExploring: false };
  const trial = await runTrial(trialContext(prepared), candidate, 1, 1);
  assert.equal(trial.report.state, 'finished', trial.report.problem?.detail);
  return { prepared, trial };
}

test('what only the locked rows tell is learned, after they have judged; figures stay those of before', async () => {
  const frame = changingFrame();
  const byTime: Recipe = { ...recipe, timeColumn: 'day' };
  const without = await search({ frame, recipe: { ...byTime, refit: false }, clock: systemClock });
  const with_ = await search({ frame, recipe: byTime, clock: systemClock });
  const bytes = await writeModel(with_.model);
  assert.deepEqual(
    await writeModel((await search({ frame, recipe: byTime, clock: systemClock })).model),
    bytes,
  );
  assert.deepEqual(with_.evaluation, without.evaluation);
  assert.deepEqual(with_.importance, without.importance);
  const rows = [{ day: 190, level: 5.5 }];
  const answer = async (model: Awaited<ReturnType<typeof writeModel>>): Promise<number> =>
    (await openModel(model)).predictRows(rows).predictions[0]!.prediction as number;
  assert.ok((await answer(await writeModel(without.model))) < 15);
  assert.ok((await answer(bytes)) > 50);
  const { training } = with_.model.manifest;
  assert.deepEqual([training.rowCount, training.finalRowCount], [160, 200]);
  assert.equal(without.model.manifest.training.finalRowCount, undefined);
  assert.match(modelCard(with_.model.manifest).markdown, /once more from all 200 rows/);
  assert.doesNotMatch(modelCard(without.model.manifest).markdown, /once more/);
});

test("each fold's model leaves out the rows of its fold alone", async () => {
  const { prepared, trial } = await trialOf('baseline');
  const { models, isComplete } = await finalFit(trialContext(prepared), [{ trial, weight: 1 }]);
  assert.ok(isComplete);
  const { actual } = prepared.everything!;
  assert.deepEqual([...prepared.training.actual, ...prepared.holdout.actual], [...actual]);
  for (const [number, { validation }] of prepared.folds.entries()) {
    const leftOut = new Set(validation);
    const learned = [...actual].filter((_, row) => !leftOut.has(row));
    const mean = learned.reduce((sum, value) => sum + value, 0) / learned.length;
    const model = models[0]![number]!;
    assert.ok(model.kind === 'constant' && Math.abs(model.values[0]! - mean) < 1e-9, JSON.stringify(model));
  }
});

test('one model for all folds learns from every row, with what its folds settled', async () => {
  const single: Recipe = { ...recipe, compact: true };
  const frame = changingFrame();
  const judged = await search({ frame, recipe: { ...single, refit: false }, clock: systemClock });
  const { model } = await search({ frame, recipe: single, clock: systemClock });
  assert.deepEqual(
    model.members.map(({ models }) => models.length),
    model.members.map(() => 1),
  );
  assert.equal(model.manifest.training.finalRowCount, 200);
  const treesOf = ({ members }: typeof model): number[] =>
    members.map(({ models }) => (models[0]!.kind === 'trees' ? models[0]!.roots.length : 0));
  assert.deepEqual(treesOf(model), treesOf(judged.model));
  assert.notDeepEqual(await writeModel(model), await writeModel(judged.model));
});

test('without time, and where new models would be too slow, the models that were judged stay', async () => {
  const { prepared, trial } = await trialOf('boosted-trees');
  const choices = [{ trial, weight: 1 }];
  const context = trialContext(prepared);
  const late = await finalFit({ ...context, deadlineMs: systemClock.monotonicMs() }, choices);
  assert.deepEqual(late, { models: [trial.models], isComplete: false });
  const slow = await finalFit({ ...context, latency: { maxMs: 1, modelsMs: 0 } }, choices);
  assert.deepEqual(slow, { models: [trial.models], isComplete: false });
  // A clock that jumps past the deadline while the first model is trained: that model is not complete.
  let asked = 0;
  const jumping: Clock = { ...systemClock, monotonicMs: () => (asked++ < 1 ? 0 : 1e9) };
  const { pause } = context;
  const ahead = openFitContext({ prepared, clock: jumping, pause });
  const cut = await finalFit({ ...ahead, deadlineMs: 1e6 }, choices);
  assert.deepEqual(cut, { models: [trial.models], isComplete: false });
});

test('time is kept free for it where rows are few, and none where it is not wanted', async () => {
  const { prepared, trial } = await trialOf('linear');
  trial.report.seconds = 2;
  assert.equal(finalFitMs(prepared, [trial], 60_000), 3000);
  assert.equal(finalFitMs(prepared, [trial], 5000), 1000);
  assert.equal(finalFitMs(prepared, [], 60_000), 0);
  const unwanted = { ...prepared, recipe: { ...recipe, refit: false } };
  assert.equal(finalFitMs(unwanted, [trial], 60_000), 0);
});
