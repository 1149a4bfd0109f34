// What a reading task is told besides the source: limits and options, in types that cross a process boundary.
import type { ImportOptions } from '../../../contract/dataset.ts';
import type { Limits } from '../../../platform/context.ts';

/** The operator's limits (platform/context.ts) that reading a file keeps to. */
export type ImportLimits = {
  /** Also the most that a source may be when it is unpacked. */
  maxUploadBytes: number;
  maxColumns: number;
  maxFieldBytes: number;
  maxDecompressionRatio: number;
};

/** Those of the operator's limits that reading a file keeps to. */
export function importLimitsOf({
  maxUploadBytes,
  maxColumns,
  maxFieldBytes,
  maxDecompressionRatio,
}: Limits): ImportLimits {
  return { maxUploadBytes, maxColumns, maxFieldBytes, maxDecompressionRatio };
}

/** {@link ImportOptions} without members that are there but undefined, which JSON does not have. */
export type TaskOptions = { [Name in keyof ImportOptions]: Exclude<ImportOptions[Name], undefined> };

/** `options` for a task's input. */
export function taskOptions(options: ImportOptions): TaskOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

/** `512 bytes`, `3 MiB`. */
export function formatBytes(bytes: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes;
  let unit = 0;
  for (; value >= 1024 && unit < units.length - 1; unit++) value /= 1024;
  return `${Number.isInteger(value) ? value : value.toFixed(1)} ${units[unit]}`;
}
