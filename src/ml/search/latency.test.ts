// Ensembles that keep to a time for one answer.
import assert from 'node:assert/strict';
import test from 'node:test';
import type { Problem } from '../../base/problems.ts';
import { systemClock, type Clock } from '../../base/time.ts';
import { seededRandom } from '../../base/random.ts';
import { frameFromRows, type Frame } from '../frame/frame.ts';
import type { RowModel } from '../model/row-model.ts';
import { selectEnsemble } from './ensemble.ts';
import { latencyLimit, measureLatency, rowMs, thinOut } from './latency.ts';
import { portfolioCandidate } from './portfolio.ts';
import { prepare } from './prepare.ts';
import type { Recipe } from './recipe.ts';
import { search } from './search.ts';
import { trialContext } from './testing.ts';
import { runTrial, type Trial } from './trial.ts';

const recipe: Recipe = {
  target: 'y',
  task: 'auto',
  metric: 'auto',
  budget: { trials: 4 },
  seed: 3,
  folds: 5,
};

function frameOf(rowCount: number): Frame {
  const random = seededRandom(9);
  const rows = Array.from({ length: rowCount }, () => {
    const [x, z] = [random.next(), random.next()];
    return { x, z, y: x * z + 0.2 * random.next() > 0.3 ? 'yes' : 'no' };
  });
  return frameFromRows(rows, [
    { name: 'x', kind: 'numeric' },
    { name: 'z', kind: 'numeric' },
    { name: 'y', kind: 'categorical' },
  ]);
}

const frame = frameOf(300);
const prepared = prepare(frame, recipe);

/** The first trials of the portfolio, whose models take these milliseconds each. */
async function trialsTaking(modelMs: readonly number[]): Promise<Trial[]> {
  const context = trialContext(prepared);
  const trials: Trial[] = [];
  for (const [index, ms] of modelMs.entries()) {
    const trial = await runTrial(
      context,
      portfolioCandidate(index, () => true)!,
      index + 1,
      index,
    );
    trial.modelMs = ms;
    trials.push(trial);
  }
  return trials;
}

test('the best trial that fits says how many fold models all may keep, and the ensemble stays within the limit', async () => {
  const trials = await trialsTaking([0.001, 0.01, 0.4, 0.3]);
  const warnings = thinOut(trials, { maxMs: 1, modelsMs: 0.9 });
  const best = trials.slice(1).reduce((a, b) => (b.utility > a.utility ? b : a));
  const kept = Math.min(5, Math.floor(0.9 / best.modelMs!));
  assert.ok(kept >= 1 && trials.every(({ models }) => models.length === kept), String(kept));
  assert.match(warnings.join(), kept < 5 ? /models keep \d of their 5 parts/ : /^$/);
  const goOn = (): Promise<boolean> => Promise.resolve(true);
  const choices = await selectEnsemble(prepared, trials, goOn, { most: 0.9, costOf: rowMs });
  const total = choices.reduce((sum, { trial }) => sum + rowMs(trial), 0);
  assert.ok(total <= 0.9 + 1e-12, `${total} ms`);
});

test('a trial whose models are too slow is given up; of the baseline alone, the answer says why', async () => {
  const slow: Clock = {
    ...systemClock,
    monotonicMs: (() => {
      let now = 0;
      return () => (now += 5);
    })(),
  };
  const limit = { maxMs: 2, modelsMs: 1.5 };
  const trials = await trialsTaking([0, 0]);
  for (const trial of trials) measureLatency(trial, limit, { prepared, clock: slow });
  assert.deepEqual(
    trials.map(({ models, modelMs }) => [models.length, modelMs]),
    [
      [5, 5],
      [0, 5],
    ],
  );
  assert.deepEqual(thinOut(trials, limit), [
    'No model answers a row within 2 ms here; the fastest took 5 ms. The baseline answers in its place.',
  ]);
  assert.equal(latencyLimit(prepared, slow), undefined);
  assert.deepEqual(latencyLimit({ ...prepared, recipe: { ...recipe, maxPredictMs: 7 } }, slow), {
    maxMs: 7,
    modelsMs: 2,
  });
});

test('a limit that everything keeps changes nothing; one that nothing keeps leaves the baseline', async () => {
  const free = await search({ frame, recipe, clock: systemClock });
  const wide = await search({ frame, recipe: { ...recipe, maxPredictMs: 60_000 }, clock: systemClock });
  const models = (members: { models: RowModel[] }[]): number[] => members.map((one) => one.models.length);
  assert.deepEqual(wide.warnings, free.warnings);
  assert.deepEqual(models(wide.model.members), models(free.model.members));
  const none = await search({ frame, recipe: { ...recipe, maxPredictMs: 1e-6 }, clock: systemClock });
  assert.deepEqual(
    none.model.members.map(({ learner }) => learner),
    ['baseline'],
  );
  assert.match(none.warnings.join(), /No model answers a row within/);
  await assert.rejects(
    search({ frame, recipe: { ...recipe, maxPredictMs: 0 }, clock: systemClock }),
    (error: Problem) => error.code === 'invalid-request' && /maxPredictMs/.test(error.message),
  );
});
