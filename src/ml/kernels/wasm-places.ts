// The memory map of the WebAssembly kernels for one training, and the table in it. All addresses are planned before the
// first tree: the loops allocate nothing.
import { rowHeadBytes, type Layout, type PlacedFeature } from './layout.ts';
import { controlBytes, mostParts } from './threads.ts';
import { blockRows, type KernelFeature, type KernelPlan, type RowRange } from './tree-kernels.ts';
import { firstAddress, type Exports } from './web-assembly.ts';

export const cellBytes = 8;
export const featureBytes = 32;
export const groupBytes = 32;
/** Vectors by which the drawn columns of a group's rows are picked. */
export const pickBytes = 80;

/** What the memory is planned by: a training's sizes, without its content. */
export interface TablePlan extends Pick<KernelPlan, 'rowCount' | 'outputCount' | 'slotCount' | 'leafCount'> {
  features: readonly Omit<KernelFeature, 'bins'>[];
  layout: Layout;
  /** Rows learned from and those that follow. */
  allCount: number;
  isWeighted: boolean;
  /** Bins lie row by row alone, not column by column as well: half the memory, and leaves are divided more slowly. */
  isByRow: boolean;
}

/** Rows that a table which lies by row is written by at a time. */
export const mostStagedRows = 8192;

export interface Places {
  control: number;
  shuffles: number;
  sides: number;
  result: number;
  /** What threads tell each other when they divide rows. */
  lefts: number;
  targets: number;
  scratch: number;
  binSums: number;
  features: number;
  list: number;
  questions: number;
  searches: number;
  gains: number;
  /** For each thread. */
  searchScratches: number;
  columnList: number;
  groupList: number;
  /** Groups with drawn columns, and how these are picked from their rows. */
  drawnList: number;
  picks: number;
  blockSums: number;
  leaves: number;
  leafSums: number;
  leafValues: number;
  rows: number;
  rowScratch: number;
  derivatives: number;
  probabilities: number;
  scores: number;
  target: number;
  weights: number;
  columns: number;
  groups: number[];
  histograms: number;
  /** For each thread: rows gathered, the filling it last took part in, and for all but the first a histogram of its own. */
  buffers: number;
  filled: number;
  ownHistograms: number;
  byteCount: number;
}

/** Plans the memory for `threadCount` threads, the caller's included. */
export function planPlaces(plan: TablePlan, threadCount: number): Places {
  let next = firstAddress;
  const place = (byteCount: number): number => {
    const address = next;
    next += Math.ceil((byteCount + 16) / 64) * 64;
    return address;
  };
  const { rowCount, allCount, outputCount, layout, slotCount, leafCount, isByRow } = plan;
  const histogramBytes = layout.cellCount * cellBytes;
  const places = {
    control: place(controlBytes),
    shuffles: place(512),
    sides: place(256),
    result: place(64),
    lefts: place(mostParts * 4),
    targets: place(mostParts * 12),
    scratch: place(4096 + 256),
    binSums: place(2048),
    features: place(plan.features.length * featureBytes),
    list: place(4),
    // Two leaves are searched at a time.
    questions: place(2 * plan.features.length * 12),
    searches: place(2 * 64),
    gains: place(2 * plan.features.length * 8),
    searchScratches: place(threadCount * 8192),
    columnList: place(32 * 4),
    groupList: place(layout.groups.length * groupBytes),
    drawnList: place(layout.groups.length * groupBytes),
    picks: place(layout.groups.length * pickBytes),
    blockSums: place(Math.ceil(rowCount / blockRows) * 32),
    // Every leaf twice: rows learned from and rows that follow.
    leaves: place(2 * leafCount * 8),
    leafSums: place(2 * leafCount * 16),
    leafValues: place(2 * leafCount * 8),
    rows: place(allCount * 4),
    rowScratch: place(allCount * 4),
    derivatives: place((rowCount + 4) * 8),
    probabilities: place(outputCount > 1 ? outputCount * rowCount * 4 : 0),
    scores: place(outputCount * allCount * 8),
    target: place(allCount * 8),
    weights: plan.isWeighted ? place(allCount * 8) : 0,
    columns: place(layout.columnCount * (isByRow ? mostStagedRows : allCount)),
    groups: layout.groups.map((group) => place(group.stride * ((isByRow ? allCount : rowCount) + 4))),
    histograms: place(slotCount * histogramBytes),
    buffers: place(threadCount * 8192),
    filled: place(threadCount * 4),
    ownHistograms: place((threadCount - 1) * histogramBytes),
  };
  return { ...places, byteCount: next };
}

