// Where features lie in memory: bytes in row groups, cells in histograms. Features with many bins get a byte column and
// 256 cells of their own; eight features of at most 32 bins share 256 cells, told apart by their bytes; and sparse
// features that are never away from their usual value in the same row share one column (LightGBM's exclusive bundles).
// The layout decides speed and memory alone: what is learned does not depend on it.

/** What the layout needs to know of a feature. */
export interface FeatureShape {
  bins: Uint8Array;
  binCount: number;
}

export interface PlacedFeature {
  /** Number of its byte column. */
  column: number;
  /** The byte that stands for each of its bins. */
  bytes: Uint8Array;
  /** Its first cell in a histogram. */
  firstCell: number;
  /** Bundled features have no cell for this bin: it is the leaf's sum minus the others. -1 for all others. */
  defaultBin: number;
}

/** Up to 32 byte columns whose bytes lie side by side, row by row. */
export interface ColumnGroup {
  firstColumn: number;
  columnCount: number;
  /** Eight columns share 256 cells. */
  isNarrow: boolean;
  firstCell: number;
  /** Bytes from row to row: a multiple of 8. */
  stride: number;
}

export interface Layout {
  features: readonly PlacedFeature[];
  groups: readonly ColumnGroup[];
  columnCount: number;
  /** Cells of one histogram. */
  cellCount: number;
}

const cellsPerRegion = 256;
const columnsPerGroup = 32;
const narrowBins = 32;
const columnsPerRegion = cellsPerRegion / narrowBins;
const mostBundledBins = 64;
/** A feature is sparse when this share of the rows has its most frequent bin. */
const sparseShare = 0.8;

const known = new WeakMap<readonly FeatureShape[], Layout>();

/** The layout of a table's features; computed once for each table. */
export function layoutOf(features: readonly FeatureShape[]): Layout {
  const before = known.get(features);
  if (before) return before;
  const layout = place(features, bundlesOf(features));
  known.set(features, layout);
  return layout;
}

/** For each byte, 1 when it goes left; `sides` says so for each bin of the feature. */
export function sidesOfBytes(feature: PlacedFeature, sides: Uint8Array, out: Uint8Array): void {
  out.fill(feature.defaultBin < 0 ? 0 : sides[feature.defaultBin]!);
  for (let bin = 0; bin < feature.bytes.length; bin++) out[feature.bytes[bin]!] = sides[bin]!;
}

interface Bundle {
  members: { feature: number; defaultBin: number }[];
  binCount: number;
  /** A bit for each row in which a member is away from its default. */
  busy: Uint32Array;
}

/** Sparse features that exclude each other, in the order of the table; bundles of one are left out. */
function bundlesOf(features: readonly FeatureShape[]): Bundle[] {
  const bundles: Bundle[] = [];
  features.forEach((shape, feature) => {
    if (shape.binCount > mostBundledBins) return;
    const defaultBin = usualBin(shape);
    if (defaultBin < 0) return;
    const busy = rowsAway(shape.bins, defaultBin);
    const bundle = bundles.find(
      (one) => one.binCount + shape.binCount - 1 <= cellsPerRegion && !overlaps(one.busy, busy),
    );
    if (bundle) {
      bundle.members.push({ feature, defaultBin });
      bundle.binCount += shape.binCount - 1;
      for (let word = 0; word < busy.length; word++) bundle.busy[word]! |= busy[word]!;
    } else {
      bundles.push({ members: [{ feature, defaultBin }], binCount: shape.binCount, busy });
    }
  });
  return bundles.filter((bundle) => bundle.members.length > 1);
}

/** The bin that a sparse feature mostly has; -1 when it is not sparse. */
function usualBin({ bins, binCount }: FeatureShape): number {
  const counts = new Uint32Array(256);
  for (let row = 0; row < bins.length; row++) counts[bins[row]!]!++;
  const most = counts.indexOf(Math.max(...counts.subarray(0, binCount)));
  return counts[most]! >= sparseShare * bins.length ? most : -1;
}

