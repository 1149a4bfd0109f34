// The WebAssembly kernels against their plain twin: the same trees, bit for bit, and the module that is checked in is
// the one that its sources make.
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { seededRandom } from '../../base/random.ts';
import { systemClock } from '../../base/time.ts';
import { buildKernels, kernelModules } from '../../../tools/build-kernels.ts';
import type { Feature, FeatureTable } from '../frame/encoding.ts';
import { boostedTreesOn } from '../learners/boosted-trees.ts';
import type { Constraints } from '../learners/constraints.ts';
import { pauseBy, type Hyperparameters, type LearnedTask, type TrainingInput } from '../learners/learner.ts';
import { regressionLosses } from '../learners/regression-losses.ts';
import { layoutOf } from './layout.ts';
import { openKernels } from './open-kernels.ts';
import { plainKernels } from './plain-kernels.ts';
import {
  largestRowUnits,
  largestUnitSum,
  unitsFor,
  type KernelPlan,
  type TreeKernels,
} from './tree-kernels.ts';
import { wasmKernels } from './wasm-kernels.ts';
import { plainBinKernel, wasmBinKernel } from './bin-kernel.ts';

test('the checked-in modules are what the sources make', async () => {
  for (const module of kernelModules) {
    const texts = (await import(new URL(`../${module.path}`, import.meta.url).href)) as Record<
      string,
      string
    >;
    assert.ok((await buildKernels(module)) === texts[module.constant], 'run: node tools/build-kernels.ts');
  }
});

test('this runtime has the WebAssembly kernels; without them the plain ones stand in', () => {
  const plan = planOf(exampleTable(seededRandom(1), 40), 40);
  assert.equal(openKernels(plan).kind, 'webassembly');
  // More memory than WebAssembly has.
  assert.equal(openKernels({ ...plan, slotCount: 1e7 }).kind, 'plain');
});

/** Columns of every kind: many bins, few bins, sparse ones that exclude each other, categories, missing values. */
function exampleTable(random: ReturnType<typeof seededRandom>, rowCount: number): FeatureTable {
  const number = (name: string): Feature => ({ name, column: name, kind: 'number', levelCount: 0 });
  const column = (of: (row: number) => number): Float64Array =>
    Float64Array.from({ length: rowCount }, (_, row) => of(row));
  const oneHot = column(() => random.below(12));
  const features = [
    number('dense'),
    number('missing'),
    number('few'),
    { name: 'colour', column: 'colour', kind: 'category' as const, levelCount: 9 },
    { name: 'flag', column: 'flag', kind: 'category' as const, levelCount: 3 },
    ...Array.from({ length: 12 }, (_, level) => number(`is ${level}`)),
    number('whole'),
  ];
  const columns = [
    column(() => random.next() * 100),
    column(() => (random.next() < 0.3 ? NaN : random.next())),
    column(() => (random.next() < 0.05 ? NaN : random.below(5))),
    column(() => (random.next() < 0.1 ? NaN : random.below(9))),
    column(() => random.below(3)),
    ...Array.from({ length: 12 }, (_, level) => oneHot.map((value) => Number(value === level))),
    column(() => Math.round(random.next() * 300)),
  ];
  return { rowCount, features, columns };
}

function planOf(table: FeatureTable, rowCount: number, changes: Partial<KernelPlan> = {}): KernelPlan {
  const features = table.columns.map((values, index) => {
    const levels = [...new Set(values)].filter((value) => value === value).sort((a, b) => a - b);
    const kept = levels.slice(0, 250);
    return {
      bins: Uint8Array.from(values, (value) =>
        value === value ? Math.max(0, kept.indexOf(value)) : kept.length,
      ),
      binCount: kept.length + 1,
      missingBin: kept.length,
      kind: table.features[index]!.kind,
    };
  });
  return {
    features,
    layout: layoutOf(features),
    positions: Int32Array.from({ length: table.rowCount }, (_, row) => row),
    rowCount,
    outputCount: 1,
    slotCount: 8,
    leafCount: 8,
    target: Float64Array.from(table.columns[0]!, (value) => Number(value > 50)),
    weights: undefined,
    ...changes,
  };
}

