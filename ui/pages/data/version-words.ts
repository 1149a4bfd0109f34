// Figures of a dataset version as words; empty while they are not known.
import type { DatasetVersion } from '../../api/types.ts';
import { formatBytes, formatCountOf } from '../../kit/format.ts';

/** `7,043 rows`. */
export function rowWords(version: DatasetVersion | null): string {
  return typeof version?.rowCount === 'number' ? formatCountOf(version.rowCount, 'row') : '';
}

/** `20 columns`. */
export function columnWords(version: DatasetVersion | null): string {
  return version?.state === 'ready' ? formatCountOf(version.columns.length, 'column') : '';
}

/** `1.2 MB`. */
export function sizeWords(version: DatasetVersion | null): string {
  return typeof version?.sizeBytes === 'number' ? formatBytes(version.sizeBytes) : '';
}
