// Encoded tables put one below the other, and parts of them that share their memory.
import { assert } from '../../base/assert.ts';
import type { FeatureTable } from './encoding.ts';

/** The rows of `first`, then those of `second`, which has the same features; `isShared`, in memory that threads can share. */
export function stackTables(first: FeatureTable, second: FeatureTable, isShared = false): FeatureTable {
  assert(first.columns.length === second.columns.length, 'stacked tables have the same features');
  const rowCount = first.rowCount + second.rowCount;
  const columns = first.columns.map((column, index) => {
    const byteCount = rowCount * column.BYTES_PER_ELEMENT;
    const buffer = isShared ? new SharedArrayBuffer(byteCount) : new ArrayBuffer(byteCount);
    const stacked = column instanceof Uint8Array ? new Uint8Array(buffer) : new Float64Array(buffer);
    stacked.set(column);
    stacked.set(second.columns[index]!, first.rowCount);
    return stacked;
  });
  return { rowCount, features: first.features, columns };
}

/** Rows `from` to `to` (not included) of a table, on the same memory. */
export function tableRows({ features, columns }: FeatureTable, from: number, to: number): FeatureTable {
  return { rowCount: to - from, features, columns: columns.map((column) => column.subarray(from, to)) };
}
