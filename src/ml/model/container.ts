// The container of a model file: behind its head (header.ts), a JSON document and named sections of numbers. It knows
// nothing of models; it guarantees that what is read is what was written, or says that it is not.
//
//   the document    UTF-8: {"document": ..., "sections": [{name, type, offset, count}]}, then zeros to a multiple of 8
//   the sections    little-endian numbers, each beginning at a multiple of 8 of the file, so that they can be used where
//                   they lie: arrays that are read are views of the file's bytes, which belong to the reader from then on
import { assert } from '../../base/assert.ts';
import { canonicalJson } from '../../base/json.ts';
import { Problem } from '../../base/problems.ts';
import { checkHead, headBytes, invalid, maximumFileBytes, writeHead, type Trust } from './header.ts';

const maximumDocumentBytes = 64_000_000;
const maximumSections = 20_000;

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
  /** From the first section on. */
  offset: number;
  count: number;
}

/** The bytes of an unsigned file: equal input, equal bytes. @throws Problem `memory-limit` beyond 1 GB */
export async function writeContainer(
  document: unknown,
  sections: ReadonlyMap<string, SectionArray>,
): Promise<Uint8Array<ArrayBuffer>> {
  assert(isLittleEndian(), 'model files are written on little-endian machines only');
  const entries: SectionEntry[] = [];
  let sectionBytes = 0;
  for (const [name, array] of sections) {
    entries.push({ name, type: typeOf(array), offset: sectionBytes, count: array.length });
    sectionBytes += padded(array.byteLength);
  }
  const text = new TextEncoder().encode(canonicalJson({ document, sections: entries }));
  const start = headBytes + padded(text.length);
  const total = start + sectionBytes;
  if (total > maximumFileBytes || text.length > maximumDocumentBytes) {
    throw new Problem(
      'memory-limit',
      `The model would be a file of ${Math.round(total / 1e6)} MB; the largest is ${maximumFileBytes / 1e6} MB.`,
    );
  }
  const file = new Uint8Array(total);
  file.set(text, headBytes);
  entries.forEach((entry) => file.set(bytesOf(sections.get(entry.name)!), start + entry.offset));
  await writeHead(file, text.length);
  return file;
}

/**
 * The document and the sections, as views of `file` unless it begins at an odd place in its buffer: it must not be changed
 * afterwards. @throws Problem `model-file-invalid`, `model-file-too-new` or `model-file-untrusted`
 */
export async function readContainer(
  file: Uint8Array,
  trust: Trust = {},
): Promise<{ document: unknown; sections: Map<string, SectionArray> }> {
  const bytes = inPlace(file);
  const { documentBytes, contentAt } = await checkHead(bytes, trust);
  if (documentBytes > maximumDocumentBytes) throw invalid('its description is too long');
  const { document, entries } = readDocument(bytes.subarray(contentAt, contentAt + documentBytes));
  const sections = new Map<string, SectionArray>();
  const start = contentAt + padded(documentBytes);
  let end = start;
  for (const { name, type, offset, count } of entries) {
    const byteCount = count * arrayTypes[type].BYTES_PER_ELEMENT;
    // Sections follow each other without gaps or overlaps.
    if (start + offset !== end || end + byteCount > bytes.length)
      throw invalid(`section "${name}" lies outside the file`);
    sections.set(name, new arrayTypes[type](bytes.buffer, bytes.byteOffset + end, count));
    end += padded(byteCount);
  }
  if (end !== bytes.length || sections.size !== entries.length)
    throw invalid('it has bytes or sections too many');
  return { document, sections };
}

/** The same bytes where arrays can view them: at a multiple of 8 of a buffer that nobody else writes to. */
function inPlace(file: Uint8Array): Uint8Array<ArrayBuffer> {
  const isUsable = file.byteOffset % 8 === 0 && file.buffer instanceof ArrayBuffer;
  return isUsable ? (file as Uint8Array<ArrayBuffer>) : new Uint8Array(file);
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
    isCount(entry.count)
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

function isLittleEndian(): boolean {
  return new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;
}
