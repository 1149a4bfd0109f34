// Where features lie in memory: bytes in row groups, cells in histograms. Features with many bins get a byte column and
// 256 cells of their own; eight columns of at most 32 bins share 256 cells, told apart by their bytes; and features that
// are never away from their usual bins in the same row, as one-hot columns are, share one column (LightGBM's exclusive
// bundles).
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

/** Up to 28 byte columns whose bytes lie side by side, row by row, behind the row's gradient and hessian. */
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

/** Gradient and hessian of a row, 16 bits each. */
export const rowHeadBytes = 4;

const cellsPerRegion = 256;
const columnsPerWideGroup = 28;
/** A multiple of the columns that share 256 cells. */
const columnsPerNarrowGroup = 24;
const narrowBins = 32;
const columnsPerRegion = cellsPerRegion / narrowBins;
/** Rows are read this many columns at a time: a group's last columns may be padding, which needs cells, too. */
const columnsPerWord = 4;
const mostBundledBins = 64;
/** A bin with this share of the rows may be the one that a bundled feature is usually in. */
const usualShare = 0.4;

const known = new WeakMap<readonly FeatureShape[], Layout>();

/** The layout of a table's features; computed once for each table. */
export function layoutOf(features: readonly FeatureShape[]): Layout {
  const before = known.get(features);
  if (before) return before;
  const layout = place(features, columnsOf(features));
  known.set(features, layout);
  return layout;
}

/** The layout of features whose bins are not known yet: each has a column of its own. */
export function separateLayout(features: readonly Pick<FeatureShape, 'binCount'>[]): Layout {
  return place(
    features,
    features.map(({ binCount }, feature) => ({ members: [{ feature, defaultBin: -1 }], binCount })),
  );
}

/** For each byte, 1 when it goes left; `sides` says so for each bin of the feature. */
export function sidesOfBytes(feature: PlacedFeature, sides: Uint8Array, out: Uint8Array): void {
  out.fill(feature.defaultBin < 0 ? 0 : sides[feature.defaultBin]!);
  for (let bin = 0; bin < feature.bytes.length; bin++) out[feature.bytes[bin]!] = sides[bin]!;
}

/** A byte column: one feature, or several that are never away from their default bins in the same row. */
interface Column {
  members: { feature: number; defaultBin: number }[];
  binCount: number;
}

interface Bundle extends Column {
  /** A bit for each row in which a member is away from its default. */
  busy: Uint32Array;
}

/** Features alone in the order of the table, then bundles of those that exclude each other. */
function columnsOf(features: readonly FeatureShape[]): Column[] {
  const bundles = bundlesOf(features).filter((bundle) => bundle.members.length > 1);
  const bundled = new Set(bundles.flatMap((bundle) => bundle.members.map((member) => member.feature)));
  const alone = features.flatMap(({ binCount }, feature): Column[] =>
    bundled.has(feature) ? [] : [{ members: [{ feature, defaultBin: -1 }], binCount }],
  );
  return [...alone, ...bundles];
}

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
  return bundles;
}

/** The first bin that enough rows have, which is that of zeros in one-hot columns; -1 for none. */
function usualBin({ bins, binCount }: FeatureShape): number {
  const counts = new Uint32Array(256);
  for (let row = 0; row < bins.length; row++) counts[bins[row]!]!++;
  return counts.subarray(0, binCount).findIndex((count) => count >= usualShare * bins.length);
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

function place(features: readonly Pick<FeatureShape, 'binCount'>[], columns: readonly Column[]): Layout {
  const few = columns.filter((column) => column.binCount <= narrowBins);
  const many = columns.filter((column) => column.binCount > narrowBins);
  // Where wide columns would be padded, columns of few bins cost nothing.
  const wide = [...many, ...few.splice(0, wordsOf(many.length) * columnsPerWord - many.length)];
  const cellsBefore = wordsOf(wide.length) * columnsPerWord * cellsPerRegion;
  const placed: PlacedFeature[] = [];
  wide.forEach((one, column) =>
    placeColumn(one, { column, firstCell: column * cellsPerRegion, shift: 0 }, { features, placed }),
  );
  few.forEach((one, index) => {
    const shift = (index % columnsPerRegion) * narrowBins;
    const firstCell = cellsBefore + Math.floor(index / columnsPerRegion) * cellsPerRegion;
    placeColumn(one, { column: wide.length + index, firstCell, shift }, { features, placed });
  });
  const narrowStart = { isNarrow: true, firstColumn: wide.length, firstCell: cellsBefore };
  return {
    features: placed,
    groups: [
      ...groupColumns(wide.length, { isNarrow: false, firstColumn: 0, firstCell: 0 }),
      ...groupColumns(few.length, narrowStart),
    ],
    columnCount: columns.length,
    cellCount: cellsBefore + Math.ceil(few.length / columnsPerRegion) * cellsPerRegion,
  };
}

function wordsOf(columnCount: number): number {
  return Math.ceil(columnCount / columnsPerWord);
}

/**
 * A feature alone has a byte for each bin, from `shift` on. In a bundle, byte `shift` says that all members have their
 * defaults; then come the other bins, member by member.
 */
function placeColumn(
  { members }: Column,
  { column, firstCell, shift }: { column: number; firstCell: number; shift: number },
  { features, placed }: { features: readonly Pick<FeatureShape, 'binCount'>[]; placed: PlacedFeature[] },
): void {
  let next = members[0]!.defaultBin < 0 ? shift : shift + 1;
  for (const { feature, defaultBin } of members) {
    const first = firstCell + next;
    const bytes = Uint8Array.from({ length: features[feature]!.binCount }, (_, bin) =>
      bin === defaultBin ? shift : next++,
    );
    placed[feature] = { column, bytes, firstCell: first, defaultBin };
  }
}

function groupColumns(
  count: number,
  { isNarrow, firstColumn, firstCell }: { isNarrow: boolean; firstColumn: number; firstCell: number },
): ColumnGroup[] {
  const groups: ColumnGroup[] = [];
  const most = isNarrow ? columnsPerNarrowGroup : columnsPerWideGroup;
  for (let done = 0; done < count; done += most) {
    const columnCount = Math.min(most, count - done);
    groups.push({
      firstColumn: firstColumn + done,
      columnCount,
      isNarrow,
      firstCell: firstCell + (isNarrow ? done / columnsPerRegion : done) * cellsPerRegion,
      stride: Math.ceil((rowHeadBytes + columnCount) / 8) * 8,
    });
  }
  return groups;
}
