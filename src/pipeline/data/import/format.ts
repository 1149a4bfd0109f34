// What kind of file the source is, from its first bytes. Kinds that we do not read are named, with what to do.
import { Problem } from '../../../base/problems.ts';
import type { ImportOptions } from '../../../contract/dataset.ts';
import type { Compression } from './source-text.ts';

export type Format = NonNullable<ImportOptions['format']>;

const gzipMagic = [0x1f, 0x8b];
const parquetMagic = [0x50, 0x41, 0x52, 0x31];

const foreignKinds: readonly { magic: readonly number[]; what: string; instead: string }[] = [
  {
    magic: [0x50, 0x4b, 0x03, 0x04],
    what: 'a ZIP archive or an Excel workbook',
    instead: 'Unpack it, or save the sheet as CSV',
  },
  { magic: [0xd0, 0xcf, 0x11, 0xe0], what: 'an old Office document', instead: 'Save the sheet as CSV' },
  { magic: [0x28, 0xb5, 0x2f, 0xfd], what: 'compressed with Zstandard', instead: 'Unpack it, or use gzip' },
  { magic: [0x42, 0x5a, 0x68], what: 'compressed with bzip2', instead: 'Unpack it, or use gzip' },
  {
    magic: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00],
    what: 'compressed with xz',
    instead: 'Unpack it, or use gzip',
  },
  { magic: [0x37, 0x7a, 0xbc, 0xaf], what: 'a 7-Zip archive', instead: 'Unpack it' },
  { magic: [0x25, 0x50, 0x44, 0x46, 0x2d], what: 'a PDF document', instead: 'Export its table as CSV' },
  { magic: [0x89, 0x50, 0x4e, 0x47], what: 'a PNG image', instead: 'Send a table' },
  { magic: [0xff, 0xd8, 0xff], what: 'a JPEG image', instead: 'Send a table' },
  { magic: [0x4f, 0x52, 0x43], what: 'an ORC file', instead: 'Convert it to Parquet' },
  { magic: [0x4f, 0x62, 0x6a, 0x01], what: 'an Avro file', instead: 'Convert it to Parquet' },
  {
    magic: [0x53, 0x51, 0x4c, 0x69, 0x74, 0x65, 0x20, 0x66],
    what: 'a SQLite database',
    instead: 'Export its table as CSV',
  },
];

/** Whether the stored bytes are gzip. */
export function detectCompression(head: Uint8Array, options: ImportOptions): Compression {
  return options.compression ?? (startsWith(head, gzipMagic) ? 'gzip' : 'none');
}

/** The format of the unpacked bytes that begin with `head`. @throws Problem `file-unreadable` for foreign kinds */
export function detectFormat(head: Uint8Array, options: ImportOptions): Format {
  if (head.length === 0) throw new Problem('file-empty', 'The file is empty.');
  if (startsWith(head, parquetMagic)) return options.format ?? 'parquet';
  const foreign = foreignKinds.find(({ magic }) => startsWith(head, magic));
  if (foreign) throw new Problem('file-unreadable', `The file is ${foreign.what}. ${foreign.instead}.`);
  return options.format ?? (looksLikeJson(head) ? 'json-lines' : 'csv');
}

/** A brace, or a bracket before one, with a quoted key or the end of an object behind it. */
function looksLikeJson(head: Uint8Array): boolean {
  const text = Buffer.from(head.subarray(0, 4096)).toString('latin1').replaceAll('\0', '');
  return /^(?:\xef\xbb\xbf|\xff\xfe|\xfe\xff)?\s*(?:\[\s*)?\{\s*(?:"(?:[^"\\]|\\.)*"\s*:|\})/.test(text);
}

function startsWith(head: Uint8Array, magic: readonly number[]): boolean {
  return magic.every((byte, index) => head[index] === byte);
}
