// ONNX files are read back and looked at: names, types, operators and attributes, and that trees decide as ours do.
// Whether a real runtime gives our answers is checked by bench/onnx.ts, on every public table.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Problem } from '../../base/problems.ts';
import { systemClock } from '../../base/time.ts';
import { featuresOf } from '../frame/encoding.ts';
import { frameFromRows } from '../frame/frame.ts';
import { boostedTrees } from '../learners/boosted-trees.ts';
import type { Learner } from '../learners/learner.ts';
import { linear } from '../learners/linear.ts';
import { naiveBayes } from '../learners/naive-bayes.ts';
import { neighbours } from '../learners/neighbours.ts';
import { network } from '../learners/network.ts';
import type { ModelContent } from '../model/manifest.ts';
import { rowEncoder } from '../model/predictor.ts';
import { applyTrees, type TreesModel } from '../model/trees.ts';
import type { Recipe } from '../search/recipe.ts';
import { search } from '../search/search.ts';
import { withMembers } from '../search/testing.ts';
import { exportOnnx } from './export.ts';
import { elementTypes } from './graph.ts';
import {
  fieldsOf,
  numbersOf,
  onlyNode,
  readOnnx,
  varintsOf,
  type ReadModel,
  type ReadNode,
} from './testing.ts';
import { integerField, integersField, messageOf, textField } from './wire.ts';

const rows = Array.from({ length: 160 }, (_, index) => ({
  label: index % 11 === 0 ? null : (index * 37) % 50,
  group: index % 13 === 0 ? null : 'abcdefg'[index % 7],
  day: new Date(Date.UTC(2024, 0, 1 + index * 5)).toISOString(),
  isNew: index % 3 === 0,
  note: `${['some', 'other', 'more'][index % 3]} words ${'abcdefghij'[index % 10]}`,
  kind: (index * 37) % 50 > 18 + (index % 7) * 3 ? 'ja' : 'nein',
  size: ((index * 37) % 50) * 2 + (index % 7) + (index % 3 === 0 ? 10 : 0),
}));

/** A short search for `target`, with a member of each of `learners` more. */
async function modelOf(
  target: 'kind' | 'size',
  { columns, learners = [] }: { columns: readonly string[]; learners?: readonly Learner[] },
): Promise<ModelContent> {
  const schema = [
    { name: 'label', kind: 'numeric' },
    { name: 'group', kind: 'categorical' },
    { name: 'day', kind: 'date' },
    { name: 'isNew', kind: 'boolean' },
    { name: 'note', kind: 'text' },
    { name: 'kind', kind: 'categorical' },
    { name: 'size', kind: 'numeric' },
  ] as const;
  const frame = frameFromRows(
    rows,
    schema.filter(({ name }) => name === target || columns.includes(name)),
  );
  const recipe: Recipe = { target, task: 'auto', metric: 'auto', budget: { trials: 1 }, seed: 1, folds: 2 };
  const { model } = await search({ frame, recipe, clock: systemClock });
  return await withMembers(model, learners, { frame, recipe });
}

/** Every value is made before it is used, and only once. */
function checkOrder(model: ReadModel): void {
  const known = new Set([...model.inputs.map(({ name }) => name), ...model.constants.keys()]);
  for (const { operator, inputs, outputs } of model.nodes) {
    for (const input of inputs) assert.ok(known.has(input), `${operator} reads ${input} too early`);
    for (const output of outputs) {
      assert.ok(!known.has(output), `${output} is made twice`);
      known.add(output);
    }
  }
  for (const { name } of model.outputs) assert.ok(known.has(name), name);
}

const everyColumn = ['label', 'group', 'day', 'isNew'];
const classes = await modelOf('kind', {
  columns: everyColumn,
  learners: [boostedTrees, linear, naiveBayes, network],
});

test('a classifier: columns in, label and probabilities out', () => {
  const bytes = exportOnnx(classes);
  assert.deepEqual(exportOnnx(classes), bytes);
  const model = readOnnx(bytes);
  checkOrder(model);
  assert.deepEqual(
    model.inputs,
    everyColumn.map((name) => ({
      name,
      type: name === 'group' ? elementTypes.string : elementTypes.double,
      shape: ['rows', 1],
    })),
  );
  // A column is called "label" already.
  assert.deepEqual(model.outputs, [
    { name: 'label_2', type: elementTypes.string, shape: ['rows'] },
    { name: 'probabilities', type: elementTypes.double, shape: ['rows', 2] },
  ]);
  assert.deepEqual(
    model.operatorSets,
    new Map([
      ['', 18],
      ['ai.onnx.ml', 5],
    ]),
  );
  assert.equal(model.properties.get('pilvi.classes'), '["ja","nein"]');
  for (const { operator, domain } of model.nodes)
    assert.equal(
      domain === 'ai.onnx.ml',
      operator === 'LabelEncoder' || operator === 'TreeEnsemble',
      operator,
    );
});

