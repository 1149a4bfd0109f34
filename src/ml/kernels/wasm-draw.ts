// Histograms of some features alone. A tree that may ask about a share of the columns sums only these: of each group's
// rows, the drawn columns are picked into rows of their own (accumulate.as) while rows are gathered, and have cells side by
// side, as if there were no others.
import { rowHeadBytes, type ColumnGroup } from './layout.ts';
import { cellBytes, featureBytes, groupBytes, pickBytes, type Opened } from './wasm-places.ts';

/** What histograms are summed of. */
export interface DrawnColumns {
  /** Where the groups are described to the loops, and how many there are. */
  groupList: number;
  groupCount: number;
  columnCount: number;
  /** Cells that are used of each histogram. */
  cellCount: number;
  /** Whether the first cells are those of a narrow group. */
  isFirstNarrow: boolean;
}

const cellsPerRegion = 256;
const columnsPerRegion = 8;
const narrowBins = 32;
/** Groups with fewer columns left out are summed whole: picking would cost as much. Narrow ones are added by words. */
const fewestSpared = { wide: 3, narrow: 8 };
/** Of a shuffle: gives a zero. */
const nowhere = 255;

/** All columns. */
export function allColumns({ plan, places }: Opened): DrawnColumns {
  const { groups, columnCount, cellCount } = plan.layout;
  const isFirstNarrow = groups[0]?.isNarrow ?? false;
  return { groupList: places.groupList, groupCount: groups.length, columnCount, cellCount, isFirstNarrow };
}

/** Describes the groups and cells of these features to the loops. */
export function drawColumns(opened: Opened, features: Int32Array): DrawnColumns {
  const { plan, places, buffer } = opened;
  const { layout } = plan;
  const words = new Int32Array(buffer, places.drawnList, (layout.groups.length * groupBytes) / 4);
  const isDrawn = new Uint8Array(layout.columnCount);
  for (const feature of features) isDrawn[layout.features[feature]!.column] = 1;
  /** What is added to the first cell of the features of each column. */
  const shifts = new Int32Array(layout.columnCount);
  const drawn = { groupList: places.drawnList, groupCount: 0, columnCount: 0, cellCount: 0 };
  let isFirstNarrow = false;
  layout.groups.forEach((group, index) => {
    const columns = drawnColumns(group, isDrawn);
    if (columns.length === 0) return;
    if (drawn.groupCount === 0) isFirstNarrow = group.isNarrow;
    const isWhole = columns.length === group.columnCount;
    const pick = isWhole ? 0 : places.picks + index * pickBytes;
    const lowerCount = isWhole ? 0 : writePick(new Uint8Array(buffer, pick, pickBytes), group, columns);
    columns.forEach((column, place) => {
      shifts[group.firstColumn + column] =
        drawn.cellCount + cellOf(group, place) - group.firstCell - cellOf(group, column);
    });
    const fields = [group.isNarrow ? 1 : 0, columns.length, group.stride, places.groups[index]!];
    fields.push(drawn.cellCount * cellBytes, pick, lowerCount);
    words.set(fields, (drawn.groupCount * groupBytes) / 4);
    drawn.groupCount++;
    drawn.columnCount += columns.length;
    const regions = group.isNarrow ? Math.ceil(columns.length / columnsPerRegion) : columns.length;
    drawn.cellCount += regions * cellsPerRegion;
  });
  const described = new Int32Array(buffer, places.features, (plan.features.length * featureBytes) / 4);
  for (const feature of features) {
    const { firstCell, column } = layout.features[feature]!;
    described[(feature * featureBytes) / 4] = (firstCell + shifts[column]!) * cellBytes;
  }
  return { ...drawn, isFirstNarrow };
}

/** The columns of a group that are summed, by their places in it. */
function drawnColumns({ firstColumn, columnCount, isNarrow }: ColumnGroup, isDrawn: Uint8Array): Int32Array {
  const all = Int32Array.from({ length: columnCount }, (_, column) => column);
  const columns = all.filter((column) => isDrawn[firstColumn + column] === 1);
  const spared = columnCount - columns.length;
  const isPicked = spared >= (isNarrow ? fewestSpared.narrow : fewestSpared.wide);
  return columns.length === 0 || isPicked ? columns : all;
}

/** Where the cells of a column begin in those of its group: columns of a narrow group share regions. */
function cellOf({ isNarrow }: ColumnGroup, column: number): number {
  return column * (isNarrow ? narrowBins : cellsPerRegion);
}

/** The vectors that the loop picks columns by, and how many columns it takes from the first 16 bytes of a row. */
function writePick(pick: Uint8Array, { isNarrow }: ColumnGroup, columns: Int32Array): number {
  const [ofLower, joined, ofUpper, addedLower, addedUpper] = Array.from({ length: 5 }, (_, vector) =>
    pick.subarray(vector * 16, vector * 16 + 16),
  ) as [Uint8Array, Uint8Array, Uint8Array, Uint8Array, Uint8Array];
  pick.fill(nowhere, 0, 48).fill(0, 48);
  for (let byte = 0; byte < rowHeadBytes; byte++) ofLower[byte] = byte;
  const lowerCount = columns.filter((column) => column < 16 - rowHeadBytes).length;
  columns.forEach((column, place) => {
    const from = rowHeadBytes + column;
    // Columns of wide groups stay in their half of the row.
    const to = isNarrow || from < 16 ? rowHeadBytes + place : 16 + place - lowerCount;
    const by = from < 16 ? ofLower : to < 16 ? joined : ofUpper;
    by[to & 15] = from & 15;
  });
  if (!isNarrow) return lowerCount;
  // Which of eight columns a byte belongs to, the byte says. Columns that only fill up a word add to nobody's cells.
  const tagOf = (column: number): number => (column % columnsPerRegion) * narrowBins;
  for (let place = 0; place < Math.ceil(columns.length / 4) * 4; place++) {
    const to = rowHeadBytes + place;
    const tag = place < columns.length ? tagOf(columns[place]!) : 0;
    (to < 16 ? addedLower : addedUpper)[to & 15] = tagOf(place) - tag;
  }
  return lowerCount;
}
