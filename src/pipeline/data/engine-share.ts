// How much of the machine one import or one profile takes.

/** The engine's own share; the process takes some 150 MiB more. */
const engineMemoryBytes = 256 * 1_048_576;
/** Every column of a statement has its buffers; up to so many fit into the share above. */
const columnsOfOneShare = 400;
const bytesPerFurtherColumn = 384 * 1024;

/** Memory and threads for a table of so many columns: by its width alone, because the layout of what is written depends on it. */
export function engineShareOf(columnCount: number): { memoryBytes: number; threads: number } {
  const furtherColumns = Math.max(0, columnCount - columnsOfOneShare);
  return {
    memoryBytes: engineMemoryBytes + furtherColumns * bytesPerFurtherColumn,
    threads: furtherColumns === 0 ? 2 : 1,
  };
}
