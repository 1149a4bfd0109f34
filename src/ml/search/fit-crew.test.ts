// Models of several folds at a time. Threads are played here by the service that they run, on this very thread; real ones are
// in platform/drivers/training-threads.test.ts.
import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import { test } from 'node:test';
import { seededRandom } from '../../base/random.ts';
import { systemClock } from '../../base/time.ts';
import { frameFromRows, type Frame } from '../frame/frame.ts';
import { learners } from '../learners/learners.ts';
import { pauseBy } from '../learners/learner.ts';
import { openFitContext, type FitCrew } from './fit-crew.ts';
import { openFitService, type FitMessage, type TrainingThreads } from './fit-service.ts';
import { prepare, type Prepared } from './prepare.ts';
import type { Recipe } from './recipe.ts';
import { trialContext } from './testing.ts';
import { runTrial } from './trial.ts';

const recipe: Recipe = {
  target: 'y',
  task: 'auto',
  metric: 'auto',
  budget: { trials: 3 },
  seed: 3,
  folds: 4,
  compact: true,
};

/** A category of so many values that folds have statistics of their own. */
function frameOf(rowCount: number): Frame {
  const random = seededRandom(5);
  const rows = Array.from({ length: rowCount }, () => {
    const x = random.next();
    const place = `p${random.below(50)}`;
    return { x, place, group: random.below(40), y: x + place.length + random.next() };
  });
  return frameFromRows(rows, [
    { name: 'x', kind: 'numeric' },
    { name: 'place', kind: 'categorical' },
    { name: 'group', kind: 'numeric' },
    { name: 'y', kind: 'numeric' },
  ]);
}

/** Copies what is sent, as threads do; `isLost` says that the thread is gone. */
function playedThreads(
  count: number,
  isLost: (message: FitMessage) => boolean = () => false,
): TrainingThreads {
  const services = Array.from({ length: count }, () => openFitService(systemClock));
  return {
    count,
    send: () => undefined,
    ask: async (index, message) => {
      await turn();
      if (isLost(message)) throw new Error('gone');
      return structuredClone(await services[index]!(structuredClone(message)));
    },
  };
}

function crewOf(prepared: Prepared, threads: TrainingThreads): FitCrew {
  return openFitContext({ prepared, clock: systemClock, pause: pauseBy(systemClock), threads }).crew;
}

const prepared = prepare(frameOf(300), recipe);
const shared = prepare(frameOf(300), recipe, { threadCount: 4 });
const brief: Readonly<Record<string, object>> = {
  network: { epochs: 3 },
  'boosted-trees': { iterations: 5 },
  'categorical-boosting': { iterations: 5 },
};

test('which thread trains a model changes nothing in a trial', async () => {
  for (const { spec } of learners.filter((learner) => learner.spec.tasks.includes('regression'))) {
    const hyperparameters = { ...brief[spec.name] };
    const candidate = {
      learner: spec.name,
      label: spec.name,
      hyperparameters,
      timeShare: 1,
      isExploring: false,
    };
    const alone = await runTrial(trialContext(prepared), candidate, 1, 1);
    assert.equal(alone.report.state, 'finished', alone.report.problem?.detail);
    const crew = crewOf(shared, playedThreads(3));
    assert.equal(crew.size, 4);
    const together = await runTrial(trialContext(shared, { crew }), candidate, 1, 1);
    assert.deepEqual(together.models, alone.models, spec.name);
    assert.deepEqual(together.predictions, alone.predictions, spec.name);
    assert.deepEqual(together.report.foldScores, alone.report.foldScores, spec.name);
  }
});

test('final and whole models are the same on other threads', async () => {
  const hyperparameters = { iterations: 5 };
  for (const part of ['training', 'everything'] as const) {
    const order = {
      learner: 'boosted-trees',
      hyperparameters,
      seed: 2,
      part,
      fold: 4,
      answers: 'none' as const,
    };
    const expected = (await trialContext(prepared).crew.fit(order)).trained;
    const models: unknown[] = [];
    await crewOf(shared, playedThreads(2)).each(3, async (index, fit) => {
      models[index] = (await fit(order)).trained;
      return true;
    });
    assert.deepEqual(models, [expected, expected, expected]);
  }
});

test('what a lost thread had to do is done here, and the thread is told anew what there is', async () => {
  const asked: string[] = [];
  const threads = playedThreads(1, ({ kind }) => asked.push(kind) === 2);
  const crew = crewOf(shared, threads);
  const candidate = {
    learner: 'linear',
    label: 'linear',
    hyperparameters: {},
    timeShare: 1,
    isExploring: false,
  };
  const expected = (await runTrial(trialContext(prepared), candidate, 1, 1)).models;
  for (let round = 0; round < 2; round++) {
    const { report, models } = await runTrial(trialContext(shared, { crew }), candidate, 1, 1);
    assert.equal(report.state, 'finished');
    assert.deepEqual(models, expected);
  }
  assert.deepEqual(asked.slice(0, 4), ['material', 'fit', 'material', 'fit']);
});

test('the lowest number decides how a round ends, whichever is faster', async () => {
  const crew = crewOf(shared, playedThreads(2));
  const begun: number[] = [];
  const run = (stops: (index: number) => Promise<boolean>) =>
    crew.each(6, async (index) => {
      begun.push(index);
      return !(await stops(index));
    });
  const failing = new Error('the second fails');
  // The second fails while the first is under way, which then stops: it is as if the second had never been.
  await run(async (index) => {
    if (index === 1) throw failing;
    await turn();
    await turn();
    return index === 0;
  });
  assert.deepEqual(begun, [0, 1, 2]);
  await assert.rejects(
    run(async (index) => {
      if (index === 2) throw failing;
      await turn();
      return false;
    }),
    failing,
  );
});

test('models that nobody waits for are not trained to their end', async () => {
  const order = {
    learner: 'boosted-trees',
    hyperparameters: { iterations: 2000, patience: 2000, learningRate: 0.001 },
    seed: 1,
    part: 'training' as const,
    fold: 0,
    answers: 'none' as const,
  };
  let finished = 0;
  await crewOf(shared, playedThreads(1)).each(2, async (index, fit) => {
    if (index === 0) {
      await turn();
      return false;
    }
    await fit(order);
    finished++;
    return true;
  });
  assert.equal(finished, 0);
});

test('where memory is short, models are trained one after the other', () => {
  const tight = prepare(frameOf(300), { ...recipe, budget: { trials: 1, memoryBytes: 100 * 2 ** 20 } });
  assert.equal(crewOf(tight, playedThreads(3)).size, 1);
  const ample = prepare(frameOf(300), { ...recipe, budget: { trials: 1, memoryBytes: 500 * 2 ** 20 } });
  assert.equal(crewOf(ample, playedThreads(3)).size, 3);
});
