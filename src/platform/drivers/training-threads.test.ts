// Trainings on several threads: the same model as on one, whatever the number, and free threads afterwards. Threads train
// whole models of folds, or serve the kernels of one.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { seededRandom } from '../../base/random.ts';
import { systemClock } from '../../base/time.ts';
import { openTeam, type KernelThreads } from '../../ml/kernels/threads.ts';
import { startSharedModule } from '../../ml/kernels/web-assembly.ts';
import { binnedTable } from '../../ml/learners/bins.ts';
import { boostedTrees } from '../../ml/learners/boosted-trees.ts';
import { categoricalBoosting } from '../../ml/learners/categorical-boosting.ts';
import { extraTrees, randomForest } from '../../ml/learners/forests.ts';
import { pauseBy, type TrainingInput } from '../../ml/learners/learner.ts';
import { featureTable } from '../../ml/learners/testing.ts';
import { frameFromRows } from '../../ml/frame/frame.ts';
import { writeModel } from '../../ml/model/model.ts';
import { search } from '../../ml/search/search.ts';
import type { FitMessage, TrainingThreads } from '../../ml/search/fit-service.ts';
import { openTrainingThreads } from './training-threads.ts';

const three = openTrainingThreads(3);
after(() => three.close());

const rowCount = 110_000;

function input(task: 'binary' | 'multiclass', threads?: KernelThreads): TrainingInput {
  const random = seededRandom(8);
  const columns = Array.from({ length: 6 }, (_, column) =>
    Float64Array.from({ length: rowCount }, () =>
      column === 5 ? random.below(7) : random.next() < 0.1 ? NaN : random.next(),
    ),
  );
  const rows = Int32Array.from({ length: rowCount }, (_, row) => row);
  return {
    table: featureTable(columns, { 5: 7 }),
    task,
    target: Float64Array.from(rows, (row) =>
      Math.min(
        task === 'binary' ? 1 : 2,
        Math.floor((columns[0]![row]! > 0.5 ? 1.2 : 0) + 1.5 * random.next()),
      ),
    ),
    classCount: task === 'binary' ? 2 : 3,
    rows: rows.filter((row) => row % 20 !== 0),
    validationRows: rows.filter((row) => row % 20 === 0),
    hyperparameters: {},
    seed: 3,
    control: { clock: systemClock, pause: pauseBy(systemClock), ...(threads && { threads }) },
  };
}

/** Counts the threads that were handed a training. */
function counted(threads: KernelThreads): KernelThreads & { sent: () => number } {
  let sentCount = 0;
  return {
    count: threads.count,
    send: (index, start) => {
      sentCount++;
      threads.send(index, start);
    },
    sent: () => sentCount,
  };
}

test('a team shares calls out to all threads and waits for them', { timeout: 20_000 }, async () => {
  const started = startSharedModule(1 << 20);
  assert.ok(started);
  const controlAt = 8192;
  const team = openTeam(three, { ...started.start, controlAt }, started);
  while (team.size() < 4) await sleep(2);
  const words = new Int32Array(started.buffer, 1 << 16, 1 << 12);
  const cuts = Array.from({ length: 33 }, (_, part) => part * 128);
  for (let round = 0; round < 2000; round++) {
    words.fill(-1);
    team.run('countUp', [1 << 16], cuts);
    assert.ok(words.every((word, index) => word === index));
    team.run('countUp', [1 << 16], [7, 8]);
  }
  team.close();
});

test('the number of threads does not change what is learned', async () => {
  for (const [learner, task, hyperparameters] of [
    [boostedTrees, 'binary', { iterations: 12, rowShare: 0.8, featureShare: 0.4 }],
    [boostedTrees, 'multiclass', { iterations: 4 }],
    [randomForest, 'binary', { trees: 2 }],
    [extraTrees, 'binary', { trees: 2 }],
    [categoricalBoosting, 'binary', { iterations: 6, statisticsAbove: 2 }],
    [categoricalBoosting, 'multiclass', { iterations: 2, statisticsAbove: 2 }],
  ] as const) {
    const alone = await learner.train({ ...input(task), hyperparameters });
    const threads = counted(three);
    const together = await learner.train({ ...input(task, threads), hyperparameters });
    assert.deepEqual(together, alone);
    assert.equal(threads.sent(), 6, 'all threads for the bins, and again for the trees');
  }
});

test('threads that never come are done without, whatever their numbers', async () => {
  const onlyLast: KernelThreads = {
    count: three.count,
    send: (index, start) => index === 2 && three.send(index, start),
  };
  const hyperparameters = { iterations: 3 };
  const alone = await boostedTrees.train({ ...input('binary'), hyperparameters });
  const together = await boostedTrees.train({ ...input('binary', onlyLast), hyperparameters });
  assert.deepEqual(together, alone);
});

test('a training that fails sets the threads free, and small tables do not ask for them', async () => {
  const failing = input('binary', three);
  failing.control.pause = () => Promise.reject(new Error('stop'));
  await assert.rejects(boostedTrees.train(failing), /stop/);
  const threads = counted(three);
  const small = input('binary', threads);
  const rows = small.rows.subarray(0, 500);
  binnedTable(small.table);
  await boostedTrees.train({ ...small, rows, hyperparameters: { iterations: 2 } });
  assert.equal(threads.sent(), 0);
  const again = await boostedTrees.train({ ...input('binary', three), hyperparameters: { iterations: 3 } });
  const alone = await boostedTrees.train({ ...input('binary'), hyperparameters: { iterations: 3 } });
  assert.deepEqual(again, alone);
});

/** Tells what threads are asked, before they are. */
function overheard(threads: TrainingThreads, listen: (message: FitMessage) => void): TrainingThreads {
  return {
    ...threads,
    ask: (index, message) => {
      listen(message);
      return threads.ask(index, message);
    },
  };
}

test('a search finds the same bytes on any number of threads, and when one is lost on the way', async () => {
  const random = seededRandom(2);
  const rows = Array.from({ length: 400 }, () => {
    const x = random.next();
    return { x, place: `p${random.below(60)}`, y: x + random.next() > 1 ? 'yes' : 'no' };
  });
  const frame = frameFromRows(rows, [
    { name: 'x', kind: 'numeric' },
    { name: 'place', kind: 'categorical' },
    { name: 'y', kind: 'categorical' },
  ]);
  const bytesWith = async (threads?: TrainingThreads): Promise<Uint8Array> => {
    const recipe = { target: 'y', task: 'auto', metric: 'auto', budget: { trials: 5 }, seed: 4 } as const;
    const { model } = await search({ frame, recipe, clock: systemClock, ...(threads && { threads }) });
    return await writeModel(model);
  };
  const alone = await bytesWith();
  let asked = 0;
  assert.deepEqual(await bytesWith(overheard(three, () => asked++)), alone);
  assert.ok(asked > 5);
  const dying = openTrainingThreads(2);
  asked = 0;
  const losing = overheard(dying, ({ kind }) => {
    if (kind === 'fit' && ++asked === 5) void dying.close();
  });
  assert.deepEqual(await bytesWith(losing), alone);
  await dying.close();
});

test('threads end while they are asked, and the process waits for it', async () => {
  const fixture = fileURLToPath(new URL('training-threads.fixture.ts', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [fixture]);
  assert.equal(stdout, 'ended\n');
});
