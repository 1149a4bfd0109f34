// The container of a model file: a fixed header, a JSON document, named sections of numbers. It knows nothing of
// models; it guarantees that what is read is what was written, or says that it is not.
//
//   0   "PILVI" 0             magic
//   6   uint16                format version
//   8   uint32                bytes of the JSON document
//   12  uint32                bytes of the whole file
//   16  32 bytes              SHA-256 of the bytes from 48 to the end
//   48  the document, UTF-8   {"document": ..., "sections": [{name, type, offset, count, sha256}]}, then zeros to a multiple of 8
//       the sections          little-endian numbers, each beginning at a multiple of 8
import { assert } from '../../base/assert.ts';
import { sha256 } from '../../base/hash.ts';
import { canonicalJson } from '../../base/json.ts';
import { Problem } from '../../base/problems.ts';

export const formatVersion = 1;
/** Largest file that is written or read. */
export const maximumFileBytes = 1_000_000_000;

const headerBytes = 48;
const maximumDocumentBytes = 64_000_000;
const maximumSections = 20_000;
const magic = [0x50, 0x49, 0x4c, 0x56, 0x49, 0];

const arrayTypes = {
  u8: Uint8Array,
  u16: Uint16Array,
  i32: Int32Array,
  u32: Uint32Array,
  f32: Float32Array,
  f64: Float64Array,
} as const;
type ArrayType = keyof typeof arrayTypes;

export type SectionArray = Uint8Array | Uint16Array | Int32Array | Uint32Array | Float32Array | Float64Array;

interface SectionEntry {
  name: string;
  type: ArrayType;
  offset: number;
  count: number;
  sha256: string;
}

/** The bytes of a file: equal input, equal bytes. @throws Problem `memory-limit` beyond 1 GB */
export async function writeContainer(
  document: unknown,
  sections: ReadonlyMap<string, SectionArray>,
): Promise<Uint8Array> {
  assert(isLittleEndian(), 'model files are written on little-endian machines only');
  const entries: SectionEntry[] = [];
  let sectionBytes = 0;
  for (const [name, array] of sections) {
    const bytes = bytesOf(array);
    entries.push({
      name,
      type: typeOf(array),
      offset: sectionBytes,
      count: array.length,
      sha256: await sha256(bytes),
    });
    sectionBytes += padded(bytes.length);
  }
  const text = new TextEncoder().encode(canonicalJson({ document, sections: entries }));
  const start = headerBytes + padded(text.length);
  const total = start + sectionBytes;
  if (total > maximumFileBytes || text.length > maximumDocumentBytes) {
    throw new Problem(
      'memory-limit',
      `The model would be a file of ${Math.round(total / 1e6)} MB; the largest is ${maximumFileBytes / 1e6} MB.`,
    );
  }
  const file = new Uint8Array(total);
  file.set(magic);
  file.set(text, headerBytes);
  entries.forEach((entry) => file.set(bytesOf(sections.get(entry.name)!), start + entry.offset));
  const view = new DataView(file.buffer);
  view.setUint16(6, formatVersion, true);
  view.setUint32(8, text.length, true);
  view.setUint32(12, total, true);
  file.set(fromHex(await sha256(file.subarray(headerBytes))), 16);
  return file;
}

/** @throws Problem `model-file-invalid` or `model-file-too-new` */
export async function readContainer(
  file: Uint8Array,
): Promise<{ document: unknown; sections: Map<string, SectionArray> }> {
  const documentBytes = readHeader(file);
  const digest = await sha256(file.subarray(headerBytes));
  if (!fromHex(digest).every((byte, index) => byte === file[16 + index]))
    throw invalid('its checksum does not fit its content');
  const { document, entries } = readDocument(file.subarray(headerBytes, headerBytes + documentBytes));
  const sections = new Map<string, SectionArray>();
  let end = headerBytes + padded(documentBytes);
  const start = end;
  for (const entry of entries) {
    const byteCount = entry.count * arrayTypes[entry.type].BYTES_PER_ELEMENT;
    // Sections follow each other without gaps or overlaps.
    if (start + entry.offset !== end || end + byteCount > file.length)
      throw invalid(`section "${entry.name}" lies outside the file`);
    const bytes = file.slice(end, end + byteCount);
    if ((await sha256(bytes)) !== entry.sha256)
      throw invalid(`section "${entry.name}" does not fit its checksum`);
    sections.set(entry.name, new arrayTypes[entry.type](bytes.buffer, 0, entry.count));
    end += padded(byteCount);
  }
  if (end !== file.length || sections.size !== entries.length)
    throw invalid('it has bytes or sections too many');
  return { document, sections };
}

/** The problem of a file that is not what it should be. */
export function invalid(what: string, cause?: unknown): Problem {
  return new Problem(
    'model-file-invalid',
    `The model file cannot be used: ${what}.`,
    cause === undefined ? {} : { cause },
  );
}

function readHeader(file: Uint8Array): number {
  if (file.length < headerBytes || !magic.every((byte, index) => file[index] === byte)) {
    throw invalid('it does not begin as a model file does');
  }
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const version = view.getUint16(6, true);
  if (version > formatVersion) {
    throw new Problem(
      'model-file-too-new',
      `The model file has format ${version}; this Pilvi reads up to format ${formatVersion}.`,
    );
  }
  if (version !== formatVersion) throw invalid(`there is no format ${version}`);
  const documentBytes = view.getUint32(8, true);
  const total = view.getUint32(12, true);
  if (file.length > maximumFileBytes) throw invalid(`it is larger than ${maximumFileBytes / 1e6} MB`);
  if (total !== file.length)
    throw invalid(`it should have ${total} bytes and has ${file.length}: it was cut short or added to`);
  if (documentBytes > maximumDocumentBytes || headerBytes + padded(documentBytes) > total)
    throw invalid('its description lies outside the file');
  return documentBytes;
}

function readDocument(bytes: Uint8Array): { document: unknown; entries: SectionEntry[] } {
  let parsed: unknown;
  try {
    parsed = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw invalid('its description is not JSON', error);
  }
  const { document, sections } = (parsed ?? {}) as { document?: unknown; sections?: unknown };
  if (!Array.isArray(sections) || sections.length > maximumSections || !sections.every(isEntry)) {
    throw invalid('its list of sections is not one');
  }
  return { document, entries: sections };
}

function isEntry(value: unknown): value is SectionEntry {
  const entry = (value ?? {}) as Partial<SectionEntry>;
  const isCount = (number: unknown): boolean =>
    Number.isSafeInteger(number) && (number as number) >= 0 && (number as number) <= maximumFileBytes;
  return (
    typeof entry.name === 'string' &&
    typeof entry.type === 'string' &&
    Object.hasOwn(arrayTypes, entry.type) &&
    isCount(entry.offset) &&
    isCount(entry.count) &&
    typeof entry.sha256 === 'string'
  );
}

function padded(byteCount: number): number {
  return Math.ceil(byteCount / 8) * 8;
}

function typeOf(array: SectionArray): ArrayType {
  const found = (Object.keys(arrayTypes) as ArrayType[]).find((type) => array instanceof arrayTypes[type]);
  assert(found !== undefined, 'a section of unknown type');
  return found;
}

function bytesOf(array: SectionArray): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

function fromHex(text: string): Uint8Array {
  return Uint8Array.from({ length: text.length / 2 }, (_, index) =>
    parseInt(text.slice(index * 2, index * 2 + 2), 16),
  );
}

function isLittleEndian(): boolean {
  return new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;
}
