// A model of random trees, as large as a bench wants it: nothing was learned, only size and shape are real.
import { seededRandom } from '../src/base/random.ts';
import type { ModelContent } from '../src/ml/model/manifest.ts';
import type { TreesModel } from '../src/ml/model/trees.ts';

export const leavesOfTree = 255;
export const featureCount = 30;
const modelCount = 5;

/** Trees of random questions, each as deep as halving its leaves makes it. */
export function forest(treeCount: number): ModelContent {
  const random = seededRandom(1);
  const names = Array.from({ length: featureCount }, (_, index) => `x${index}`);
  const models = Array.from({ length: modelCount }, () => randomTrees(treeCount / modelCount));
  return {
    manifest: {
      engineVersion: 'bench',
      task: 'regression',
      target: 'y',
      classes: [],
      schema: names.map((name) => ({ name, kind: 'numeric' as const })),
      ignoredColumns: [],
      encoding: names.map((column) => ({ kind: 'number' as const, column })),
      calibration: { kind: 'none' },
      decisionWeights: [],
      quality: { metric: 'rmse', crossValidationScore: 0, holdoutRowCount: 0, holdout: {} },
      importance: [],
      warnings: [],
      training: { rowCount: 1, foldCount: modelCount, seed: 1, trialCount: 1 },
    },
    members: [{ learner: 'boosted-trees', label: 'Trees', hyperparameters: {}, weight: 1, models }],
    background: [],
    goldenRows: Array.from({ length: 32 }, () =>
      Object.fromEntries(names.map((name) => [name, random.next()])),
    ),
  };

  function randomTrees(count: number): TreesModel {
    const nodesOfTree = leavesOfTree - 1;
    const nodeCount = count * nodesOfTree;
    const [left, right] = [new Int32Array(nodeCount), new Int32Array(nodeCount)];
    for (let tree = 0; tree < count; tree++) {
      let [node, leaf] = [tree * nodesOfTree, tree * leavesOfTree];
      const grow = (leaves: number): number => {
        if (leaves === 1) return ~leaf++;
        const own = node++;
        left[own] = grow(leaves >> 1);
        right[own] = grow(leaves - (leaves >> 1));
        return own;
      };
      grow(leavesOfTree);
    }
    return {
      kind: 'trees',
      link: 'identity',
      base: new Float64Array(1),
      roots: Int32Array.from({ length: count }, (_, tree) => tree * nodesOfTree),
      feature: Uint16Array.from({ length: nodeCount }, () => random.below(featureCount)),
      threshold: Float64Array.from({ length: nodeCount }, () => random.next()),
      sets: new Int32Array(nodeCount),
      left,
      right,
      flags: new Uint8Array(nodeCount),
      categorySets: new Uint32Array(0),
      leafValues: Float64Array.from({ length: count * leavesOfTree }, () => random.next()),
      leafRowCounts: new Int32Array(count * leavesOfTree).fill(1),
    };
  }
}
