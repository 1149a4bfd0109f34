// What the module offers. Nothing in it allocates: the host plans all addresses (../wasm-kernels.ts).
export { fillHistogram, joinHistograms, subtract, sumCells } from './accumulate';
export { interleave, mapToBins, permuteBytes, permuteInPlace, permuteNumbers, sortNumbers } from './columns';
export { findOccupied, gains } from './gains';
export {
  deriveLogistic, deriveSoftmax, deriveSquared, moveScores, pack, softmax, sumBlocks, sumLeaves,
} from './gradients';
export { countUp, divideAlone, move, writeShuffles } from './partition';
export { divideApart, placeDivided } from './shared-partition';
export { readCells, scan } from './split-scan';
