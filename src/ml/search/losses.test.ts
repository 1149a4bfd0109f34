// Which losses a search tries, and that it tries them.
import assert from 'node:assert/strict';
import test from 'node:test';
import { seededRandom } from '../../base/random.ts';
import { learnerNamed } from '../learners/learners.ts';
import { otherLosses } from './losses.ts';
import { proposer } from './proposals.ts';

const values = Float64Array.of(0, 1, 1, 4, 0);

test('the Poisson loss is for amounts, the absolute one for metrics of distance', () => {
  const rmse = { name: 'rmse' };
  assert.deepEqual(otherLosses({ task: 'regression', values }, rmse), ['poisson']);
  assert.deepEqual(otherLosses({ task: 'regression', values }, { name: 'mae' }), ['poisson', 'absolute']);
  assert.deepEqual(otherLosses({ task: 'regression', values: Float64Array.of(-1, 2) }, rmse), []);
  assert.deepEqual(otherLosses({ task: 'regression', values: Float64Array.of(0, 0) }, rmse), []);
  assert.deepEqual(otherLosses({ task: 'binary', values }, { name: 'auc' }), []);
  assert.deepEqual(otherLosses({ task: 'ranking', values }, { name: 'ndcg' }), []);
});

test('proposals choose among the losses, and leave out those that a learner does not have', () => {
  const options = { random: seededRandom(2), fits: () => true, isTimed: false };
  const propose = proposer({ ...options, losses: ['poisson', 'absolute'] });
  const drawn = Array.from({ length: 120 }, () => propose([]));
  const lossesOf = (learner: string): Set<unknown> =>
    new Set(
      drawn.filter((one) => one.learner === learner).map(({ hyperparameters }) => hyperparameters['loss']),
    );
  assert.deepEqual(lossesOf('boosted-trees'), new Set(['squared', 'poisson', 'absolute']));
  assert.deepEqual(lossesOf('linear'), new Set(['squared', 'poisson']));
  assert.deepEqual(lossesOf('neighbours'), new Set([undefined]));
});

test('a network is not tried where its share of the time lets it learn nothing', () => {
  const { leastSeconds } = learnerNamed('network');
  assert.ok(leastSeconds!(1000) > 2 && leastSeconds!(1000) < 20);
  assert.ok(leastSeconds!(100_000) > leastSeconds!(10_000));
  assert.equal(learnerNamed('boosted-trees').leastSeconds, undefined);
});
