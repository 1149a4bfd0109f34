// An ONNX graph being put together, and its bytes. Field numbers and types are those of onnx.proto (ONNX 1.17). Every
// value is a double, a 64-bit integer or a text: models think in float64, and thresholds must be compared as they were.
import { assert } from '../../base/assert.ts';
import { bytesField, integerField, integersField, messageOf, textField, type Message } from './wire.ts';

export const elementTypes = { float: 1, uint8: 2, int64: 7, string: 8, boolean: 9, double: 11 } as const;
export type ElementType = 'int64' | 'string' | 'double';

/** What a node is told beside its inputs: a whole number from 0, several, texts, or a tensor. */
export type Attribute = number | Int32Array | readonly string[] | Tensor;

/** Numbers or texts, row-major. */
export interface Tensor {
  values: Float64Array | Float32Array | BigInt64Array | Uint8Array | readonly string[];
  shape: readonly number[];
}

/** A column of the input or an output: rows, then `width` values each; without a width, a list of rows. */
interface Port {
  name: string;
  type: ElementType;
  width: number | undefined;
  description: string;
}

/** Sets of operators: ONNX's own, and those of classical machine learning (TreeEnsemble came with 5). */
const standardOperators = { domain: '', version: 18 };
const learningOperators = { domain: 'ai.onnx.ml', version: 5 };
const irVersion = 10;
const learningNames: ReadonlySet<string> = new Set(['LabelEncoder', 'TreeEnsemble']);

const attributeTypes = { integer: 2, tensor: 4, integers: 7, strings: 8 } as const;

export class Graph {
  readonly #nodes: Message[] = [];
  readonly #constants: Message[] = [];
  readonly #scalars = new Map<number, string>();
  readonly #inputs = new Map<string, Port>();
  readonly #outputs: Port[] = [];
  readonly #columns: readonly string[];
  readonly #taken: Set<string>;

  /** `columns`: what inputs may be called, in their order; no other value gets such a name. */
  constructor(columns: readonly string[]) {
    this.#columns = columns;
    this.#taken = new Set(columns);
  }

  get inputCount(): number {
    return this.#inputs.size;
  }