test('one-hot columns are bundled, and every bin of every feature has a byte and a cell of its own', () => {
  const { features, layout } = planOf(exampleTable(seededRandom(3), 3000), 3000);
  const bundled = layout.features.filter((feature) => feature.defaultBin >= 0);
  assert.ok(bundled.length >= 12 && new Set(bundled.map((feature) => feature.column)).size < bundled.length);
  const taken = new Set<string>();
  layout.features.forEach((placed, index) => {
    for (let bin = 0; bin < features[index]!.binCount; bin++) {
      if (bin === placed.defaultBin) continue;
      const key = `${placed.column}:${placed.bytes[bin]}`;
      assert.ok(!taken.has(key), key);
      taken.add(key);
    }
  });
});

/** Both implementations of one plan, given the same state. */
function both(plan: KernelPlan): [TreeKernels, TreeKernels] {
  const wasm = wasmKernels(plan);
  assert.ok(wasm);
  return [wasm, plainKernels(plan)];
}

test('derivatives, packing, histograms, splits, partitions and re-ordering agree in every bit', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 2, max: 700 }),
      fc.integer(),
      fc.boolean(),
      fc.constantFrom('logistic' as const, 'squared' as const, 'softmax' as const),
      (rowCount, seed, isWeighted, loss) => {
        const random = seededRandom(seed);
        const table = exampleTable(random, rowCount + 30);
        const outputCount = loss === 'softmax' ? 3 : 1;
        const plan = planOf(table, rowCount, {
          outputCount,
          target: Float64Array.from({ length: table.rowCount }, () => random.below(outputCount + 1)),
          weights: isWeighted
            ? Float64Array.from({ length: table.rowCount }, () => random.next() * 5 + 0.01)
            : undefined,
        });
        const scores = Float64Array.from(
          { length: outputCount * table.rowCount },
          () => (random.next() - 0.5) * (random.next() < 0.1 ? 3000 : 6),
        );
        const order = Int32Array.from({ length: table.rowCount }, (_, row) => row);
        const pair = both(plan);
        const outcomes = pair.map((kernels) => {
          kernels.scores.set(scores);
          kernels.countUp();
          for (let k = 0; k < outputCount; k++) kernels.derive(loss, k);
          const derivatives = kernels.derivatives.slice();
          const scales = kernels.pack(seed);
          kernels.fill(0, { begin: 0, end: rowCount, isInOrder: true });
          const total = kernels.totalOf(0);
          const question = { feature: 0, sides: Uint8Array.from({ length: 256 }, (_, bin) => (bin * 7) & 1) };
          const middle = kernels.partition(0, rowCount, question);
          const followers = kernels.partition(rowCount, table.rowCount, question);
          const rows = kernels.rows.slice();
          kernels.fill(1, { begin: 0, end: middle, isInOrder: false }, 0);
          const left = kernels.totalOf(1);
          const right = { gradient: total.gradient - left.gradient, hessian: total.hessian - left.hessian };
          const sums = plan.features.map((feature, index) => {
            const { gradients, hessians } = kernels.binSums(0, index, right);
            return [
              [...gradients.subarray(0, feature.binCount)],
              [...hessians.subarray(0, feature.binCount)],
            ];
          });
          const rules = {
            leastHessian: Math.max(1, Math.ceil(right.hessian / 50)),
            groupL2: right.hessian / 100,
            smoothing: right.hessian / 70,
            leastCategoryHessian: right.hessian / 90,
            leastGroupHessian: right.hessian / 40,
          };
          const all = plan.features.map((_, index) => index);
          const gains = [0.5, 100].map((l2) =>
            kernels
              .gains([
                { slot: 0, ...right, ...rules, l2, features: all },
                { slot: 1, ...left, ...rules, l2, features: all.slice(2, 9) },
              ])
              .map((ofLeaf) => [...ofLeaf]),
          );
          const numbers = all.filter((feature) => plan.features[feature]!.kind === 'number');
          const occupied = kernels.occupied({ slot: 0, ...right, features: numbers }).slice();
          const asked = { slot: 0, ...right, ...rules, l2: 0.5, features: [...numbers, 3] };
          const only = numbers.map(
            (_, index) => (occupied[2 * index]! + occupied[2 * index + 1]!) >> (index % 3),
          );
          const ofOnly = [...kernels.gains([{ ...asked, borders: only }])[0]!];
          const best = [...kernels.gains([asked])[0]!];
          assert.ok(ofOnly.every((gain, index) => gain <= best[index]!));
          const borders = [0.5, 100].flatMap((l2) =>
            [0, 1, 2, 5, 17].map((feature) =>
              kernels.bestBorder(0, { ...right, ...rules, l2, feature, floor: -1 }),
            ),
          );
          assert.deepEqual(
            borders.map((border) => border?.gain ?? -1),
            gains.flatMap(([ofLeaf]) => [0, 1, 2, 5, 17].map((feature) => ofLeaf![feature])),
          );
          const leaves = [
            { begin: 0, end: middle },
            { begin: middle, end: rowCount },
          ];
          const leaf = kernels.leafSums(leaves);
          kernels.addToScores(outputCount - 1, leaves, Float64Array.of(0.25, -1.5));
          kernels.reorder(kernels.rows.slice(0, rowCount));
          kernels.rows.set(order);
          const again = kernels.partition(0, rowCount, { ...question, feature: 3 });
          return {
            derivatives,
            scales,
            total,
            middle,
            followers,
            rows,
            left,
            sums,
            gains,
            occupied,
            ofOnly,
            borders,
            leaf,
            scores: kernels.scores.slice(),
            target: kernels.target.slice(),
            weights: kernels.weights?.slice(),
            again,
            rowsAgain: kernels.rows.slice(),
          };
        });
        assert.deepEqual(outcomes[0], outcomes[1]);
      },
    ),
    { numRuns: 60, seed: 11 },
  );
});

