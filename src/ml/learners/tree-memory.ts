// What growing trees takes in memory, told before it begins (Learner.trainingBytes): the kernels' copies of the table, and
// the trees. Estimates from above, but for early stopping, which nobody knows of before.
import type { TrainingSize } from './learner.ts';
import { slotsFor } from './tree-grower.ts';

/** A cell of a histogram, and the cells of a column with many bins. */
const cellBytes = 8;
const cellsPerColumn = 256;
/** What all histograms of a training take at most (tree-grower.ts). */
const mostHistogramBytes = 192 * 2 ** 20;
/** A node and its leaf while trees are collected: lists that double as they grow. */
const bytesPerLeaf = 120;

/** Bytes that a training of trees takes at its peak. `treeCount` are those of one output. */
export function treeTrainingBytes(
  { rowCount, featureCount, outputCount }: TrainingSize,
  { leafCount, treeCount }: { leafCount: number; treeCount: number },
): number {
  // Bins by column and by row; the order of rows twice, derivatives and target; scores and probabilities of each output.
  const bytesPerRow = 2 * featureCount + 32 + 12 * outputCount;
  const leaves = Math.max(2, Math.min(leafCount, rowCount));
  const histogramBytes = slotsFor(leaves) * featureCount * cellsPerColumn * cellBytes;
  return (
    rowCount * bytesPerRow +
    Math.min(mostHistogramBytes, histogramBytes) +
    treeCount * outputCount * leaves * bytesPerLeaf
  );
}