  /** The input of a column, one value a row; asked for again, the same one. Returns its name. */
  input(name: string, type: ElementType, description: string): string {
    assert(this.#columns.includes(name), `no column is called "${name}"`);
    if (!this.#inputs.has(name)) this.#inputs.set(name, { name, type, width: 1, description });
    return name;
  }

  /** Makes `value` an output called `name`, or nearly so where a column has that name. */
  output(name: string, value: string, port: Omit<Port, 'name'>): void {
    const unique = this.#nameFor(name);
    this.#add('Identity', [value], {}, [unique]);
    this.#outputs.push({ name: unique, ...port });
  }

  /** Adds a node; returns the name of its output. */
  node(
    operator: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, Attribute>> = {},
  ): string {
    const output = this.#nameFor(`${operator.toLowerCase()}_${this.#nodes.length + 1}`);
    this.#add(operator, inputs, attributes, [output]);
    return output;
  }

  /** Adds a node that has two outputs; returns their names. */
  pair(
    operator: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, Attribute>>,
  ): [string, string] {
    const name = `${operator.toLowerCase()}_${this.#nodes.length + 1}`;
    const outputs: [string, string] = [this.#nameFor(`${name}a`), this.#nameFor(`${name}b`)];
    this.#add(operator, inputs, attributes, outputs);
    return outputs;
  }

  /** A double that fits every shape. */
  scalar(value: number): string {
    const known = this.#scalars.get(value);
    if (known !== undefined) return known;
    const name = this.constant({ values: Float64Array.of(value), shape: [] });
    this.#scalars.set(value, name);
    return name;
  }

  /** Doubles: one row, unless a shape is given. */
  doubles(values: ArrayLike<number>, shape: readonly number[] = [1, values.length]): string {
    return this.constant({ values: Float64Array.from(values), shape });
  }

  /** A list of whole numbers, such as places or the lengths of a shape. */
  integers(values: readonly number[]): string {
    return this.constant({ values: BigInt64Array.from(values, BigInt), shape: [values.length] });
  }

  constant(tensor: Tensor): string {
    const name = this.#nameFor(`constant_${this.#constants.length + 1}`);
    this.#constants.push(tensorOf(tensor, name));
    return name;
  }

  /** The bytes of the file. `properties` are for people and programs that look at it, not for the runtime. */
  encode(about: {
    producerVersion: string;
    description: string;
    properties: Readonly<Record<string, string>>;
  }): Uint8Array {
    const inputs = this.#columns.flatMap((name) => this.#inputs.get(name) ?? []);
    const graph = messageOf(
      ...this.#nodes.map((node) => bytesField(1, node)),
      textField(2, 'pilvi'),
      ...this.#constants.map((constant) => bytesField(5, constant)),
      ...inputs.map((port) => bytesField(11, portOf(port))),
      ...this.#outputs.map((port) => bytesField(12, portOf(port))),
    );
    return messageOf(
      integerField(1, irVersion),
      textField(2, 'pilvi'),
      textField(3, about.producerVersion),
      textField(6, about.description),
      bytesField(7, graph),
      ...[standardOperators, learningOperators].map(({ domain, version }) =>
        bytesField(8, messageOf(textField(1, domain), integerField(2, version))),
      ),
      ...Object.entries(about.properties).map(([key, value]) =>
        bytesField(14, messageOf(textField(1, key), textField(2, value))),
      ),
    );
  }

  #add(
    operator: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, Attribute>>,
    outputs: readonly string[],
  ): void {
    this.#nodes.push(
      messageOf(
        ...inputs.map((input) => textField(1, input)),
        ...outputs.map((output) => textField(2, output)),
        textField(3, outputs[0]!),
        textField(4, operator),
        ...Object.entries(attributes).map(([name, value]) => bytesField(5, attributeOf(name, value))),
        ...(learningNames.has(operator) ? [textField(7, learningOperators.domain)] : []),
      ),
    );
  }

  #nameFor(wanted: string): string {
    let name = wanted;
    for (let count = 2; this.#taken.has(name); count++) name = `${wanted}_${count}`;
    this.#taken.add(name);
    return name;
  }
}

function attributeOf(name: string, value: Attribute): Message {
  const typed = (type: keyof typeof attributeTypes, ...fields: Message[]): Message =>
    messageOf(textField(1, name), ...fields, integerField(20, attributeTypes[type]));
  if (typeof value === 'number') return typed('integer', integerField(3, value));
  if (value instanceof Int32Array) return typed('integers', integersField(8, value));
  if ('shape' in value) return typed('tensor', bytesField(5, tensorOf(value, name)));
  return typed('strings', ...value.map((text) => textField(9, text)));
}

/** Numbers as they lie in memory, which is how ONNX wants them: the lowest byte first, as all processors we run on. */
function tensorOf({ values, shape }: Tensor, name: string): Message {
  const isText = !ArrayBuffer.isView(values);
  return messageOf(
    integersField(1, shape),
    integerField(2, elementTypeOf(values)),
    ...(isText ? values.map((text) => textField(6, text)) : []),
    textField(8, name),
    ...(isText ? [] : [bytesField(9, new Uint8Array(values.buffer, values.byteOffset, values.byteLength))]),
  );
}

function elementTypeOf(values: Tensor['values']): number {
  if (values instanceof Float64Array) return elementTypes.double;
  if (values instanceof Float32Array) return elementTypes.float;
  if (values instanceof BigInt64Array) return elementTypes.int64;
  return values instanceof Uint8Array ? elementTypes.uint8 : elementTypes.string;
}

function portOf({ name, type, width, description }: Port): Message {
  const dimensions = [
    bytesField(1, textField(2, 'rows')),
    ...(width === undefined ? [] : [bytesField(1, integerField(1, width))]),
  ];
  const tensor = messageOf(integerField(1, elementTypes[type]), bytesField(2, messageOf(...dimensions)));
  return messageOf(textField(1, name), bytesField(2, bytesField(1, tensor)), textField(3, description));
}
