// The wire format of Protocol Buffers, as far as an ONNX file needs it: fields of varints, of bytes and of packed
// numbers. A message is the concatenation of its fields; nothing is read here. Format: protobuf.dev, "Encoding".
import { assert } from '../../base/assert.ts';

/** One message, or a run of fields of one. */
export type Message = Uint8Array;

const varintWire = 0;
const lengthWire = 2;
const encoder = new TextEncoder();

/** Fields one after another, as one message. */
export function messageOf(...fields: readonly Message[]): Message {
  return joined(fields);
}

/** The same for as many fields as a file may have. */
export function joined(fields: readonly Message[]): Message {
  const whole = new Uint8Array(fields.reduce((sum, field) => sum + field.length, 0));
  let at = 0;
  for (const field of fields) {
    whole.set(field, at);
    at += field.length;
  }
  return whole;
}

/** A whole number from 0. */
export function integerField(field: number, value: number): Message {
  return varints([field * 8 + varintWire, value]);
}

/** Bytes, or a message within the message. */
export function bytesField(field: number, bytes: Uint8Array): Message {
  return messageOf(varints([field * 8 + lengthWire, bytes.length]), bytes);
}

export function textField(field: number, text: string): Message {
  return bytesField(field, encoder.encode(text));
}

/** Many whole numbers from 0, packed. */
export function integersField(field: number, values: ArrayLike<number>): Message {
  return bytesField(field, varints(values));
}

/** Seven bits a byte, the lowest first; the highest bit says that more follow. */
function varints(values: ArrayLike<number>): Uint8Array {
  let length = 0;
  for (let index = 0; index < values.length; index++) length += varintLength(values[index]!);
  const bytes = new Uint8Array(length);
  let at = 0;
  for (let index = 0; index < values.length; index++) {
    let rest = values[index]!;
    for (; rest >= 128; rest = Math.floor(rest / 128)) bytes[at++] = (rest % 128) + 128;
    bytes[at++] = rest;
  }
  return bytes;
}

function varintLength(value: number): number {
  assert(Number.isSafeInteger(value) && value >= 0, `${value} is no whole number from 0`);
  let length = 1;
  for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) length++;
  return length;
}
