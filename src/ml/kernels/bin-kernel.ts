// From numbers to bins: the number of bounds below each value. In WebAssembly where the runtime has it, on several threads
// if the host brings some, with a plain twin that gives the same bins.
import {
  controlBytes,
  cutsOf,
  mostParts,
  openTeam,
  teamOfOne,
  type KernelThreads,
  type Team,
} from './threads.ts';
import { firstAddress, startModule, startSharedModule, type Started } from './web-assembly.ts';

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
  /** Sorts each in place: at most {@link mostSorted} numbers, none of them NaN; -0 comes before 0. */
  sort: (...columns: Float64Array[]) => void;
  /** Columns that it sorts at a time. */
  columnsAtOnce: number;
  /** Lets go of threads. */
  close: () => void;
}

export const mostSorted = 100_000;

/** A kernel with memory of its own: keep it for the columns of a table. Close it when `threads` were given. */
export function openBinKernel(threads?: KernelThreads): BinKernel {
  return wasmBinKernel(threads) ?? plainBinKernel;
}

const chunkRows = 65_536;
const fewestRows = 8192;
const mostAtOnce = 4;
const sortedBytes = mostSorted * 8;
const counterBytes = 8192;

export function wasmBinKernel(threads?: KernelThreads): BinKernel | undefined {
  const columnsAtOnce = Math.min(mostAtOnce, (threads?.count ?? 0) + 1);
  const places = placesFor(columnsAtOnce);
  const opened = threads && threads.count > 0 ? openShared(threads, places) : openAlone(places);
  if (!opened) return undefined;
  const { buffer, team } = opened;
  const words = new Int32Array(buffer, places.counts, mostParts);
  const boundsInside = new Float64Array(buffer, places.bounds, 255);
  const valuesInside = new Float64Array(buffer, places.values, chunkRows);
  const binsInside = new Uint8Array(buffer, places.bins, chunkRows);
  const map: BinKernel['map'] = ({ values, bounds, missingBin }, out) => {
    boundsInside.fill(Infinity).set(bounds);
    let missingCount = 0;
    for (let begin = 0; begin < values.length; begin += chunkRows) {
      const chunk = values.subarray(begin, begin + chunkRows);
      valuesInside.set(chunk);
      const cuts = cutsOf(team, chunk.length, fewestRows);
      team.run('mapToBins', [places.values, places.bounds, missingBin, places.bins, places.counts], cuts);
      for (let part = 0; part + 1 < cuts.length; part++) missingCount += words[part]!;
      out.set(binsInside.subarray(0, chunk.length), begin);
    }
    return missingCount;
  };
  const sort: BinKernel['sort'] = (...columns) => {
    const inside = columns.map(
      (column, index) => new Float64Array(buffer, places.sorted + index * sortedBytes, column.length),
    );
    columns.forEach((column, index) => {
      inside[index]!.set(column);
      words[index] = column.length;
    });
    const { counts, sorted, scratch, counters } = places;
    const cuts = cutsOf(team, columns.length, 1, 1);
    team.run('sortNumbers', [counts, sorted, sortedBytes, scratch, counters], cuts);
    columns.forEach((column, index) => column.set(inside[index]!));
  };
  return { map, sort, columnsAtOnce, close: team.close };
}

interface BinPlaces {
  control: number;
  bounds: number;
  /** Of columns or of parts. */
  counts: number;
  values: number;
  bins: number;
  sorted: number;
  scratch: number;
  counters: number;
  byteCount: number;
}

function placesFor(columnsAtOnce: number): BinPlaces {
  const bounds = firstAddress + controlBytes;
  const counts = bounds + 2048;
  const values = counts + mostParts * 4;
  const bins = values + chunkRows * 8;
  const sorted = bins + chunkRows;
  const scratch = sorted + columnsAtOnce * sortedBytes;
  const counters = scratch + columnsAtOnce * sortedBytes;
  const byteCount = counters + columnsAtOnce * counterBytes;
  return { control: firstAddress, bounds, counts, values, bins, sorted, scratch, counters, byteCount };
}

type OpenedBins = Started & { team: Team };

function openAlone({ byteCount }: BinPlaces): OpenedBins | undefined {
  const started = startModule(byteCount);
  return started && { ...started, team: teamOfOne(started.run) };
}

function openShared(threads: KernelThreads, places: BinPlaces): OpenedBins | undefined {
  const started = startSharedModule(places.byteCount);
  if (!started) return openAlone(places);
  return { ...started, team: openTeam(threads, { ...started.start, controlAt: places.control }, started) };
}

export const plainBinKernel: BinKernel = {
  map: mapPlainly,
  sort: (...columns) => columns.forEach((numbers) => numbers.sort()),
  columnsAtOnce: 1,
  close: () => {},
};

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
