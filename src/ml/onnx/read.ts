// What an ONNX file says of itself: its inputs, outputs and operators. The weights stay where they are; running a graph is
// the work of a runtime. Files come from anywhere: what is no ONNX is refused, and so is data that lies outside of the
// file, because a name of a file is not something to follow. Field numbers: onnx.proto of ONNX 1.17.
import { Problem } from '../../base/problems.ts';
import {
  bytesOf,
  fieldsOf,
  integerOf,
  integersOf,
  lastTextOf,
  messagesOf,
  textsOf,
  WireFault,
  type Fields,
} from './read-wire.ts';

/** A value that goes in or comes out. */
export interface OnnxPort {
  name: string;
  /** Number of the element's type, see {@link elementTypeNames}; undefined where the value is no tensor. */
  elementType: number | undefined;
  /** Lengths, null where a length is not fixed; undefined where nothing is said of the shape. */
  shape: (number | null)[] | undefined;
}

export interface OnnxNode {
  operator: string;
  domain: string;
  inputs: string[];
  outputs: string[];
  /** Of classifiers: the classes, in the order of their scores. */
  classes: string[] | undefined;
}

export interface OnnxFile {
  irVersion: number;
  /** The program that wrote it, with its version; empty where it does not say. */
  producer: string;
  operatorSets: { domain: string; version: number }[];
  /** What the writer noted for other programs. */
  properties: ReadonlyMap<string, string>;
  /** Without those that the file itself holds values for. */
  inputs: OnnxPort[];
  outputs: OnnxPort[];
  nodes: OnnxNode[];
  /** A stored list of whole numbers or texts, as texts; undefined where it is something else. */
  listOf: (name: string) => string[] | undefined;
}

/** Numbers of types in onnx.proto. */
export const elementTypeNames: ReadonlyMap<number, string> = new Map(
  [
    'float32',
    'uint8',
    'int8',
    'uint16',
    'int16',
    'int32',
    'int64',
    'string',
    'bool',
    'float16',
    'double',
  ].map((name, index) => [index + 1, name]),
);

const deepestGraph = 16;
const externalLocation = 1;
const longestList = 10_000;
const listTypes = { int32: 6, int64: 7, string: 8 } as const;

/**
 * Reads the description of a graph.
 * @throws Problem `onnx-invalid` for what is no ONNX file, `onnx-unsupported` for data outside of it
 */
export function readOnnx(bytes: Uint8Array): OnnxFile {
  try {
    return readModel(bytes);
  } catch (error) {
    if (!(error instanceof WireFault)) throw error;
    throw new Problem('onnx-invalid', 'The file is not an ONNX model, or it was cut short.', {
      cause: error,
    });
  }
}

function readModel(bytes: Uint8Array): OnnxFile {
  const model = fieldsOf(bytes);
  const irVersion = integerOf(model, 1);
  const graphBytes = bytesOf(model, 7).at(-1);
  const versions = messagesOf(model, 8).map(
    (set) => [lastTextOf(set, 1) || 'ai.onnx', integerOf(set, 2) ?? 0] as const,
  );
  const operatorSets = [...new Map(versions)].map(([domain, version]) => ({ domain, version }));
  if (irVersion === undefined || !graphBytes || operatorSets.length === 0)
    throw new Problem('onnx-invalid', 'The file is not an ONNX model: it holds no graph.');
  refuseExternalData(graphBytes, 0);
  for (const body of messagesOf(model, 25)) for (const node of bytesOf(body, 7)) refuseInNode(node, 0);
  const graph = fieldsOf(graphBytes);
  const stored = new Map(
    bytesOf(graph, 5).map((tensor) => [lastTextOf(fieldsOf(tensor, new Set([8])), 8), tensor] as const),
  );
  return {
    irVersion,
    producer: [lastTextOf(model, 2), lastTextOf(model, 3)].filter(Boolean).join(' ').slice(0, 200),
    operatorSets,
    properties: new Map(messagesOf(model, 14).map((pair) => [lastTextOf(pair, 1), lastTextOf(pair, 2)])),
    inputs: messagesOf(graph, 11)
      .map(portOf)
      .filter(({ name }) => !stored.has(name)),
    outputs: messagesOf(graph, 12).map(portOf),
    nodes: bytesOf(graph, 1).map(nodeOf),
    listOf: (name) => listOf(stored.get(name)),
  };
}

