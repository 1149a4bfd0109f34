// What the module offers. Nothing in it allocates: the host plans all addresses (../wasm-kernels.ts).
export { addCells, fillHistogram, subtract, sumCells } from './accumulate';
export { interleave, mapToBins, permuteBytes, permuteInPlace, permuteNumbers, sortNumbers } from './columns';
export {
  deriveLogistic, deriveSoftmax, deriveSquared, moveScores, pack, softmax, sumBlocks, sumLeaves,
} from './gradients';
export { divide, divideAlone, divideStrided, move, writeShuffles } from './partition';
export { readCells, scan } from './split-scan';