export interface Opened {
  plan: TablePlan;
  places: Places;
  run: Exports;
  buffer: ArrayBufferLike;
}

/** Describes features and groups to the loops. */
export function describeTable(opened: Opened): void {
  const { plan, places, run, buffer } = opened;
  const { layout } = plan;
  const fieldCount = featureBytes / 4;
  const features = new Int32Array(buffer, places.features, plan.features.length * fieldCount);
  plan.features.forEach(({ binCount, missingBin, kind }, feature) => {
    const { firstCell, defaultBin } = layout.features[feature]!;
    const isCategory = kind === 'category' ? 1 : 0;
    features.set([firstCell * cellBytes, binCount, missingBin, defaultBin, isCategory], feature * fieldCount);
  });
  const groups = new Int32Array(buffer, places.groupList, (layout.groups.length * groupBytes) / 4);
  layout.groups.forEach(({ isNarrow, columnCount, stride, firstCell }, index) => {
    const fields = [isNarrow ? 1 : 0, columnCount, stride, places.groups[index]!, firstCell * cellBytes];
    groups.set(fields, (index * groupBytes) / 4);
  });
  run.writeShuffles(places.shuffles);
  padGroups(opened);
}

/** Copies the bins of the given rows, in columns and from there into groups, their targets and weights. */
export function loadTable(opened: Opened, content: KernelPlan): void {
  const { plan, places, buffer } = opened;
  const { rowCount, allCount } = plan;
  const { positions } = content;
  const isInOrder = countsUp(positions);
  const step = stagedRows(plan);
  for (let begin = 0; begin < allCount; begin += step) {
    const end = Math.min(allCount, begin + step);
    writeColumns(opened, content, { rows: positions.subarray(begin, end), isInOrder });
    const grouped = { begin, end: plan.isByRow ? end : rowCount };
    interleaveRows(opened, grouped, (column) => column * step - begin);
  }
  const target = new Float64Array(buffer, places.target, allCount);
  for (let row = 0; row < allCount; row++) target[row] = content.target[positions[row]!]!;
  if (!content.weights) return;
  const weights = new Float64Array(buffer, places.weights, allCount);
  for (let row = 0; row < allCount; row++) weights[row] = content.weights[positions[row]!]!;
}

/** The rows that columns hold at a time. */
function stagedRows({ isByRow, allCount }: TablePlan): number {
  return isByRow ? mostStagedRows : allCount;
}

/** `rows` are rows of the table, at most as many as columns hold; `isInOrder` promises that each is one behind the last. */
function writeColumns(
  { plan, places, buffer }: Opened,
  { features }: KernelPlan,
  { rows, isInOrder }: { rows: Int32Array; isInOrder: boolean },
): void {
  const begun = new Set<number>();
  features.forEach(({ bins }, feature) => {
    const placed = plan.layout.features[feature]!;
    const at = places.columns + placed.column * stagedRows(plan);
    const column = new Uint8Array(buffer, at, rows.length);
    if (placed.defaultBin >= 0 && !begun.has(placed.column)) column.fill(placed.bytes[placed.defaultBin]!);
    begun.add(placed.column);
    const isPlain = placed.defaultBin < 0 && placed.bytes[0] === 0;
    if (isPlain && isInOrder) column.set(bins.subarray(rows[0]!, rows[0]! + rows.length));
    else copyColumn(bins, rows, placed, column);
  });
}

/**
 * Writes rows `at` and on, of a table that lies by row alone: as many as each feature has `bins`, at most
 * {@link mostStagedRows}.
 */
export function stageRows(opened: Opened, at: number, bins: readonly Uint8Array[]): void {
  const { plan, places, buffer } = opened;
  const rowCount = bins[0]!.length;
  bins.forEach((own, feature) => {
    const { column, bytes } = plan.layout.features[feature]!;
    const to = new Uint8Array(buffer, places.columns + column * mostStagedRows, rowCount);
    if (bytes[0] === 0) to.set(own);
    else for (let row = 0; row < rowCount; row++) to[row] = bytes[own[row]!]!;
  });
  interleaveRows(opened, { begin: at, end: at + rowCount }, (column) => column * mostStagedRows - at);
}