test('categories become codes: unknown ones and missing ones too', () => {
  const encoder = onlyNode(readOnnx(exportOnnx(classes)), 'LabelEncoder');
  assert.deepEqual(encoder.inputs, ['group']);
  assert.deepEqual(encoder.attributes.get('keys_strings'), ['a', 'b', 'c', 'd', 'e', 'f', 'g', '']);
  assert.deepEqual(encoder.attributes.get('values_int64s'), [0, 1, 2, 3, 4, 5, 6, 8]);
  assert.equal(encoder.attributes.get('default_int64'), 7);
});

test('a regression has a value between its bounds', async () => {
  const content = await modelOf('size', { columns: everyColumn, learners: [boostedTrees, linear, network] });
  const model = readOnnx(exportOnnx(content));
  checkOrder(model);
  assert.deepEqual(
    model.outputs.map(({ name, shape }) => [name, shape]),
    ['value', 'lower', 'upper'].map((name) => [name, ['rows', 1]]),
  );
  const ranking = readOnnx(exportOnnx({ ...content, manifest: { ...content.manifest, task: 'ranking' } }));
  assert.deepEqual(
    ranking.outputs.map(({ name }) => name),
    ['score'],
  );
});

test('costs decide by the least expected cost', () => {
  const costs = {
    matrix: [
      [0, 1],
      [5, 0],
    ],
    currency: '',
    decisionCount: 1,
  };
  const model = readOnnx(exportOnnx({ ...classes, manifest: { ...classes.manifest, costs } }));
  const least = onlyNode(model, 'ArgMin');
  const expected = model.nodes.find(({ outputs }) => outputs[0] === least.inputs[0])!;
  assert.equal(expected.operator, 'MatMul');
  assert.deepEqual(model.constants.get(expected.inputs[1]!), { shape: [2, 2], values: [0, 1, 5, 0] });
});

test('only columns that the model looks at are asked for, and one where it looks at none', () => {
  const constant: ModelContent = {
    ...classes,
    members: [
      {
        learner: 'baseline',
        label: 'Baseline',
        hyperparameters: {},
        weight: 1,
        models: [{ kind: 'constant', values: Float64Array.of(0.25, 0.75) }],
      },
    ],
  };
  const model = readOnnx(exportOnnx(constant));
  checkOrder(model);
  assert.deepEqual(
    model.inputs.map(({ name }) => name),
    ['label'],
  );
  onlyNode(model, 'Expand');
  const nameless = { ...classes.manifest, schema: [{ name: '', kind: 'numeric' as const }], encoding: [] };
  assert.throws(() => exportOnnx({ ...constant, manifest: nameless }), /name is empty/);
});

test('a text that the model reads is refused by name', async () => {
  const withTexts = await modelOf('kind', { columns: ['label', 'note'], learners: [naiveBayes] });
  assert.throws(
    () => exportOnnx(withTexts),
    (error) =>
      error instanceof Problem &&
      error.code === 'export-unsupported' &&
      error.message.includes('text column "note"'),
  );
  // Columns that no part of the model looks at do not matter.
  const [withoutTexts] = withTexts.members.filter(({ learner }) => learner === 'baseline');
  exportOnnx({ ...withTexts, members: [{ ...withoutTexts!, weight: 1 }] });
});

test('neighbours are the nearest rows of those that the model holds', async () => {
  const content = await modelOf('size', { columns: everyColumn, learners: [neighbours] });
  const model = readOnnx(exportOnnx(content));
  checkOrder(model);
  const nearest = onlyNode(model, 'TopK');
  assert.deepEqual(
    [nearest.attributes.get('largest'), nearest.attributes.get('sorted'), nearest.outputs.length],
    [0, 1, 2],
  );
  const held = content.members.at(-1)!.models[0]!;
  assert.ok(held.kind === 'neighbours');
  assert.deepEqual(model.constants.get(nearest.inputs[1]!)!.values, [held.neighbourCount]);
});