for (const task of ['binary', 'multiclass', 'regression'] as const) {
  test(`boosted trees, ${task}: WebAssembly and plain kernels learn the same bits`, async () => {
    const cases: Case[] = [
      { hyperparameters: { maxLeaves: 40, minRowsPerLeaf: 3 } },
      { hyperparameters: { rowShare: 0.5, featureShare: 0.6 }, isWeighted: true },
      { hyperparameters: { borders: 'random', l2: 3, maxDepth: 3 } },
      ...(task === 'multiclass'
        ? []
        : [{ hyperparameters: { l2: 1 }, constraints: { monotone: exampleDirections } }]),
      {
        hyperparameters: {},
        constraints: {
          interactionGroups: [
            [0, 1, 3],
            [2, 17],
          ],
        },
      },
      ...(task === 'regression' ? regressionLosses.map((loss) => ({ hyperparameters: { loss } })) : []),
    ];
    for (const [index, { hyperparameters, isWeighted = false, constraints }] of cases.entries()) {
      const input = inputOf(task, index, isWeighted);
      if (constraints) input.constraints = constraints;
      input.hyperparameters = { iterations: 12, patience: 4, ...hyperparameters };
      const wasm = await boostedTreesOn((plan) => wasmKernels(plan)!).train(input);
      const plain = await boostedTreesOn(plainKernels).train(input);
      assert.deepEqual(wasm, plain);
      assert.ok(wasm.iterationCount > 0);
    }
  });
}

/** Rising with the first number, falling with the last. */
const exampleDirections = Array.from({ length: 18 }, (_, feature) =>
  feature === 0 ? 1 : feature === 17 ? -1 : 0,
);

interface Case {
  hyperparameters: Hyperparameters;
  isWeighted?: boolean;
  constraints?: Constraints;
}

