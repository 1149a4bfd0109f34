// The real runtime with graphs that are put together here: what it refuses is told in its words, without its paths, and
// our own exports answer as our predictor does.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { problemOf } from '../../base/testing.ts';
import { Graph } from '../../ml/onnx/graph.ts';
import { bytesField, integerField, messageOf, textField } from '../../ml/onnx/wire.ts';
import { openOnnxSession } from './onnx-runtime.ts';

const run = (values: (number | null)[], batchRowCount: number | null = null) => ({
  feeds: [{ name: 'a', type: 'double' as const, dimensionCount: 2 as const, columnCount: 1, values }],
  rowCount: values.length,
  batchRowCount,
  outputs: ['value'],
});

test('doubles go through with all their bits, and what is not finite is null', async () => {
  const session = await openOnnxSession(graphOf((graph, a) => graph.node('Div', [graph.scalar(1), a])));
  const [answer] = await session.run(run([3, 0.1, 0, null]));
  assert.deepEqual(answer, { name: 'value', shape: [4, 1], values: [1 / 3, 1 / 0.1, null, null] });
});

test('a graph that does not answer row by row is refused', async () => {
  const session = await openOnnxSession(
    graphOf((graph, a) => graph.node('ReduceSum', [a, graph.integers([0])], { keepdims: 1 })),
  );
  const fault = await problemOf(() => session.run(run([1, 2, 3])));
  assert.equal(fault.code, 'onnx-unsupported');
  assert.match(fault.message, /one answer for each row/);
});

const refused: [string, Uint8Array, RegExp][] = [
  ['bytes that are no model', Uint8Array.of(1, 2, 3), /protobuf parsing failed/],
  [
    'an operator that nobody knows',
    graphOf((graph, a) => graph.node('NoSuchOperator', [a])),
    /NoSuchOperator/,
  ],
  ['a set of operators of the future', withOperatorSet('', 999), /opset|version/i],
  [
    'operators of a domain that nobody knows',
    withOperatorSet('acme.secret', 1, 'acme.secret'),
    /acme\.secret/,
  ],
];
for (const [what, bytes, words] of refused) {
  test(`refused: ${what}`, async () => {
    const fault = await problemOf(() => openOnnxSession(bytes));
    assert.equal(fault.code, 'onnx-unsupported');
    assert.match(fault.message, words);
    assert.doesNotMatch(fault.message, /\/\w+\/\w+|\n/);
  });
}

test('files of the runtime are found where it is installed', async () => {
  const path = new URL(import.meta.resolve('onnxruntime-web/ort-wasm-simd-threaded.wasm'));
  assert.equal((await readFile(path)).subarray(0, 4).toString('latin1'), '\0asm');
});

function graphOf(make: (graph: Graph, input: string) => string): Uint8Array {
  const graph = new Graph(['a']);
  const value = make(graph, graph.input('a', 'double', ''));
  graph.output('value', value, { type: 'double', width: 1, description: '' });
  return graph.encode({ producerVersion: '', description: '', properties: {} });
}

/** A graph of one node of a domain. */
function withOperatorSet(domain: string, version: number, nodeDomain = ''): Uint8Array {
  const port = (name: string): Uint8Array => {
    const dimension = (field: Uint8Array): Uint8Array => bytesField(1, field);
    const shape = messageOf(dimension(textField(2, 'n')), dimension(integerField(1, 1)));
    const tensor = messageOf(integerField(1, 11), bytesField(2, shape));
    return messageOf(textField(1, name), bytesField(2, bytesField(1, tensor)));
  };
  const node = messageOf(
    textField(1, 'a'),
    textField(2, 'value'),
    textField(4, 'Neg'),
    textField(7, nodeDomain),
  );
  const graph = messageOf(
    bytesField(1, node),
    textField(2, 'g'),
    bytesField(11, port('a')),
    bytesField(12, port('value')),
  );
  const sets = [messageOf(textField(1, domain), integerField(2, version))];
  if (domain !== '') sets.push(integerField(2, 17));
  return messageOf(integerField(1, 8), bytesField(7, graph), ...sets.map((set) => bytesField(8, set)));
}
