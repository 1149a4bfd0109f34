// Kernels that are written row by row against those that hold a whole table, and against the plain twin: the same bits,
// also after re-ordering, of some columns alone, and on several threads.
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { seededRandom, shuffle } from '../../base/random.ts';
import { openTrainingThreads } from '../../platform/drivers/training-threads.ts';
import { separateLayout } from './layout.ts';
import { plainKernels } from './plain-kernels.ts';
import { streamedBytes, streamedKernels } from './streamed-kernels.ts';
import type { KernelThreads } from './threads.ts';
import type { KernelPlan, TreeKernels } from './tree-kernels.ts';
import { wasmKernels } from './wasm-kernels.ts';

/** Wide and narrow columns, of which the last of a group may be padding. */
function planOf(seed: number, { rowCount, allCount }: { rowCount: number; allCount: number }): KernelPlan {
  const random = seededRandom(seed);
  const featureCount = 1 + random.below(90);
  const features = Array.from({ length: featureCount }, () => {
    const binCount = random.next() < 0.5 ? 2 + random.below(31) : 40 + random.below(215);
    const bins = Uint8Array.from({ length: allCount }, () => random.below(binCount));
    const kind = random.next() < 0.8 ? ('number' as const) : ('category' as const);
    return { bins, binCount, missingBin: random.next() < 0.5 ? binCount - 1 : -1, kind };
  });
  return {
    features,
    layout: separateLayout(features),
    positions: Int32Array.from({ length: allCount }, (_, row) => row),
    rowCount,
    outputCount: 1,
    slotCount: 4,
    leafCount: 4,
    target: Float64Array.from({ length: allCount }, () => random.below(2)),
    weights: undefined,
  };
}

function streamed(plan: KernelPlan, blockRows: number, threads?: KernelThreads): TreeKernels {
  const { positions, features, target, ...sizes } = plan;
  const kernels = streamedKernels({ ...sizes, features, allCount: positions.length }, threads);
  assert.ok(kernels);
  for (let at = 0; at < positions.length; at += blockRows)
    kernels.write(
      at,
      features.map(({ bins }) => bins.subarray(at, at + blockRows)),
      target.subarray(at, at + blockRows),
    );
  return kernels;
}

/** Four rounds with a re-ordering after each; all but the first ask for some of the features. */
function outcomeOf(
  kernels: TreeKernels,
  { rowCount, positions, features }: KernelPlan,
  seed: number,
): unknown {
  const random = seededRandom(seed);
  const all = Int32Array.from(features, (_, feature) => feature);
  const rounds = [1, 0.6, random.next(), 0.9].map((share, round) => {
    const drawn = shuffle(all.slice(), random).slice(0, Math.max(1, Math.round(all.length * share)));
    if (share < 1) kernels.draw(drawn.sort());
    kernels.rows.set(positions);
    kernels.derive('logistic', 0);
    const scales = kernels.pack(seed + round);
    kernels.fill(0, { begin: 0, end: rowCount, isInOrder: true });
    const total = kernels.totalOf(0);
    const feature = (seed + round) % features.length;
    const question = { feature, sides: Uint8Array.from({ length: 256 }, (_, bin) => (bin * 7) & 1) };
    const middle = kernels.partition(0, rowCount, question);
    const followers = kernels.partition(rowCount, positions.length, question);
    kernels.fill(1, { begin: 0, end: middle, isInOrder: false }, 0);
    const left = kernels.totalOf(1);
    const right = { gradient: total.gradient - left.gradient, hessian: total.hessian - left.hessian };
    const cells = [left, right].map((side, index) =>
      Array.from(drawn, (one) => kernels.binSums(1 - index, one, side)),
    );
    const rules = { leastHessian: 1, l2: 1, groupL2: 1, smoothing: 1 };
    const gains = kernels.gains([
      {
        ...left,
        ...rules,
        slot: 1,
        features: [...drawn],
        leastCategoryHessian: 1,
        leastGroupHessian: 1,
      },
    ]);
    const border = kernels.bestBorder(1, { ...left, ...rules, feature: drawn[0]!, floor: 0 });
    const leaves = [
      { begin: 0, end: middle },
      { begin: middle, end: rowCount },
    ];
    const sums = kernels.leafSums(leaves);
    kernels.addToScores(0, leaves, Float64Array.of(0.25, -1.5));
    const rows = kernels.rows.slice();
    kernels.reorder(kernels.rows.slice(0, rowCount));
    return {
      scales,
      total,
      cells,
      middle,
      followers,
      gains: gains.map((ofLeaf) => [...ofLeaf]),
      border,
      sums,
      rows,
    };
  });
  return { rounds, scores: kernels.scores.slice(), target: kernels.target.slice() };
}

test('a table written in blocks gives the same bits as one that is there', () => {
  fc.assert(
    fc.property(
      fc.nat(1000),
      fc.integer({ min: 2, max: 900 }),
      fc.nat(60),
      fc.integer({ min: 1, max: 1000 }),
      (seed, rowCount, followerCount, blockRows) => {
        const plan = planOf(seed, { rowCount, allCount: rowCount + followerCount });
        const expected = outcomeOf(plainKernels(plan), plan, seed);
        assert.deepEqual(outcomeOf(wasmKernels(plan)!, plan, seed), expected);
        assert.deepEqual(outcomeOf(streamed(plan, blockRows), plan, seed), expected);
      },
    ),
    { numRuns: 60, seed: 5 },
  );
});

test('the same bits on two threads, with leaves that both divide', async () => {
  const plan = planOf(8, { rowCount: 150_000, allCount: 151_000 });
  const threads = openTrainingThreads(1);
  const shared = streamed(plan, 20_000, threads);
  try {
    assert.deepEqual(outcomeOf(shared, plan, 8), outcomeOf(wasmKernels(plan)!, plan, 8));
  } finally {
    shared.close();
    await threads.close();
  }
});

test('a row of 30 columns takes 72 bytes; what does not fit is not opened', () => {
  const feature = { binCount: 255, missingBin: 254, kind: 'number' as const };
  const features = Array.from({ length: 30 }, () => feature);
  const sizes = { features, outputCount: 1, slotCount: 31, leafCount: 31 };
  const bytesFor = (rowCount: number): number => streamedBytes({ ...sizes, rowCount, allCount: rowCount }, 2);
  assert.ok(Math.abs((bytesFor(2e6) - bytesFor(1e6)) / 1e6 - 72) < 0.01);
  assert.ok(bytesFor(50e6) < 3.7e9);
  assert.equal(streamedKernels({ ...sizes, rowCount: 60e6, allCount: 60e6 }), undefined);
});
