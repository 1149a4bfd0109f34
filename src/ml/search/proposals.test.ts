// Proposals on made-up scores, whose best settings are known.
import assert from 'node:assert/strict';
import test from 'node:test';
import { seededRandom } from '../../base/random.ts';
import { completeHyperparameters, type Hyperparameters } from '../learners/learner.ts';
import { learnerNamed } from '../learners/learners.ts';
import { proposer, type Tried } from './proposals.ts';

/** Best at a learning rate of 0.05 with 60 leaves and half of the columns; forests and the rest are never as good. */
function scoreOf(learner: string, hyperparameters: Hyperparameters): number {
  if (learner !== 'boosted-trees') return -1.5;
  const of = (name: string): number =>
    Number(completeHyperparameters(learnerNamed(learner).spec, hyperparameters)[name]);
  const rate = Math.log(of('learningRate') / 0.05);
  const leaves = Math.log(of('maxLeaves') / 60);
  return -(rate * rate + 0.5 * leaves * leaves + 4 * (of('featureShare') - 0.5) ** 2);
}

function bestAfter(count: number, seed: number, learns: boolean): number {
  const propose = proposer({ random: seededRandom(seed), fits: () => true, isTimed: false });
  const tried: Tried[] = [];
  for (let index = 0; index < count; index++) {
    const { learner, hyperparameters } = propose(learns ? tried : []);
    tried.push({ learner, hyperparameters, utility: scoreOf(learner, hyperparameters), seconds: 1 });
  }
  return Math.max(...tried.map(({ utility }) => utility));
}

test('what trials taught makes the next ones better than draws', () => {
  const seeds = Array.from({ length: 12 }, (_, seed) => seed);
  const shortfall = (learns: boolean): number =>
    -seeds.reduce((sum, seed) => sum + bestAfter(40, seed, learns), 0) / seeds.length;
  const [learned, drawn] = [shortfall(true), shortfall(false)];
  assert.ok(learned < drawn / 2, `${learned.toFixed(4)} from the best, drawn ${drawn.toFixed(4)}`);
});

test('settings lie within their search space, and only learners that fit are proposed', () => {
  const random = seededRandom(5);
  const propose = proposer({ random, fits: ({ spec }) => spec.name !== 'linear', isTimed: true });
  const tried: Tried[] = [];
  for (let index = 0; index < 120; index++) {
    const { learner, hyperparameters } = propose(tried);
    assert.notEqual(learner, 'linear');
    const { spec } = learnerNamed(learner);
    completeHyperparameters(spec, hyperparameters);
    for (const { name, search, type } of spec.hyperparameters) {
      if (!search) continue;
      const value = hyperparameters[name]!;
      if ('choices' in search) assert.ok(search.choices.includes(value));
      else assert.ok(Number(value) >= search.min && Number(value) <= search.max);
      if (type === 'integer') assert.ok(Number.isInteger(value));
    }
    const utility = index % 7 === 0 ? -1e9 : random.next();
    tried.push({ learner, hyperparameters, utility, seconds: random.next() });
  }
});

test('of two learners with equal scores, a timed search prefers the quicker one', () => {
  const counts = { 'extra-trees': 0, 'random-forest': 0 };
  const propose = proposer({ random: seededRandom(8), fits: () => true, isTimed: true });
  const tried = ['extra-trees', 'random-forest'].flatMap((learner) =>
    Array.from({ length: 6 }, (_, index): Tried => ({
      learner,
      hyperparameters: { minRowsPerLeaf: 1 + index },
      utility: 0.5 + 0.01 * index,
      seconds: learner === 'extra-trees' ? 1 : 100,
    })),
  );
  for (let index = 0; index < 60; index++) {
    const { learner } = propose(tried);
    if (learner in counts) counts[learner as keyof typeof counts]++;
  }
  assert.ok(counts['extra-trees'] > 3 * counts['random-forest'], JSON.stringify(counts));
});