/** Re-orders the rows learned from: columns, groups, targets, weights and scores. */
export function reorderTable(opened: Opened, order: Int32Array): void {
  const { plan, places, run, buffer } = opened;
  const { rowCount, allCount } = plan;
  new Int32Array(buffer, places.rowScratch, rowCount).set(order);
  if (plan.isByRow) return reorderInPlace(opened);
  // The derivatives are free between two rounds.
  const copyBytes = (at: number): void => {
    run.permuteBytes(at, places.derivatives, places.rowScratch, rowCount);
    run.move(at, places.derivatives, rowCount);
  };
  const copyNumbers = (at: number): void => {
    run.permuteNumbers(at, places.derivatives, places.rowScratch, rowCount);
    run.move(at, places.derivatives, rowCount * 8);
  };
  for (let column = 0; column < plan.layout.columnCount; column++)
    copyBytes(places.columns + column * allCount);
  copyNumbers(places.target);
  if (plan.isWeighted) copyNumbers(places.weights);
  for (let k = 0; k < plan.outputCount; k++) copyNumbers(places.scores + k * allCount * 8);
  interleaveAll(opened);
}

/** Where the bytes of a column lie: side by side, or in the rows of their group. */
export function bytesOf({ plan, places }: Opened, column: number): { column: number; stride: number } {
  if (!plan.isByRow) return { column: places.columns + column * plan.allCount, stride: 1 };
  const index = plan.layout.groups.findIndex((group) => column < group.firstColumn + group.columnCount);
  const { firstColumn, stride } = plan.layout.groups[index]!;
  return { column: places.groups[index]! + rowHeadBytes + column - firstColumn, stride };
}

/** Without a second place for the rows: more steps, but memory for each row once. */
function reorderInPlace({ plan, places, run }: Opened): void {
  const { rowCount, allCount, layout } = plan;
  let isMarked = 0;
  const permute = (at: number, rowBytes: number): void => {
    run.permuteInPlace(at, rowBytes, places.rowScratch, rowCount, isMarked, places.binSums);
    isMarked = 1 - isMarked;
  };
  layout.groups.forEach(({ stride }, group) => permute(places.groups[group]!, stride));
  permute(places.target, 8);
  if (plan.isWeighted) permute(places.weights, 8);
  for (let k = 0; k < plan.outputCount; k++) permute(places.scores + k * allCount * 8, 8);
}

function countsUp(positions: Int32Array): boolean {
  for (let index = 0; index < positions.length; index++) if (positions[index] !== index) return false;
  return true;
}

function copyColumn(
  bins: Uint8Array,
  positions: Int32Array,
  { bytes, defaultBin }: PlacedFeature,
  to: Uint8Array,
): void {
  for (let row = 0; row < to.length; row++) {
    const bin = bins[positions[row]!]!;
    // Members of a bundle leave each other's rows alone.
    if (bin !== defaultBin) to[row] = bytes[bin]!;
  }
}

/** Columns that only fill up a word of a narrow group add to cells that are nobody's. */
function padGroups({ plan, places, buffer }: Opened): void {
  plan.layout.groups.forEach((group, index) => {
    if (!group.isNarrow) return;
    const rowCount = plan.isByRow ? plan.allCount : plan.rowCount;
    const bytes = new Uint8Array(buffer, places.groups[index]!, group.stride * rowCount);
    for (let column = group.columnCount; column % 4 !== 0; column++)
      for (let at = rowHeadBytes + column; at < bytes.length; at += group.stride)
        bytes[at] = (column % 8) * 32;
  });
}

function interleaveAll(opened: Opened): void {
  const { rowCount, allCount } = opened.plan;
  interleaveRows(opened, { begin: 0, end: rowCount }, (column) => column * allCount);
}

/** `placeOf` says how far behind `places.columns` row 0 of a column would lie. */
function interleaveRows(
  { plan, places, run, buffer }: Opened,
  { begin, end }: RowRange,
  placeOf: (column: number) => number,
): void {
  const columnList = new Int32Array(buffer, places.columnList, 32);
  plan.layout.groups.forEach(({ firstColumn, columnCount, stride }, index) => {
    for (let column = 0; column < columnCount; column++)
      columnList[column] = places.columns + placeOf(firstColumn + column);
    run.interleave(places.columnList, columnCount, places.groups[index]!, stride, begin, end);
  });
}
