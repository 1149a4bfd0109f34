// Proposals that must first show something on a sample of a large table.
import assert from 'node:assert/strict';
import test from 'node:test';
import { seededRandom } from '../../base/random.ts';
import { frameFromColumns, type Frame } from '../frame/frame.ts';
import { sampler } from './fidelity.ts';
import type { Candidate } from './portfolio.ts';
import { prepare } from './prepare.ts';
import type { Recipe } from './recipe.ts';
import { trialContext } from './testing.ts';
import { runTrial, type Trial } from './trial.ts';

const recipe: Recipe = {
  target: 'y',
  task: 'auto',
  metric: 'auto',
  budget: { seconds: 100 },
  seed: 3,
  folds: 5,
};
const proposal: Candidate = {
  learner: 'boosted-trees',
  label: 'Proposed',
  hyperparameters: { iterations: 5, maxLeaves: 4 },
  timeShare: 1,
  isExploring: true,
};

/** One row in five is a yes. */
function frameOf(rowCount: number): Frame {
  const random = seededRandom(4);
  const x = Array.from({ length: rowCount }, () => random.next());
  const y = x.map((_, row) => (row % 5 === 0 ? 'yes' : 'no'));
  return frameFromColumns({ x, y }, [
    { name: 'x', kind: 'numeric' },
    { name: 'y', kind: 'categorical' },
  ]);
}

const large = prepare(frameOf(26_000), recipe);

/** Trials of which the first was trained on everything and took so many seconds. */
async function trialsTaking(seconds: number, sampleUtilities: readonly number[] = []): Promise<Trial[]> {
  const whole = await runTrial(trialContext(large), { ...proposal, isExploring: false }, 1, 1);
  whole.secondsPerModel = seconds / large.folds.length;
  return [
    whole,
    ...sampleUtilities.map((sampleUtility) => ({
      ...whole,
      report: { ...whole.report, state: 'stopped' as const },
      sampleUtility,
    })),
  ];
}

test('there is a sample only where the table is large, time is the budget, and a fold takes a noticeable part of it', async () => {
  const slow = await trialsTaking(30);
  assert.ok(sampler(large)(slow));
  assert.equal(sampler(large)([]), undefined, 'what a fold takes is not known');
  assert.equal(sampler(large)(await trialsTaking(1)), undefined, 'a fold is quick');
  assert.equal(sampler(prepare(frameOf(15_000), recipe))(slow), undefined, 'the table is small');
  const counted = { ...large, recipe: { ...recipe, budget: { trials: 50, seconds: 100 } } };
  assert.equal(sampler(counted)(slow), undefined, 'counted in trials');
});

test('the sample is a quarter of what the first fold learns from, with classes in their shares', async () => {
  const { rows } = sampler(large)(await trialsTaking(30))!;
  const [fold] = large.folds;
  assert.equal(rows.length, Math.round(fold!.training.length / 4));
  const learned = new Set(fold!.training);
  assert.ok(rows.every((row) => learned.has(row)));
  const share = rows.filter((row) => large.training.actual[row] === 1).length / rows.length;
  assert.ok(Math.abs(share - 0.2) < 0.001, `${share}`);
});

test('a proposal goes on when it is among the best third on the sample', async () => {
  const rung = sampler(large);
  assert.equal(rung(await trialsTaking(30, [0.5, 0.6]))!.leastUtility, -Infinity);
  const reached = [0.9, 0.2, 0.5, 0.7, 0.1, 0.3];
  assert.equal(rung(await trialsTaking(30, reached))!.leastUtility, 0.7);
});

test('a trial tells what it was judged on', async () => {
  const { rows } = sampler(large)(await trialsTaking(30))!;
  const given = await runTrial(trialContext(large, { rung: { rows, leastUtility: 1 } }), proposal, 2, 1);
  assert.equal(given.report.state, 'stopped');
  assert.deepEqual(given.report.judgedOn, { rowCount: rows.length, foldCount: 1 });
  assert.equal(given.report.score, null);
  assert.ok(Number.isFinite(given.sampleUtility));

  const whole = await runTrial(trialContext(large, { rung: { rows, leastUtility: 0 } }), proposal, 3, 1);
  assert.equal(whole.report.state, 'finished');
  assert.deepEqual(whole.report.judgedOn, { rowCount: large.folds[4]!.training.length, foldCount: 5 });

  const known = await runTrial(
    trialContext(large, { rung: { rows, leastUtility: 1 } }),
    { ...proposal, isExploring: false },
    4,
    1,
  );
  assert.equal(known.report.state, 'finished', 'the portfolio is always trained on everything');
});