test('answers that are logarithms are raised', async () => {
  const content = await modelOf('size', { columns: ['label'], learners: [linear] });
  const [model] = content.members.at(-1)!.models;
  assert.ok(model?.kind === 'linear');
  const member = {
    ...content.members.at(-1)!,
    weight: 1,
    models: [{ ...model, link: 'exponential' as const }],
  };
  const read = readOnnx(exportOnnx({ ...content, members: [member] }));
  const bound = read.nodes.find(({ outputs }) => outputs[0] === onlyNode(read, 'Exp').inputs[0])!;
  assert.equal(bound.operator, 'Min');
  assert.deepEqual(read.constants.get(bound.inputs[1]!)!.values, [700]);
});

test('trees decide as ours do', async () => {
  const content = await modelOf('kind', { columns: everyColumn, learners: [boostedTrees] });
  const { learner, models } = content.members.at(-1)!;
  assert.equal(learner, 'boosted-trees');
  const trees = models[0]! as TreesModel;
  assert.equal(trees.kind, 'trees');
  const alone = { ...content, members: [content.members.at(-1)!] };
  const model = readOnnx(exportOnnx(alone));
  const node = onlyNode(model, 'TreeEnsemble');
  assert.ok(numbersOf(node, 'nodes_modes').includes(6), 'no tree asks about categories');
  const concat = model.nodes.find(({ outputs }) => outputs[0] === node.inputs[0])!;
  assert.equal(concat.operator, 'Concat');

  const asked = [...new Set(trees.feature)].toSorted((one, other) => one - other);
  const features = featuresOf(content.manifest.encoding);
  const questions = [
    ...rows.map(({ kind: _k, size: _s, note: _n, ...row }) => row),
    { group: 'unheard of' },
    {},
  ];
  const encoded = rowEncoder(content.manifest)(questions);
  const raw = new Float64Array(questions.length);
  applyTrees(trees, { rows: encoded, rowCount: questions.length, featureCount: features.length }, raw);
  questions.forEach((_, row) => {
    const values = asked.map((feature) => {
      const value = encoded[row * features.length + feature]!;
      // A missing category has a code of its own.
      return value !== value && features[feature]!.kind === 'category'
        ? features[feature]!.levelCount
        : value;
    });
    assert.ok(Math.abs(walk(node, values) - raw[row]!) < 1e-12, `row ${row}`);
  });
});

/** The sum of the leaves that a row reaches, by the words of the ONNX specification. */
function walk(node: ReadNode, values: readonly number[]): number {
  const list = (name: string): number[] => numbersOf(node, name);
  const sets: number[][] = [[]];
  for (const member of node.attributes.has('membership_values') ? list('membership_values') : [])
    if (member === member) sets.at(-1)!.push(member);
    else sets.push([]);
  const setOf = new Map<number, number[]>();
  list('nodes_modes').forEach((mode, at) => {
    if (mode === 6) setOf.set(at, sets.shift()!);
  });
  assert.deepEqual(sets, [[]], 'as many sets as questions about them');
  let sum = 0;
  for (const root of list('tree_roots')) {
    let [id, isLeaf] = [root, false];
    while (!isLeaf) {
      const value = values[list('nodes_featureids')[id]!]!;
      const isTrue =
        setOf.get(id)?.includes(value) ??
        (value <= list('nodes_splits')[id]! ||
          (Number.isNaN(value) && list('nodes_missing_value_tracks_true')[id] === 1));
      const side = isTrue ? 'true' : 'false';
      [id, isLeaf] = [list(`nodes_${side}nodeids`)[id]!, list(`nodes_${side}leafs`)[id] === 1];
    }
    sum += list('leaf_weights')[id]!;
  }
  return sum;
}

test('the wire format holds whole numbers and texts of any length', () => {
  fc.assert(
    fc.property(fc.array(fc.maxSafeNat()), fc.maxSafeNat(), fc.string(), (list, one, text) => {
      const fields = fieldsOf(messageOf(integersField(3, list), integerField(2000, one), textField(1, text)));
      assert.deepEqual(varintsOf(fields.get(3)![0] as Uint8Array), list);
      assert.equal(fields.get(2000)![0], one);
      assert.equal(new TextDecoder().decode(fields.get(1)![0] as Uint8Array), text.toWellFormed());
    }),
  );
});
