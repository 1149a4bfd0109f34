// Reading ONNX files of any kind: our own are read whole, and bytes that somebody changed are refused or read, never
// more than that.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import fc from 'fast-check';
import { Problem } from '../../base/problems.ts';
import { problemOf } from '../../base/testing.ts';
import { Graph } from './graph.ts';
import { readOnnx } from './read.ts';
import { fieldsOf, integersOf, WireFault } from './read-wire.ts';
import { draftSignature, type OnnxOptions } from './signature.ts';
import { withoutZipMaps } from './without-zip-maps.ts';
import { bytesField, integerField, integersField, messageOf, textField } from './wire.ts';

const fixtures = new URL('../../../test/foreign-models/', import.meta.url);
const fixture = (name: string): Promise<Uint8Array> => readFile(new URL(`${name}.onnx`, fixtures));

test('whole numbers come back, packed or not, negative ones too', () => {
  const number = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
  fc.assert(
    fc.property(fc.array(number), fc.integer({ min: 1, max: 1000 }), (values, field) => {
      assert.deepEqual(integersOf(fieldsOf(integersField(field, values)), field), values);
      const alone = messageOf(...values.map((value) => integerField(field, value)));
      assert.deepEqual(integersOf(fieldsOf(alone), field), values);
    }),
  );
  const minusTwo = Uint8Array.of(8, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01);
  assert.deepEqual(integersOf(fieldsOf(minusTwo), 1), [-2]);
  assert.throws(() => fieldsOf(minusTwo.subarray(0, 10)), WireFault);
});

test('a graph of ours says its inputs, outputs and sets of operators', () => {
  const graph = new Graph(['age', 'town']);
  graph.output('value', graph.node('Identity', [graph.input('age', 'double', '')]), {
    type: 'double',
    width: 1,
    description: '',
  });
  graph.input('town', 'string', '');
  const bytes = graph.encode({
    producerVersion: '1',
    description: '',
    properties: { 'pilvi.task': 'ranking' },
  });
  const file = readOnnx(bytes);
  assert.deepEqual(file.inputs, [
    { name: 'age', elementType: 11, shape: [null, 1] },
    { name: 'town', elementType: 8, shape: [null, 1] },
  ]);
  assert.equal(file.producer, 'pilvi 1');
  assert.deepEqual(file.operatorSets, [
    { domain: 'ai.onnx', version: 18 },
    { domain: 'ai.onnx.ml', version: 5 },
  ]);
  const { task, inputs } = draftSignature(file, {});
  assert.equal(task, 'ranking');
  assert.deepEqual(
    inputs.map(({ columns }) => columns),
    [[{ name: 'age', kind: 'numeric' }], [{ name: 'town', kind: 'categorical' }]],
  );
});

test('ZipMap nodes are left out, everything else stays as it was', async () => {
  const bytes = await fixture('sklearn-forest');
  const rest = readOnnx(withoutZipMaps(bytes));
  const whole = readOnnx(bytes);
  assert.deepEqual(
    rest.nodes,
    whole.nodes.filter(({ operator }) => operator !== 'ZipMap'),
  );
  assert.equal(rest.nodes.length, whole.nodes.length - 1);
  assert.deepEqual(rest.outputs[0], whole.outputs[0]);
  assert.equal(rest.outputs[1]!.name, 'probabilities');
  const other = await fixture('xgboost-classes');
  assert.deepEqual(Buffer.from(withoutZipMaps(other)), other);
});

test('weights that lie in another file are refused, wherever in the graph', async () => {
  const tensor = messageOf(
    integersField(1, [2]),
    integerField(2, 1),
    textField(8, 'weights'),
    bytesField(13, messageOf(textField(1, 'location'), textField(2, '../../etc/passwd'))),
    integerField(14, 1),
  );
  const attribute = (field: number, value: Uint8Array): Uint8Array =>
    bytesField(
      1,
      messageOf(
        textField(4, 'Constant'),
        bytesField(5, messageOf(textField(1, 'value'), bytesField(field, value))),
      ),
    );
  const graphs = [bytesField(5, tensor), attribute(5, tensor), attribute(6, bytesField(5, tensor))];
  for (const graph of graphs) {
    const fault = await problemOf(() => readOnnx(modelOf(graph)));
    assert.equal(fault.code, 'onnx-unsupported');
    assert.match(fault.message, /another file/);
  }
});

test('graphs nested without end are refused', async () => {
  let graph: Uint8Array = new Uint8Array();
  for (let depth = 0; depth < 40; depth++)
    graph = bytesField(1, messageOf(textField(4, 'If'), bytesField(5, messageOf(bytesField(6, graph)))));
  assert.match((await problemOf(() => readOnnx(modelOf(graph)))).message, /graphs within graphs/);
});

