// A search that is taken up after a crash trains nothing twice, and makes the model that it would have made.
import assert from 'node:assert/strict';
import test from 'node:test';
import { Problem } from '../../base/problems.ts';
import { seededRandom } from '../../base/random.ts';
import { systemClock } from '../../base/time.ts';
import { frameFromRows, type Frame } from '../frame/frame.ts';
import { writeModel } from '../model/model.ts';
import type { Journal } from './journal.ts';
import { portfolioCandidate } from './portfolio.ts';
import type { Recipe, SearchEvent, SearchResult } from './recipe.ts';
import { search } from './search.ts';

/** A journal in memory, as a disk would keep it. */
function memoryJournal(spentMs = 0): Journal & { records: Map<number, Uint8Array> } {
  const records = new Map<number, Uint8Array>();
  return {
    spentMs,
    records,
    read: (index) => Promise.resolve(records.get(index)),
    write: (index, record) => Promise.resolve(void records.set(index, record)),
  };
}

function frameOf(kinds: 'numbers' | 'classes'): Frame {
  const random = seededRandom(5);
  const rows = Array.from({ length: 80 }, () => {
    const a = random.next();
    const k = 'xyz'[random.below(3)]!;
    const score = a * 3 + (k === 'x' ? 2 : 0) + random.next();
    return {
      a,
      b: random.next(),
      k,
      y: kinds === 'numbers' ? score : `c${Math.min(2, Math.floor(score / 2))}`,
    };
  });
  return frameFromRows(rows, [
    { name: 'a', kind: 'numeric' },
    { name: 'b', kind: 'numeric' },
    { name: 'k', kind: 'categorical' },
    { name: 'y', kind: kinds === 'numbers' ? 'numeric' : 'categorical' },
  ]);
}

const recipe: Recipe = {
  target: 'y',
  task: 'auto',
  metric: 'auto',
  budget: { trials: 17 },
  seed: 3,
  folds: 2,
};

interface Ran {
  found: SearchResult;
  /** Trials that were trained here. */
  started: string[];
  told: string[];
}

async function run(
  frame: Frame,
  journal: Journal | undefined,
  { crashAfter = Infinity, ...changes }: Partial<Recipe> & { crashAfter?: number } = {},
): Promise<Ran> {
  const started: string[] = [];
  const told: string[] = [];
  const crash = new AbortController();
  const found = await search({
    frame,
    recipe: { ...recipe, ...changes },
    clock: systemClock,
    signal: crash.signal,
    ...(journal && { journal }),
    onProgress: (event: SearchEvent) => {
      if (event.kind === 'trial-started') started.push(event.trial.id);
      if (event.kind === 'trial-started' && started.length > crashAfter) crash.abort();
      if (event.kind === 'stage') told.push(event.message);
    },
  });
  return { found, started, told };
}

/** A journal as it is left by a search that died in the trial after `count`. */
async function crashed(
  frame: Frame,
  budget: Recipe['budget'],
  count: number,
): Promise<ReturnType<typeof memoryJournal>> {
  const journal = memoryJournal();
  await assert.rejects(run(frame, journal, { budget, crashAfter: count }), isCancelled);
  assert.equal(journal.records.size, count);
  return journal;
}

function isCancelled(error: unknown): boolean {
  return error instanceof Problem && error.code === 'cancelled';
}

/** Settings that are tried before any are proposed. */
const knownCount = Array.from({ length: 100 }).findIndex(
  (_, index) => !portfolioCandidate(index, () => true),
);

for (const kinds of ['numbers', 'classes'] as const)
  test(`the same bytes as without the crash, and no trial twice (${kinds})`, async () => {
    const frame = frameOf(kinds);
    // Of numbers, far enough that settings are proposed by what was learned from the trials before.
    const budget = { trials: kinds === 'numbers' ? knownCount + 3 : 5 };
    const whole = await run(frame, undefined, { budget });
    const bytes = await writeModel(whole.found.model);
    for (const count of kinds === 'numbers' ? [1, knownCount + 1] : [3]) {
      const { found, started, told } = await run(frame, await crashed(frame, budget, count), { budget });
      assert.deepEqual(await writeModel(found.model), bytes);
      assert.deepEqual(started, whole.started.slice(count));
      assert.ok(told.includes(`Going on after ${count} trials of an earlier try`));
      const idsAndScores = ({ leaderboard }: SearchResult) =>
        leaderboard.map(({ id, score, state, weight }) => [id, score, state, weight]);
      assert.deepEqual(idsAndScores(found), idsAndScores(whole.found));
    }
  });

test('a search that died after its last trial only puts the model together', async () => {
  const frame = frameOf('numbers');
  const journal = memoryJournal();
  const first = await run(frame, journal, { budget: { trials: 4 } });
  const { found, started } = await run(frame, journal, { budget: { trials: 4 } });
  assert.deepEqual(started, []);
  assert.deepEqual(await writeModel(found.model), await writeModel(first.found.model));
});

test('a damaged record, and all behind it, are left out', async () => {
  const frame = frameOf('classes');
  const changes = { budget: { trials: 4 } };
  const bytes = await writeModel((await run(frame, undefined, changes)).found.model);
  const intact = memoryJournal();
  await run(frame, intact, changes);
  const random = seededRandom(11);
  const damages: ((record: Uint8Array) => Uint8Array)[] = [
    (record) => record.subarray(0, record.length >> 1),
    (record) => record.with(random.below(record.length), 77).with(random.below(record.length), 78),
    () => new Uint8Array(0),
    // Whole, but of another trial.
    () => intact.records.get(1)!,
  ];
  for (const damage of damages) {
    const journal = memoryJournal();
    for (const [index, record] of intact.records) journal.records.set(index, record);
    journal.records.set(2, damage(intact.records.get(2)!));
    const { found, started, told } = await run(frame, journal, changes);
    assert.deepEqual(started, ['trial-3', 'trial-4']);
    assert.ok(told.includes('Notes of an earlier try cannot be used from trial 3 on'));
    assert.deepEqual(await writeModel(found.model), bytes);
    assert.equal(journal.records.size, 4);
  }
});

test('the journal of other work is not taken up', async () => {
  const frame = frameOf('numbers');
  const journal = memoryJournal();
  await run(frame, journal, { budget: { trials: 3 } });
  const { started } = await run(frame, journal, { budget: { trials: 3 }, seed: 4 });
  assert.deepEqual(started, ['trial-1', 'trial-2', 'trial-3']);
});

test('a journal that keeps nothing does no harm', async () => {
  const forgetful: Journal = {
    spentMs: 0,
    read: () => Promise.resolve(undefined),
    write: () => Promise.resolve(),
  };
  const { started } = await run(frameOf('numbers'), forgetful, { budget: { trials: 2 } });
  assert.equal(started.length, 2);
});

test('time that earlier tries used is not granted again, and counts as used', async () => {
  const frame = frameOf('numbers');
  const budget = { seconds: 600 };
  const journal = memoryJournal();
  await run(frame, journal, { budget, crashAfter: 5 }).catch(() => undefined);
  assert.equal(journal.records.size, 5);
  // Nothing but the reserve for the end is left: what there is is put together, and no trial is begun.
  const { found, started } = await run(frame, { ...journal, spentMs: 599_000 }, { budget });
  assert.deepEqual(started, []);
  assert.equal(found.leaderboard.length, 5);
  assert.ok(found.timing.seconds >= 540 && found.timing.seconds <= 600, `${found.timing.seconds} s`);
});
