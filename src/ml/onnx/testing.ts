// Reads ONNX files back, for tests: the parts that export.ts writes, and nothing else.
import assert from 'node:assert/strict';
import { elementTypes } from './graph.ts';

/** The fields of a message by number; a value is a whole number or bytes. */
type Fields = Map<number, (number | Uint8Array)[]>;

export interface ReadNode {
  operator: string;
  domain: string;
  inputs: string[];
  outputs: string[];
  attributes: Map<string, number | number[] | string[]>;
}

export interface ReadPort {
  name: string;
  type: number;
  /** Texts are names of lengths that are not fixed. */
  shape: (number | string)[];
}

export interface ReadModel {
  operatorSets: Map<string, number>;
  properties: Map<string, string>;
  nodes: ReadNode[];
  constants: Map<string, { shape: number[]; values: number[] | string[] }>;
  inputs: ReadPort[];
  outputs: ReadPort[];
}

export function readOnnx(bytes: Uint8Array): ReadModel {
  const model = fieldsOf(bytes);
  const graph = fieldsOf(onlyBytes(model, 7));
  const pairs = messages(model, 14).map((pair) => [text(pair, 1), text(pair, 2)] as const);
  return {
    operatorSets: new Map(messages(model, 8).map((set) => [text(set, 1), integer(set, 2)])),
    properties: new Map(pairs),
    nodes: messages(graph, 1).map(nodeOf),
    constants: new Map(messages(graph, 5).map((tensor) => [text(tensor, 8), tensorOf(tensor)])),
    inputs: messages(graph, 11).map(portOf),
    outputs: messages(graph, 12).map(portOf),
  };
}

/** The only node of an operator. */
export function onlyNode({ nodes }: ReadModel, operator: string): ReadNode {
  const found = nodes.filter((node) => node.operator === operator);
  assert.equal(found.length, 1, `${found.length} nodes ${operator}`);
  return found[0]!;
}

/** An attribute that is a list of numbers. */
export function numbersOf({ attributes }: ReadNode, name: string): number[] {
  const value = attributes.get(name);
  assert.ok(Array.isArray(value), name);
  return value as number[];
}

function nodeOf(node: Fields): ReadNode {
  return {
    operator: text(node, 4),
    domain: node.has(7) ? text(node, 7) : '',
    inputs: texts(node, 1),
    outputs: texts(node, 2),
    attributes: new Map(messages(node, 5).map((attribute) => [text(attribute, 1), attributeOf(attribute)])),
  };
}

function attributeOf(attribute: Fields): number | number[] | string[] {
  switch (integer(attribute, 20)) {
    case 2:
      return integer(attribute, 3);
    case 4:
      return tensorOf(fieldsOf(onlyBytes(attribute, 5))).values;
    case 7:
      return varintsOf(onlyBytes(attribute, 8));
    case 8:
      return texts(attribute, 9);
    default:
      return assert.fail(`an attribute of type ${integer(attribute, 20)}`);
  }
}

function tensorOf(tensor: Fields): { shape: number[]; values: number[] | string[] } {
  const shape = varintsOf(onlyBytes(tensor, 1));
  const type = integer(tensor, 2);
  if (type === elementTypes.string) return { shape, values: texts(tensor, 6) };
  const { buffer } = Uint8Array.from(onlyBytes(tensor, 9));
  if (type === elementTypes.double) return { shape, values: [...new Float64Array(buffer)] };
  if (type === elementTypes.float) return { shape, values: [...new Float32Array(buffer)] };
  if (type === elementTypes.int64) return { shape, values: [...new BigInt64Array(buffer)].map(Number) };
  assert.equal(type, elementTypes.uint8);
  return { shape, values: [...new Uint8Array(buffer)] };
}

function portOf(port: Fields): ReadPort {
  const tensor = fieldsOf(onlyBytes(fieldsOf(onlyBytes(port, 2)), 1));
  const dimensions = messages(fieldsOf(onlyBytes(tensor, 2)), 1);
  const shape = dimensions.map((dimension) =>
    dimension.has(2) ? text(dimension, 2) : integer(dimension, 1),
  );
  return { name: text(port, 1), type: integer(tensor, 1), shape };
}

/** Reads one message whole: a byte that does not fit fails. */
export function fieldsOf(bytes: Uint8Array): Fields {
  const fields: Fields = new Map();
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      assert.ok(at < bytes.length, 'the message is cut short');
      const byte = bytes[at++]!;
      value += (byte % 128) * scale;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const key = varint();
    const values = fields.get(key >> 3) ?? [];
    fields.set(key >> 3, values);
    if ((key & 7) === 0) values.push(varint());
    else {
      assert.equal(key & 7, 2, 'a wire type that is not written');
      const length = varint();
      assert.ok(at + length <= bytes.length, 'the message is cut short');
      values.push(bytes.subarray(at, at + length));
      at += length;
    }
  }
  return fields;
}

/** The numbers of a packed field. */
export function varintsOf(bytes: Uint8Array): number[] {
  const values: number[] = [];
  let [value, scale] = [0, 1];
  for (const byte of bytes) {
    value += (byte % 128) * scale;
    scale *= 128;
    if (byte >= 128) continue;
    values.push(value);
    [value, scale] = [0, 1];
  }
  return values;
}

function allBytes(fields: Fields, field: number): Uint8Array[] {
  return (fields.get(field) ?? []).filter((value) => value instanceof Uint8Array);
}

function onlyBytes(fields: Fields, field: number): Uint8Array {
  const values = allBytes(fields, field);
  assert.equal(values.length, 1, `field ${field} is there ${values.length} times`);
  return values[0]!;
}

function messages(fields: Fields, field: number): Fields[] {
  return allBytes(fields, field).map(fieldsOf);
}

function texts(fields: Fields, field: number): string[] {
  return allBytes(fields, field).map((bytes) => new TextDecoder().decode(bytes));
}

function text(fields: Fields, field: number): string {
  return new TextDecoder().decode(onlyBytes(fields, field));
}

function integer(fields: Fields, field: number): number {
  const value = fields.get(field)?.[0];
  assert.ok(typeof value === 'number', `field ${field} is no whole number`);
  return value;
}
