// Trees in WebAssembly, in blocks and walked, against their plain twin: equal bits for any batch, missing values, categories,
// classes, sizes and shapes of trees.
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { seededRandom } from '../../base/random.ts';
import { systemClock } from '../../base/time.ts';
import { pauseBy } from '../learners/learner.ts';
import { boostedTrees } from '../learners/boosted-trees.ts';
import { applyTrees, type TreesModel } from './trees.ts';
import { planBlocks } from './tree-blocks.ts';
import { walkTrees } from './walk.ts';

const featureCount = 4;

/** Two numbers and two categories, some missing; what a model meets may be wilder than what it was trained on. */
function drawRows(seed: number, rowCount: number, isWild: boolean): Float64Array {
  const random = seededRandom(seed);
  const odd = [NaN, Infinity, -Infinity, -0, 1e300, -1, 255.5, 256, 1e9];
  return Float64Array.from({ length: rowCount * featureCount }, (_, index) => {
    if (isWild && random.next() < 0.1) return odd[random.below(odd.length)]!;
    if (random.next() < 0.15) return NaN;
    return index % featureCount < 2 ? random.next() : random.below(index % featureCount === 2 ? 3 : 200);
  });
}

async function trained(classCount: number): Promise<TreesModel> {
  const rowCount = 700;
  const rows = drawRows(classCount, rowCount, false);
  const columns = Array.from({ length: featureCount }, (_, feature) =>
    Float64Array.from({ length: rowCount }, (_row, row) => rows[row * featureCount + feature]!),
  );
  const { model } = await boostedTrees.train({
    table: {
      rowCount,
      features: columns.map((_, index) => ({
        name: `c${index}`,
        column: `c${index}`,
        kind: index < 2 ? 'number' : 'category',
        levelCount: index < 2 ? 0 : 201,
      })),
      columns,
    },
    task: classCount > 2 ? 'multiclass' : 'binary',
    target: columns[0]!.map((value, row) =>
      Math.min(
        classCount - 1,
        Math.floor((value || 0.3) * classCount * (columns[2]![row] === 1 ? 1.4 : 0.9)),
      ),
    ),
    classCount,
    rows: Int32Array.from({ length: rowCount }, (_, row) => row),
    hyperparameters: { iterations: 20, minRowsPerLeaf: 2 },
    seed: 1,
    control: { clock: systemClock, pause: pauseBy(systemClock) },
  });
  return model as TreesModel;
}

for (const classCount of [2, 3]) {
  test(`${classCount} classes: both walks give the same bits`, async () => {
    const model = await trained(classCount);
    const rawCount = model.base.length;
    assert.ok(model.flags.some((flag) => (flag & 1) === 1) && model.flags.some((flag) => (flag & 2) === 2));
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 600 }), fc.integer(), (rowCount, seed) => {
        const input = { rows: drawRows(seed, rowCount, true), rowCount, featureCount };
        const plain = new Float64Array(rowCount * rawCount).fill(0.5);
        const walked = plain.slice();
        applyTrees(model, input, plain);
        assert.ok(walkTrees(model, input, walked));
        assert.deepEqual(walked, plain);
      }),
      { numRuns: 40, seed: 6 },
    );
  });
}

interface Shape {
  outputCount: number;
  treeCount: number;
  mostNodes: number;
  /** Numbers that questions draw from. */
  thresholdCount: number;
}