const forms: [string, number, (number | null)[] | undefined, OnnxOptions, RegExp][] = [
  ['a picture', 1, [null, 3, 32, 32], {}, /form \[rows, 3, 32, 32\]; taken are tables/],
  ['one row without rows', 1, [4], {}, /form \[4\]/],
  ['halves', 10, [null, 4], {}, /tensor of float16/],
  ['complex numbers', 14, [null, 4], {}, /tensor of type 14/],
  ['no number of columns', 1, [null, null], {}, /how many columns/],
  ['no shape at all', 1, undefined, {}, /how many columns/],
  ['a name that is empty', 1, [null, 2], { columns: ['a', ''] }, /a name is empty/],
  ['too many columns', 1, [null, 30_000], {}, /30000 columns; at most 20000/],
];
for (const [what, type, shape, options, words] of forms) {
  test(`inputs that are not taken: ${what}`, async () => {
    const graph = messageOf(
      bytesField(11, portOf('x', type, shape)),
      bytesField(12, portOf('y', 1, [null, 1])),
    );
    const fault = await problemOf(() => draftSignature(readOnnx(modelOf(graph)), options));
    assert.match(fault.message, words);
  });
}

test('columns can be named where the file does not say how many there are', () => {
  const graph = messageOf(
    bytesField(11, portOf('x', 1, [null, null])),
    bytesField(11, portOf('n', 7, [null, 1])),
    bytesField(12, portOf('y', 1, [null, 1])),
  );
  const { inputs } = draftSignature(readOnnx(modelOf(graph)), { columns: ['a', 'b', 'c'] });
  assert.deepEqual(
    inputs.map(({ name, columns }) => [name, columns.map((column) => column.name)]),
    [
      ['x', ['a', 'b']],
      ['n', ['c']],
    ],
  );
});

const outputs: [string, [string, number, (number | null)[] | undefined][], OnnxOptions, RegExp][] = [
  [
    'two of numbers',
    [
      ['a', 1, [null, 1]],
      ['b', 1, [null, 1]],
    ],
    {},
    /"a", "b"\), and it is not clear which/,
  ],
  ['three dimensions', [['a', 1, [null, 2, 2]]], {}, /has 3 dimensions/],
  ['none that fits', [['a', 9, [null, 1]]], {}, /not clear which/],
  ['a width that nobody knows', [['a', 1, [null, null]]], {}, /name the task/],
  ['many numbers as one', [['a', 1, [null, 3]]], { task: 'regression' }, /has 3 numbers for each row/],
];
for (const [what, ports, options, words] of outputs) {
  test(`outputs that are not taken: ${what}`, async () => {
    const graph = messageOf(
      bytesField(11, portOf('x', 1, [null, 2])),
      ...ports.map(([name, type, shape]) => bytesField(12, portOf(name, type, shape))),
    );
    const fault = await problemOf(() => draftSignature(readOnnx(modelOf(graph)), options));
    assert.match(fault.message, words);
  });
}

test('changed bytes are refused or read, and never anything else', async () => {
  const files = await Promise.all(['sklearn-pipeline', 'lightgbm-classes', 'network-yes-or-no'].map(fixture));
  const change = fc.record({ at: fc.nat(), to: fc.nat(255) });
  fc.assert(
    fc.property(
      fc.constantFrom(...files),
      fc.array(change, { minLength: 1, maxLength: 8 }),
      fc.nat(),
      (file, changes, cut) => {
        const bytes = Uint8Array.from(file);
        for (const { at, to } of changes) bytes[at % bytes.length] = to;
        const part = cut % 4 === 0 ? bytes.subarray(0, cut % bytes.length) : bytes;
        try {
          draftSignature(readOnnx(part), {});
          withoutZipMaps(part);
        } catch (error) {
          assert.ok(error instanceof Problem, String(error));
          assert.ok(['onnx-invalid', 'onnx-unsupported', 'invalid-request'].includes(error.code));
        }
      },
    ),
    { numRuns: 5000, seed: 1 },
  );
});

/** A model around the fields of a graph. */
function modelOf(graph: Uint8Array): Uint8Array {
  return messageOf(integerField(1, 8), bytesField(7, graph), bytesField(8, integerField(2, 17)));
}

function portOf(name: string, type: number, shape: (number | null)[] | undefined): Uint8Array {
  const dimensions = shape?.map((length) =>
    bytesField(1, length === null ? textField(2, 'n') : integerField(1, length)),
  );
  const tensor = messageOf(
    integerField(1, type),
    ...(dimensions ? [bytesField(2, messageOf(...dimensions))] : []),
  );
  return messageOf(textField(1, name), bytesField(2, bytesField(1, tensor)));
}