function portOf(port: Fields): OnnxPort {
  const type = messagesOf(port, 2).at(-1);
  const tensor = type && messagesOf(type, 1).at(-1);
  const shape = tensor && messagesOf(tensor, 2).at(-1);
  return {
    name: lastTextOf(port, 1),
    elementType: tensor && integerOf(tensor, 1),
    shape: shape && messagesOf(shape, 1).map(lengthOf),
  };
}

/** Writers use a name, nothing at all, 0 or -1 for a length that is not fixed. */
function lengthOf(dimension: Fields): number | null {
  const length = integerOf(dimension, 1);
  return length === undefined || length < 1 ? null : length;
}

function nodeOf(bytes: Uint8Array): OnnxNode {
  const node = fieldsOf(bytes);
  return {
    operator: lastTextOf(node, 4),
    domain: lastTextOf(node, 7),
    inputs: textsOf(node, 1),
    outputs: textsOf(node, 2),
    classes: bytesOf(node, 5)
      .map(classesOf)
      .find((classes) => classes !== undefined),
  };
}

const attributeName = new Set([1]);
const attributeLists = new Set([8, 9]);

function classesOf(attribute: Uint8Array): string[] | undefined {
  const name = lastTextOf(fieldsOf(attribute, attributeName), 1);
  if (!/^classlabels_(ints|int64s|strings)$/.test(name)) return undefined;
  const lists = fieldsOf(attribute, attributeLists);
  const classes = name.endsWith('strings') ? textsOf(lists, 9) : integersOf(lists, 8).map(String);
  return classes.length > 0 ? classes : undefined;
}

function listOf(bytes: Uint8Array | undefined): string[] | undefined {
  if (!bytes) return undefined;
  const tensor = fieldsOf(bytes);
  const type = integerOf(tensor, 2);
  const length = integersOf(tensor, 1).reduce((product, one) => product * one, 1);
  if (length > longestList) return undefined;
  if (type === listTypes.string) return textsOf(tensor, 6);
  if (type !== listTypes.int32 && type !== listTypes.int64) return undefined;
  const raw = bytesOf(tensor, 9).at(-1);
  if (!raw) return integersOf(tensor, type === listTypes.int32 ? 5 : 7).map(String);
  const { buffer, byteLength } = raw.slice();
  if (byteLength % (type === listTypes.int32 ? 4 : 8) !== 0) return undefined;
  return Array.from<number | bigint>(
    type === listTypes.int32 ? new Int32Array(buffer) : new BigInt64Array(buffer),
  ).map(String);
}

/** Of tensors: a list of names and offsets of files, and the mark that the values are there. */
const tensorPlace = new Set([13, 14]);
const graphParts = new Set([1, 5, 15]);
const sparseParts = new Set([1, 2]);
const nodeAttributes = new Set([5]);
const attributeParts = new Set([5, 6, 10, 11, 22, 23]);

function refuseExternalData(graphBytes: Uint8Array, depth: number): void {
  if (depth > deepestGraph)
    throw new Problem(
      'onnx-unsupported',
      `The model has graphs within graphs, more than ${deepestGraph} deep.`,
    );
  const graph = fieldsOf(graphBytes, graphParts);
  for (const tensor of bytesOf(graph, 5)) refuseInTensor(tensor);
  for (const sparse of bytesOf(graph, 15)) refuseInSparse(sparse);
  for (const node of bytesOf(graph, 1)) refuseInNode(node, depth);
}

function refuseInNode(node: Uint8Array, depth: number): void {
  for (const attribute of bytesOf(fieldsOf(node, nodeAttributes), 5)) {
    const parts = fieldsOf(attribute, attributeParts);
    for (const tensor of [...bytesOf(parts, 5), ...bytesOf(parts, 10)]) refuseInTensor(tensor);
    for (const sparse of [...bytesOf(parts, 22), ...bytesOf(parts, 23)]) refuseInSparse(sparse);
    for (const graph of [...bytesOf(parts, 6), ...bytesOf(parts, 11)]) refuseExternalData(graph, depth + 1);
  }
}

function refuseInSparse(bytes: Uint8Array): void {
  const sparse = fieldsOf(bytes, sparseParts);
  for (const tensor of [...bytesOf(sparse, 1), ...bytesOf(sparse, 2)]) refuseInTensor(tensor);
}

function refuseInTensor(bytes: Uint8Array): void {
  const tensor = fieldsOf(bytes, tensorPlace);
  if (integerOf(tensor, 14) !== externalLocation && !tensor.has(13)) return;
  throw new Problem(
    'onnx-unsupported',
    'The weights of the model lie in another file. Save it as one file: onnx.save_model(model, path, save_as_external_data=False).',
  );
}