/** Trees that no learner would grow: of any shape, chains of one-sided questions included, with odd thresholds. */
function drawTrees(seed: number, { outputCount, treeCount, mostNodes, thresholdCount }: Shape): TreesModel {
  const random = seededRandom(seed);
  const odd = [Infinity, -0, 0, -1e300, 5e-324];
  const numbers = Array.from({ length: thresholdCount }, (_, index) => odd[index] ?? random.next());
  const nodes: { feature: number; flags: number; left: number; right: number }[] = [];
  const roots: number[] = [];
  let leafCount = 0;
  for (let tree = 0; tree < treeCount; tree++) {
    const nodeCount = random.below(mostNodes + 1);
    const first = nodes.length;
    roots.push(nodeCount === 0 ? ~leafCount++ : first);
    // Each node but the first takes the place of a leaf of one before it.
    for (let node = 0; node < nodeCount; node++) {
      const feature = random.below(featureCount);
      nodes.push({ feature, flags: (feature < 2 ? 0 : 1) | (random.below(2) << 1), left: 0, right: 0 });
      const open = nodes.slice(first, -1).filter(({ left, right }) => left === 0 || right === 0);
      const parent = open[random.below(2) === 0 ? open.length - 1 : random.below(open.length)];
      if (parent)
        parent[parent.left === 0 && random.below(2) === 0 ? 'left' : parent.right === 0 ? 'right' : 'left'] =
          first + node;
    }
    for (const node of nodes.slice(first)) {
      node.left ||= ~leafCount++;
      node.right ||= ~leafCount++;
    }
  }
  const setCount = 5;
  return {
    kind: 'trees',
    link: 'identity',
    base: new Float64Array(outputCount),
    roots: Int32Array.from(roots),
    feature: Uint16Array.from(nodes, ({ feature }) => feature),
    threshold: Float64Array.from(nodes, ({ feature }) =>
      feature < 2 ? numbers[random.below(numbers.length)]! : NaN,
    ),
    sets: Int32Array.from(nodes, ({ feature }) => (feature < 2 ? 0 : random.below(setCount))),
    left: Int32Array.from(nodes, ({ left }) => left),
    right: Int32Array.from(nodes, ({ right }) => right),
    flags: Uint8Array.from(nodes, ({ flags }) => flags),
    categorySets: Uint32Array.from({ length: setCount * 8 }, () => random.below(2 ** 32)),
    leafValues: Float64Array.from({ length: leafCount }, (_, leaf) =>
      leaf % 9 === 0 ? -0 : random.next() - 0.5,
    ),
    leafRowCounts: new Int32Array(leafCount).fill(1),
  };
}

for (const [name, isInBlocks, shape] of [
  ['small trees, in blocks', true, { mostNodes: 30, thresholdCount: 40 }],
  [
    'as many leaves and thresholds as a byte counts, in blocks',
    true,
    { mostNodes: 255, thresholdCount: 255 },
  ],
  ['trees of more leaves, walked', false, { mostNodes: 400, thresholdCount: 255 }],
  ['more thresholds of a feature, walked', false, { mostNodes: 60, thresholdCount: 3000 }],
] as const) {
  test(`any trees: ${name}`, () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 3 }),
        fc.integer({ min: 0, max: 300 }),
        fc.integer(),
        (outputCount, rowCount, seed) => {
          const model = drawTrees(seed, { outputCount, treeCount: outputCount * 13, ...shape });
          if (isInBlocks) assert.ok(planBlocks(model));
          const input = { rows: drawRows(seed, rowCount, true), rowCount, featureCount };
          const plain = new Float64Array(rowCount * outputCount).fill(-0);
          const walked = plain.slice();
          applyTrees(model, input, plain);
          assert.ok(walkTrees(model, input, walked));
          assert.deepEqual(walked, plain);
        },
      ),
      { numRuns: 20, seed: 3 },
    );
    if (!isInBlocks)
      assert.equal(planBlocks(drawTrees(1, { outputCount: 1, treeCount: 40, ...shape })), undefined);
  });
}

test('trees of one leaf, and no trees at all', () => {
  const empty: TreesModel = {
    kind: 'trees',
    link: 'identity',
    base: new Float64Array(1),
    roots: Int32Array.of(~0, ~1),
    feature: new Uint16Array(0),
    threshold: new Float64Array(0),
    sets: new Int32Array(0),
    left: new Int32Array(0),
    right: new Int32Array(0),
    flags: new Uint8Array(0),
    categorySets: new Uint32Array(0),
    leafValues: Float64Array.of(1.25, 2),
    leafRowCounts: Int32Array.of(1, 1),
  };
  const raw = new Float64Array(40);
  assert.ok(walkTrees(empty, { rows: new Float64Array(40), rowCount: 40, featureCount: 1 }, raw));
  assert.deepEqual([...new Set(raw)], [3.25]);
  const none = { ...empty, roots: new Int32Array(0), leafValues: new Float64Array(0) };
  assert.ok(walkTrees(none, { rows: new Float64Array(0), rowCount: 40, featureCount: 0 }, raw));
  assert.deepEqual([...new Set(raw)], [3.25]);
});