function inputOf(task: LearnedTask, seed: number, isWeighted: boolean): TrainingInput {
  const random = seededRandom(seed + 100);
  const rowCount = 900;
  const table = exampleTable(random, rowCount);
  const [dense, missing, , colour] = table.columns as Float64Array[];
  const signal = Float64Array.from(
    { length: rowCount },
    (_, row) =>
      dense![row]! / 30 + (missing![row]! > 0.5 ? 1 : 0) + (colour![row] === 2 ? 2 : 0) + random.next(),
  );
  const classCount = task === 'regression' ? 0 : task === 'binary' ? 2 : 3;
  const rows = Int32Array.from({ length: rowCount }, (_, row) => row);
  return {
    table,
    task,
    target: task === 'regression' ? signal : signal.map((value) => Math.min(classCount - 1, value / 2) | 0),
    classCount,
    rows: rows.filter((row) => row % 5 !== 0),
    validationRows: rows.filter((row) => row % 5 === 0),
    ...(isWeighted && { weights: Float64Array.from(rows, () => random.next() + 0.1) }),
    hyperparameters: {},
    seed,
    control: { clock: systemClock, pause: pauseBy(systemClock) },
  };
}

test('units are powers of two, as large as the bounds allow', () => {
  fc.assert(
    fc.property(
      fc.double({ min: 1e-290, max: 1e290, noNaN: true }),
      fc.integer({ min: 1, max: 1e6 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (sum, rowCount, concentration) => {
        const most = sum * Math.max(1 / rowCount, concentration);
        const units = unitsFor({ sum, most }, rowCount);
        assert.ok(Number.isInteger(Math.log2(units)));
        const isWithin = (one: number): boolean =>
          one * sum + rowCount <= largestUnitSum && one * most + 1 <= largestRowUnits;
        assert.ok(isWithin(units * 0.999999));
        assert.ok(!isWithin(units * 2.000001));
      },
    ),
  );
  assert.equal(unitsFor({ sum: 0, most: 0 }, 5), 1);
});

test('both bin kernels sort, and count the bounds below each value', () => {
  const values = fc.array(fc.oneof(fc.double(), fc.integer({ min: -3, max: 3 }).map(Number)), {
    maxLength: 300,
  });
  fc.assert(
    fc.property(values, fc.array(fc.double({ noNaN: true }), { maxLength: 254 }), (numbers, limits) => {
      const sorted = Float64Array.from([...new Set(limits)].filter((limit) => limit < Infinity)).sort();
      const bounds = Float64Array.of(...sorted, Infinity);
      const column = { values: Float64Array.from(numbers), bounds, missingBin: bounds.length };
      const outcomes = [wasmBinKernel()!, plainBinKernel].map((kernel) => {
        const bins = new Uint8Array(numbers.length);
        return { missingCount: kernel.map(column, bins), bins };
      });
      assert.deepEqual(outcomes[0], outcomes[1]);
      numbers.forEach((value, row) => {
        const below = bounds.filter((bound) => bound < value).length;
        assert.equal(outcomes[0]!.bins[row], Number.isNaN(value) ? bounds.length : below);
      });
      const present = Float64Array.from(numbers.filter((value) => !Number.isNaN(value)));
      const sortedBy = [wasmBinKernel()!, plainBinKernel].map((kernel) => {
        const copy = present.slice();
        kernel.sort(copy);
        return copy;
      });
      assert.deepEqual(sortedBy[0], sortedBy[1]);
    }),
  );
});

test('numbers that differ in their last bits alone are sorted, and several columns at a time', () => {
  const random = seededRandom(4);
  const near = Float64Array.from({ length: 9000 }, () => 1e15 + random.below(100_000));
  const tiny = Float64Array.from({ length: 700 }, () => (random.next() - 0.5) * 5e-320);
  const columns = [near, tiny, Float64Array.of(2, 1), new Float64Array(0)];
  const expected = columns.map((column) => column.toSorted());
  const kernel = wasmBinKernel()!;
  for (const column of columns) kernel.sort(column);
  assert.deepEqual(columns, expected);
});
