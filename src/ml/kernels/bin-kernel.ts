// From numbers to bins: the number of bounds below each value. In WebAssembly where the runtime has it, with a plain
// twin that gives the same bins.
import { firstAddress, startModule } from './web-assembly.ts';

export interface ColumnToBin {
  values: Float64Array | Uint8Array;
  /** Ascending, at most 255; the last is Infinity. */
  bounds: Float64Array;
  /** The bin of NaN. */
  missingBin: number;
}

export interface BinKernel {
  /** Writes the bin of each value to `out`; returns how many values are NaN. */
  map: (column: ColumnToBin, out: Uint8Array) => number;
  /** Sorts in place at most {@link mostSorted} numbers, none of them NaN; -0 comes before 0. */
  sort: (numbers: Float64Array) => void;
}

export const mostSorted = 100_000;

/** A kernel with memory of its own: keep it for the columns of a table. */
export function openBinKernel(): BinKernel {
  return wasmBinKernel() ?? plainBinKernel;
}

const chunkRows = 65_536;

export function wasmBinKernel(): BinKernel | undefined {
  const boundsAt = firstAddress;
  const valuesAt = boundsAt + 2048;
  const binsAt = valuesAt + chunkRows * 8;
  const numbersAt = binsAt + chunkRows;
  const scratchAt = numbersAt + mostSorted * 8;
  const countersAt = scratchAt + mostSorted * 8;
  const started = startModule(countersAt + 49_152);
  if (!started) return undefined;
  const { run, buffer } = started;
  const boundsInside = new Float64Array(buffer, boundsAt, 255);
  const valuesInside = new Float64Array(buffer, valuesAt, chunkRows);
  const binsInside = new Uint8Array(buffer, binsAt, chunkRows);
  const map: BinKernel['map'] = ({ values, bounds, missingBin }, out) => {
    boundsInside.fill(Infinity).set(bounds);
    let missingCount = 0;
    for (let begin = 0; begin < values.length; begin += chunkRows) {
      const chunk = values.subarray(begin, begin + chunkRows);
      valuesInside.set(chunk);
      missingCount += run.mapToBins(valuesAt, chunk.length, boundsAt, missingBin, binsAt);
      out.set(binsInside.subarray(0, chunk.length), begin);
    }
    return missingCount;
  };
  const sort: BinKernel['sort'] = (numbers) => {
    const inside = new Float64Array(buffer, numbersAt, numbers.length);
    inside.set(numbers);
    run.sortNumbers(numbersAt, numbers.length, scratchAt, countersAt);
    numbers.set(inside);
  };
  return { map, sort };
}

export const plainBinKernel: BinKernel = { map: mapPlainly, sort: (numbers) => void numbers.sort() };

function mapPlainly({ values, bounds, missingBin }: ColumnToBin, out: Uint8Array): number {
  let missingCount = 0;
  for (let row = 0; row < values.length; row++) {
    const value = values[row]!;
    if (value === value) out[row] = boundsBelow(bounds, value);
    else {
      out[row] = missingBin;
      missingCount++;
    }
  }
  return missingCount;
}

function boundsBelow(bounds: Float64Array, value: number): number {
  let low = 0;
  let high = bounds.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (value <= bounds[middle]!) high = middle;
    else low = middle + 1;
  }
  return low;
}
