// The memory limit of a search: what would not fit is not tried, and a trial that takes too much is ended, not the process.
import assert from 'node:assert/strict';
import test from 'node:test';
import { seededRandom } from '../../base/random.ts';
import { systemClock } from '../../base/time.ts';
import { frameFromRows } from '../frame/frame.ts';
import { boostedTrees } from '../learners/boosted-trees.ts';
import { extraTrees } from '../learners/forests.ts';
import { completeHyperparameters, type Learner } from '../learners/learner.ts';
import type { SearchEvent, SearchInput } from './recipe.ts';
import { search } from './search.ts';

const mebibyte = 2 ** 20;
const random = seededRandom(2);
const frame = frameFromRows(
  Array.from({ length: 900 }, () => {
    const [a, b] = [random.next(), random.next()];
    return { a, b, y: a + b + 0.3 * random.next() > 1.1 ? 'yes' : 'no' };
  }),
  [
    { name: 'a', kind: 'numeric' },
    { name: 'b', kind: 'numeric' },
    { name: 'y', kind: 'categorical' },
  ],
);

async function run(memoryBytes: number, changes: Partial<SearchInput> = {}) {
  return await search({
    frame,
    recipe: {
      target: 'y',
      task: 'auto',
      metric: 'auto',
      budget: { trials: 5, memoryBytes },
      seed: 1,
      folds: 3,
    },
    clock: systemClock,
    ...changes,
  });
}

test('the plan grows with rows, columns, outputs, leaves and trees', () => {
  const bytes = (learner: Learner, size: object, settings: object): number =>
    learner.trainingBytes!(
      { rowCount: 100_000, featureCount: 20, outputCount: 1, ...size },
      completeHyperparameters(learner.spec, { ...settings }),
    );
  for (const learner of [boostedTrees, extraTrees]) {
    const least = bytes(learner, {}, { maxLeaves: 16 });
    for (const size of [{ rowCount: 200_000 }, { featureCount: 40 }, { outputCount: 3 }])
      assert.ok(bytes(learner, size, { maxLeaves: 16 }) > least);
    assert.ok(bytes(learner, {}, { maxLeaves: 256 }) > least);
  }
  assert.ok(bytes(extraTrees, {}, { trees: 1000 }) > 29 * mebibyte);
});

test('what does not fit is not tried, and people are told', async () => {
  const roomy = await run(400 * mebibyte);
  assert.ok(roomy.leaderboard.some(({ learner }) => learner === 'extra-trees'));
  assert.deepEqual(
    roomy.warnings.filter((warning) => warning.includes('MiB')),
    [],
  );
  const tight = await run(2 * mebibyte);
  const tried = new Set(tight.leaderboard.map(({ learner }) => learner));
  assert.ok(tried.has('boosted-trees') && tried.has('linear'));
  assert.ok(!tried.has('extra-trees') && !tried.has('random-forest'));
  assert.equal(tight.leaderboard.length, 5);
  assert.ok(tight.warnings.some((warning) => /Extra trees.*not tried.*2 MiB/.test(warning)));
});

test('a trial that takes too much is ended; the search goes on and ends with a model', async () => {
  let running = '';
  const found = await run(400 * mebibyte, {
    memory: { limitBytes: 100, takenBytes: () => (running === 'boosted-trees' ? 99 : 50) },
    onProgress: (event: SearchEvent) => {
      if (event.kind === 'trial-started') running = event.trial.learner;
      if (event.kind === 'trial-finished') running = '';
    },
  });
  const [trees] = found.leaderboard.filter(({ learner }) => learner === 'boosted-trees');
  assert.equal(trees!.state, 'failed');
  assert.equal(trees!.problem!.code, 'memory-limit');
  assert.ok(found.leaderboard.some(({ learner, state }) => learner === 'linear' && state === 'finished'));
  assert.ok(found.warnings.some((warning) => warning.includes('too near to the memory limit')));
});

test('where memory ends one trial after another, no more are begun', async () => {
  let trialCount = 0;
  const found = await run(400 * mebibyte, {
    memory: { limitBytes: 100, takenBytes: () => (trialCount > 2 ? 99 : 50) },
    onProgress: (event: SearchEvent) => {
      if (event.kind === 'trial-started') trialCount++;
    },
  });
  assert.ok(found.leaderboard.length <= 5 && found.leaderboard.length >= 3);
  assert.ok(found.model.members.length > 0);
  await assert.rejects(
    run(400 * mebibyte, { memory: { limitBytes: 100, takenBytes: () => 99 } }),
    (error: Error) => /memory/.test(error.message),
  );
});
