// What the module offers. Nothing in it allocates: the host plans all addresses (../wasm-kernels.ts).
export { addGroup, clear, subtract, sumCells } from './accumulate';
export { interleave, mapToBins, permuteBytes, permuteNumbers, sortNumbers } from './columns';
export {
  addToScores, deriveLogistic, deriveSoftmax, deriveSquared, pack, softmax, sumDerivatives, sumLeaf,
} from './gradients';
export { partition, writeShuffles } from './partition';
export { readCells, scan } from './split-scan';
