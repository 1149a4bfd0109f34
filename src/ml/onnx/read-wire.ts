// Messages of Protocol Buffers read field by field, from files that may come from anywhere: every length is checked, and
// whatever does not fit is refused. The counterpart of wire.ts. Format: protobuf.dev, "Encoding".

/** The fields of a message by number, in their order: whole numbers (signed, of 64 bits) or bytes. */
export type Fields = ReadonlyMap<number, readonly (number | Uint8Array)[]>;

/** The bytes are no message. */
export class WireFault extends Error {
  override name = 'WireFault';
}

const varintWire = 0;
const fixed64Wire = 1;
const lengthWire = 2;
const fixed32Wire = 5;
const largestVarintBytes = 10;

/**
 * Reads one message whole. Numbers of fixed width are given as their bytes. `wanted`: the numbers of the fields to
 * keep, where the others are many. @throws WireFault
 */
export function fieldsOf(bytes: Uint8Array, wanted?: ReadonlySet<number>): Fields {
  const fields = new Map<number, (number | Uint8Array)[]>();
  for (const { field, value } of fieldList(bytes)) {
    if (wanted && !wanted.has(field)) continue;
    const values = fields.get(field);
    if (values) values.push(value);
    else fields.set(field, [value]);
  }
  return fields;
}

/** One field where it stands. */
export interface PlacedField {
  field: number;
  value: number | Uint8Array;
  /** The field with its key, as it lies in the file. */
  whole: Uint8Array;
}

/** The fields of a message one after another. @throws WireFault */
export function* fieldList(bytes: Uint8Array): Generator<PlacedField> {
  for (let at = 0; at < bytes.length;) {
    const key = varintAt(bytes, at);
    const field = Math.floor(key.value / 8);
    if (field < 1) throw new WireFault('a field without a number');
    const { value, end } = valueAt(bytes, key.end, key.value % 8);
    yield { field, value, whole: bytes.subarray(at, end) };
    at = end;
  }
}

/** All whole numbers of a field, packed or not. */
export function integersOf(fields: Fields, field: number): number[] {
  const list: number[] = [];
  for (const value of fields.get(field) ?? []) {
    if (typeof value === 'number') list.push(value);
    else for (let at = 0; at < value.length;) at = pushVarint(list, value, at);
  }
  return list;
}

/** The last whole number of a field, as the format wants it of fields that are there once; or none. */
export function integerOf(fields: Fields, field: number): number | undefined {
  return integersOf(fields, field).at(-1);
}

export function bytesOf(fields: Fields, field: number): Uint8Array[] {
  return (fields.get(field) ?? []).filter((value) => typeof value !== 'number');
}

export function messagesOf(fields: Fields, field: number): Fields[] {
  return bytesOf(fields, field).map((bytes) => fieldsOf(bytes));
}

/** All texts of a field. @throws WireFault for bytes that are not UTF-8 */
export function textsOf(fields: Fields, field: number): string[] {
  return bytesOf(fields, field).map(textOf);
}

/** The last text of a field, or an empty one, which the format does not tell from none. */
export function lastTextOf(fields: Fields, field: number): string {
  return textsOf(fields, field).at(-1) ?? '';
}

function textOf(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new WireFault('a text that is not UTF-8');
  }
}

function valueAt(bytes: Uint8Array, at: number, wire: number): { value: number | Uint8Array; end: number } {
  if (wire === varintWire) return varintAt(bytes, at);
  if (wire === fixed64Wire) return sliceAt(bytes, at, 8);
  if (wire === fixed32Wire) return sliceAt(bytes, at, 4);
  if (wire !== lengthWire) throw new WireFault('a field of an unknown wire type');
  const length = varintAt(bytes, at);
  return sliceAt(bytes, length.end, length.value);
}

function sliceAt(bytes: Uint8Array, at: number, length: number): { value: Uint8Array; end: number } {
  if (length < 0 || at + length > bytes.length) throw new WireFault('a field that is cut short');
  return { value: bytes.subarray(at, at + length), end: at + length };
}

function pushVarint(list: number[], bytes: Uint8Array, at: number): number {
  const { value, end } = varintAt(bytes, at);
  list.push(value);
  return end;
}

/** Seven bits a byte, the lowest first. Numbers beyond 2^53 lose their last digits; negative ones take ten bytes. */
function varintAt(bytes: Uint8Array, at: number): { value: number; end: number } {
  let value = 0;
  let scale = 1;
  for (let end = at; end < bytes.length && end - at < largestVarintBytes;) {
    const byte = bytes[end++]!;
    value += (byte % 128) * scale;
    scale *= 128;
    if (byte < 128) return { value: end - at === largestVarintBytes ? negativeAt(bytes, at) : value, end };
  }
  throw new WireFault('a number that is cut short');
}

function negativeAt(bytes: Uint8Array, at: number): number {
  let value = 0n;
  for (let place = largestVarintBytes - 1; place >= 0; place--)
    value = (value << 7n) | BigInt(bytes[at + place]! % 128);
  return Number(BigInt.asIntN(64, value));
}