function rowsAway(bins: Uint8Array, defaultBin: number): Uint32Array {
  const busy = new Uint32Array((bins.length + 31) >>> 5);
  for (let row = 0; row < bins.length; row++)
    if (bins[row] !== defaultBin) busy[row >>> 5]! |= 1 << (row & 31);
  return busy;
}

function overlaps(a: Uint32Array, b: Uint32Array): boolean {
  for (let word = 0; word < a.length; word++) if ((a[word]! & b[word]!) !== 0) return true;
  return false;
}

function place(features: readonly FeatureShape[], bundles: readonly Bundle[]): Layout {
  const placed: PlacedFeature[] = [];
  const bundled = new Set(bundles.flatMap((bundle) => bundle.members.map((member) => member.feature)));
  const alone = features.map((_, feature) => feature).filter((feature) => !bundled.has(feature));
  const wide = alone.filter((feature) => features[feature]!.binCount > narrowBins);
  const narrow = alone.filter((feature) => features[feature]!.binCount <= narrowBins);
  const wideCount = wide.length + bundles.length;
  const wideGroups = groupColumns(wideCount, { isNarrow: false, firstColumn: 0, firstCell: 0 });
  // Rows are read four columns at a time: the last columns of a group may be padding, which needs cells, too.
  const cellsBefore = Math.ceil(wideCount / 4) * 4 * cellsPerRegion;
  const narrowGroups = groupColumns(narrow.length, {
    isNarrow: true,
    firstColumn: wideCount,
    firstCell: cellsBefore,
  });
  wide.forEach((feature, column) => {
    const bytes = Uint8Array.from({ length: features[feature]!.binCount }, (_, bin) => bin);
    placed[feature] = { column, bytes, firstCell: column * cellsPerRegion, defaultBin: -1 };
  });
  bundles.forEach((bundle, index) => placeBundle(bundle, wide.length + index, { features, placed }));
  narrow.forEach((feature, index) => {
    const shift = (index % columnsPerRegion) * narrowBins;
    const bytes = Uint8Array.from({ length: features[feature]!.binCount }, (_, bin) => bin + shift);
    const region = Math.floor(index / columnsPerRegion);
    placed[feature] = {
      column: wideCount + index,
      bytes,
      firstCell: cellsBefore + region * cellsPerRegion + shift,
      defaultBin: -1,
    };
  });
  return {
    features: placed,
    groups: [...wideGroups, ...narrowGroups],
    columnCount: wideCount + narrow.length,
    cellCount: cellsBefore + Math.ceil(narrow.length / columnsPerRegion) * cellsPerRegion,
  };
}

/** Byte 0 of a bundle's column says that all members have their defaults; then come the other bins, member by member. */
function placeBundle(
  { members }: Bundle,
  column: number,
  { features, placed }: { features: readonly FeatureShape[]; placed: PlacedFeature[] },
): void {
  let next = 1;
  for (const { feature, defaultBin } of members) {
    const firstCell = column * cellsPerRegion + next;
    const bytes = Uint8Array.from({ length: features[feature]!.binCount }, (_, bin) =>
      bin === defaultBin ? 0 : next++,
    );
    placed[feature] = { column, bytes, firstCell, defaultBin };
  }
}

function groupColumns(
  count: number,
  { isNarrow, firstColumn, firstCell }: { isNarrow: boolean; firstColumn: number; firstCell: number },
): ColumnGroup[] {
  const groups: ColumnGroup[] = [];
  for (let done = 0; done < count; done += columnsPerGroup) {
    const columnCount = Math.min(columnsPerGroup, count - done);
    groups.push({
      firstColumn: firstColumn + done,
      columnCount,
      isNarrow,
      firstCell: firstCell + (isNarrow ? done / columnsPerRegion : done) * cellsPerRegion,
      stride: Math.ceil(columnCount / 8) * 8,
    });
  }
  return groups;
}
