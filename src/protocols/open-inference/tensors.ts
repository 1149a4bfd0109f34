// Tensors of the Open Inference Protocol, version 2: JSON data and the binary tensor data extension (values follow the
// JSON as bytes, little-endian, row-major; texts with their length in four bytes before each).
// https://github.com/kserve/open-inference-protocol, and the extension in Triton's documentation.
//
// Not read: FP16, BF16 and shared memory; they are refused by name.
import { z } from 'zod';
import { Problem } from '../../base/problems.ts';

/** A tensor as the JSON of a request or an answer has it. */
export const tensorHeader = z.object({
  name: z.string().min(1).max(1000),
  shape: z
    .array(
      z
        .number()
        .int()
        .min(1)
        .max(2 ** 31),
    )
    .min(1)
    .max(8),
  datatype: z.string().max(20),
  parameters: z.record(z.string(), z.unknown()).default({}),
  data: z.unknown().optional(),
});
export type TensorHeader = z.output<typeof tensorHeader>;

/** Values in row-major order. */
export interface Tensor {
  name: string;
  shape: number[];
  datatype: Datatype;
  values: ArrayLike<unknown>;
}

export type Datatype = keyof typeof widths | 'BYTES';

/** Bytes of one value. */
const widths = {
  BOOL: 1,
  UINT8: 1,
  UINT16: 2,
  UINT32: 4,
  UINT64: 8,
  INT8: 1,
  INT16: 2,
  INT32: 4,
  INT64: 8,
  FP32: 4,
  FP64: 8,
} as const;

const decoder = new TextDecoder('utf-8', { fatal: true });

/**
 * Reads the tensors of a request: from their JSON, or from `bytes`, what follows the JSON.
 * @throws Problem `prediction-input` naming the tensor
 */
export function readTensors(headers: readonly TensorHeader[], bytes: Uint8Array): Tensor[] {
  let offset = 0;
  const tensors = headers.map((header) => {
    const { name, shape, parameters, data } = header;
    const datatype = datatypeOf(header);
    const size = parameters['binary_data_size'];
    const count = shape.reduce((product, length) => product * length, 1);
    if (size === undefined)
      return { name, shape, datatype, values: readJson({ name, datatype }, data, count) };
    if (typeof size !== 'number' || !Number.isInteger(size) || size < 0 || offset + size > bytes.length)
      throw wrong(name, `has ${String(size).slice(0, 20)} bytes of data, more than the body has left`);
    const part = bytes.subarray(offset, offset + size);
    offset += size;
    return { name, shape, datatype, values: readBytes({ name, datatype }, part, count) };
  });
  if (offset < bytes.length)
    throw wrong(
      headers.at(-1)?.name ?? 'inputs',
      `is followed by ${bytes.length - offset} bytes of no tensor`,
    );
  return tensors;
}

/** The values of a tensor as bytes. */
export function writeBytes(datatype: Datatype, values: readonly unknown[]): Uint8Array {
  switch (datatype) {
    case 'BYTES':
      return Buffer.concat(
        values.flatMap((value) => {
          const text = Buffer.from(String(value));
          const length = Buffer.alloc(4);
          length.writeUInt32LE(text.length);
          return [length, text];
        }),
      );
    case 'BOOL':
      return Uint8Array.from(values, (value) => (value === true ? 1 : 0));
    case 'FP64': {
      const bytes = Buffer.alloc(values.length * 8);
      values.forEach((value, index) => bytes.writeDoubleLE(Number(value), index * 8));
      return bytes;
    }
    default:
      throw new TypeError(`answers are never ${datatype}`);
  }
}

/** The problem of one tensor. */
export function wrong(name: string, message: string): Problem {
  return new Problem('prediction-input', `The tensor "${name.slice(0, 100)}" ${message}.`, {
    errors: [{ field: name.slice(0, 100), message }],
  });
}

function datatypeOf({ name, datatype, parameters }: TensorHeader): Datatype {
  if (Object.keys(parameters).some((key) => key.startsWith('shared_memory')))
    throw wrong(name, 'lies in shared memory, which this server does not read: send its data');
  if (datatype === 'BYTES' || Object.hasOwn(widths, datatype)) return datatype as Datatype;
  const known = [...Object.keys(widths), 'BYTES'].join(', ');
  throw wrong(name, `has the datatype ${datatype}; it must be one of ${known}`);
}

/** JSON data: flat, or nested as the shape is. */
function readJson(
  { name, datatype }: Pick<Tensor, 'name' | 'datatype'>,
  data: unknown,
  count: number,
): unknown[] {
  if (!Array.isArray(data)) throw wrong(name, 'has no data');
  const values = data.flat(8) as unknown[];
  if (values.length !== count)
    throw wrong(name, `has ${values.length} values, where its shape takes ${count}`);
  const isRight =
    datatype === 'BYTES'
      ? (value: unknown) => typeof value === 'string'
      : datatype === 'BOOL'
        ? (value: unknown) => typeof value === 'boolean' || value === 0 || value === 1
        : (value: unknown) => typeof value === 'number';
  const index = values.findIndex((value) => value !== null && !isRight(value));
  if (index !== -1) throw wrong(name, `holds a value that is no ${datatype} (value ${index + 1})`);
  return datatype === 'BOOL' ? values.map((value) => (value === null ? null : Boolean(value))) : values;
}

function readBytes(
  { name, datatype }: Pick<Tensor, 'name' | 'datatype'>,
  bytes: Uint8Array,
  count: number,
): ArrayLike<unknown> {
  if (datatype === 'BYTES') return readTexts(name, bytes, count);
  const width = widths[datatype];
  if (bytes.length !== count * width)
    throw wrong(name, `has ${bytes.length} bytes, where its shape and datatype take ${count * width}`);
  if (datatype === 'BOOL') return Array.from(bytes, (value) => value !== 0);
  return numbersOf(datatype, new Uint8Array(bytes));
}

/** Copied, because values may begin anywhere in a body. Every platform that Node runs on is little-endian. */
function numbersOf(
  datatype: Exclude<Datatype, 'BYTES' | 'BOOL'>,
  { buffer }: Uint8Array<ArrayBuffer>,
): ArrayLike<unknown> {
  switch (datatype) {
    case 'UINT8':
      return new Uint8Array(buffer);
    case 'UINT16':
      return new Uint16Array(buffer);
    case 'UINT32':
      return new Uint32Array(buffer);
    case 'UINT64':
      return new BigUint64Array(buffer);
    case 'INT8':
      return new Int8Array(buffer);
    case 'INT16':
      return new Int16Array(buffer);
    case 'INT32':
      return new Int32Array(buffer);
    case 'INT64':
      return new BigInt64Array(buffer);
    case 'FP32':
      return new Float32Array(buffer);
    case 'FP64':
      return new Float64Array(buffer);
    default:
      return datatype satisfies never;
  }
}

function readTexts(name: string, bytes: Uint8Array, count: number): string[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const values: string[] = [];
  let offset = 0;
  while (offset < bytes.length) {
    const end = offset + 4 <= bytes.length ? offset + 4 + view.getUint32(offset, true) : Infinity;
    if (end > bytes.length) throw wrong(name, 'ends in the middle of a text');
    try {
      values.push(decoder.decode(bytes.subarray(offset + 4, end)));
    } catch {
      throw wrong(name, `holds bytes that are not UTF-8 text (value ${values.length + 1})`);
    }
    offset = end;
  }
  if (values.length !== count)
    throw wrong(name, `has ${values.length} values, where its shape takes ${count}`);
  return values;
}
