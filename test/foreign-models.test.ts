// Models of others, from the file to answers over HTTP: uploaded, imported, deployed, asked; the answers are those of the
// tools that made them, and what cannot be taken is told. `foreign-models/README.md` says what the files are.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Client, InputFor } from '../src/sdk/types.ts';
import { PilviError } from '../src/sdk/pilvi-error.ts';
import { uploadFile } from '../src/sdk/upload.ts';
import { openServer, type TestServer } from './server.ts';

interface Expected {
  tool: string;
  rows: Record<string, number | string | null>[];
  prediction: (string | number)[];
  probabilities?: number[][];
  classes?: string[];
}

type Options = Omit<InputFor<'importOnnxModel'>['body'], 'uploadId' | 'modelName'>;

const folder = new URL('./foreign-models/', import.meta.url);
const expected = JSON.parse(await readFile(new URL('expected.json', folder), 'utf8')) as Record<
  string,
  Expected
>;
const closeness = 1e-5;

let server: TestServer;
let client: Client;
let projectId: string;

before(async () => {
  server = await openServer();
  client = server.client;
  ({ id: projectId } = await client.createProject({ body: { name: 'Foreign', description: '' } }));
});
after(() => server?.close());

for (const [name, { tool, rows, prediction, probabilities, classes }] of Object.entries(expected)) {
  test(`${name} answers as ${tool}`, async () => {
    const { version, endpointId } = await deploy(name);
    assert.equal(version.format, 'onnx');
    assert.equal(version.origin, 'imported');
    assert.equal(version.classes?.length, classes?.length);
    const answer = await client.predict({ endpointId, body: { rows } });
    assert.equal(answer.modelVersionId, version.id);
    assert.deepEqual(answer.warnings, []);
    answer.predictions.forEach((one, row) => {
      if (typeof prediction[row] === 'number') assertClose(one.prediction as number, prediction[row]);
      else assert.equal(one.prediction, prediction[row], `row ${row + 1}`);
      if (!probabilities) return assert.equal(one.probabilities, undefined);
      classes!.forEach((label, index) =>
        assertClose(one.probabilities![label]!, probabilities[row]![index]!),
      );
    });
    const columns = Object.keys(rows[0]!);
    const lines = [columns, ...rows.map((row) => columns.map((column) => row[column] ?? ''))];
    const csv = await client.predictCsv({ endpointId, stream: new Blob([`${lines.join('\n')}\n`]) });
    const [header, ...answered] = (await textOf(csv.body)).trimEnd().split('\n');
    const others = classes
      ? probabilities
        ? classes.map((label) => `probability_${label}`)
        : []
      : ['lower', 'upper'];
    assert.equal(header, ['prediction', ...others].join(','));
    assert.deepEqual(
      answered.map((line) => line.split(',')[0]),
      answer.predictions.map((one) => String(one.prediction)),
    );
  });
}

test('names of columns and classes can be given, and a field that does not fit is named', async () => {
  const { version, endpointId } = await deploy('xgboost-classes', {
    target: 'late',
    classes: ['no', 'yes'],
    columns: ['a', 'b', 'c', 'd'],
  });
  assert.deepEqual(version.classes, ['no', 'yes']);
  assert.deepEqual(
    version.fields.map(({ name, kind }) => [name, kind]),
    ['a', 'b', 'c', 'd'].map((name) => [name, 'numeric']),
  );
  const { predictions, warnings } = await client.predict({ endpointId, body: { rows: [{ a: 1, e: 2 }] } });
  assert.ok(['no', 'yes'].includes(predictions[0]!.prediction as string));
  assert.match(warnings[0]!, /"e"/);
  const wrong = await problemOf(client.predict({ endpointId, body: { rows: [{ a: 1 }, { b: 'many' }] } }));
  assert.equal(wrong.code, 'prediction-input');
  assert.match(wrong.message, /"b" must be a number.*row 2/);
});

test('two foreign versions share the traffic of an endpoint; other questions do not', async () => {
  const target = { target: 'left' };
  const { version: first, endpointId } = await deploy('sklearn-forest', target);
  const second = await importModel('lightgbm-classes', target);
  await client.deployModel({
    endpointId,
    body: {
      deployments: [
        { modelVersionId: first.id, trafficShare: 0.5 },
        { modelVersionId: second.id, trafficShare: 0.5 },
      ],
    },
  });
  const seen = new Set<string>();
  for (let count = 0; seen.size < 2 && count < 60; count++)
    seen.add((await client.predict({ endpointId, body: { rows: [{ f0: 1 }] } })).modelVersionId);
  assert.deepEqual(seen, new Set([first.id, second.id]));
  const other = await importModel('sklearn-number');
  const body = { deployments: [{ modelVersionId: other.id, trafficShare: 1 }] };
  await client.deployModel({ endpointId, body });
  assert.equal(
    (
      await problemOf(
        client.deployModel({
          endpointId,
          body: {
            deployments: [
              { modelVersionId: first.id, trafficShare: 0.5 },
              { modelVersionId: other.id, trafficShare: 0.5 },
            ],
          },
        }),
      )
    ).code,
    'invalid-request',
  );
});

test('the file comes back as it went in; what is not there is told', async () => {
  const { id: versionId, card } = await importModel('sklearn-pipeline');
  const { body } = await client.downloadModelFile({ versionId, format: 'onnx' });
  assert.deepEqual(
    Buffer.concat(await Array.fromAsync(body)),
    await readFile(new URL('sklearn-pipeline.onnx', folder)),
  );
  assert.match(card, /^# Predicts output_label\n/);
  const noFile = await problemOf(client.downloadModelFile({ versionId, format: 'pilvi' }));
  assert.equal(noFile.code, 'export-unsupported');
  const why = { rows: [{ age: 30, town: 'Oulu', visits: 2 }], outcome: null, compareWith: [] };
  assert.equal(
    (await problemOf(client.explainRows({ versionId, body: why }))).code,
    'explanation-unsupported',
  );
  const [listed] = (await client.listModels({ projectId, limit: 1 })).items;
  assert.equal(listed!.latestVersion!.format, 'onnx');
});

test('a whole number is asked for where the model takes one, and a missing one is refused', async () => {
  const { endpointId } = await deploy('sklearn-pipeline');
  const ask = (visits: unknown) =>
    problemOf(client.predict({ endpointId, body: { rows: [{ age: null, town: null, visits }] } }));
  assert.match((await ask(1.5)).message, /"visits" must be a whole number/);
  assert.match((await ask(null)).message, /"visits" must be given/);
  const { predictions } = await client.predict({ endpointId, body: { rows: [{ visits: 1 }] } });
  assert.ok(['no', 'yes'].includes(predictions[0]!.prediction as string));
});

const refused: [
  what: string,
  bytes: () => Promise<Uint8Array>,
  options: Options,
  code: string,
  words: RegExp,
][] = [
  ['a text', async () => Buffer.from('not a model at all'), {}, 'onnx-invalid', /not an ONNX model/],
  ['a model file', async () => Buffer.from('PILVI\0model'), {}, 'onnx-invalid', /not an ONNX model/],
  ['nothing', async () => new Uint8Array(), {}, 'onnx-invalid', /not an ONNX model/],
  [
    'half a file',
    async () => (await file('sklearn-forest')).subarray(0, 3000),
    {},
    'onnx-invalid',
    /cut short/,
  ],
  [
    'too few columns',
    () => file('sklearn-forest'),
    { columns: ['a'] },
    'invalid-request',
    /takes 4 columns, and 1/,
  ],
  [
    'a column twice',
    () => file('sklearn-forest'),
    { columns: ['a', 'b', 'b', 'c'] },
    'invalid-request',
    /"b" is named twice/,
  ],
  [
    'too many classes',
    () => file('sklearn-forest'),
    { classes: ['a', 'b', 'c', 'd', 'e'] },
    'invalid-request',
    /has \d classes, and 5/,
  ],
  [
    'other classes',
    () => file('sklearn-network'),
    { classes: ['a', 'b'] },
    'invalid-request',
    /has 3 classes, and 2/,
  ],
  [
    'classes as numbers',
    () => file('sklearn-forest'),
    { task: 'regression' },
    'invalid-request',
    /gives classes/,
  ],
];
for (const [what, bytes, options, code, words] of refused) {
  test(`${what}: ${code}`, async () => {
    const before = (await client.listModels({ projectId, limit: 100 })).items.length;
    const problem = await problemOf(importBytes('refused', await bytes(), options));
    assert.equal(problem.code, code);
    assert.match(problem.message, words);
    assert.equal((await client.listModels({ projectId, limit: 100 })).items.length, before);
  });
}

async function deploy(name: string, options: Options = {}) {
  const version = await importModel(name, options);
  const endpointName = `e-${version.id.slice(-20).toLowerCase().replaceAll('_', '-')}`;
  const body = { name: endpointName, modelVersionId: version.id };
  const { id: endpointId } = await client.createEndpoint({ projectId, body });
  return { version, endpointId };
}

async function importModel(name: string, options: Options = {}) {
  return await importBytes(name, await file(name), options);
}

async function importBytes(modelName: string, bytes: Uint8Array, options: Options) {
  const { id: uploadId } = await uploadFile(client, {
    projectId,
    file: new Blob([bytes.slice()]),
    fileName: 'a.onnx',
  });
  return await client.importOnnxModel({ projectId, body: { uploadId, modelName, ...options } });
}

function file(name: string): Promise<Uint8Array> {
  return readFile(fileURLToPath(new URL(`${name}.onnx`, folder)));
}

function assertClose(actual: number, wanted: number): void {
  assert.ok(
    Math.abs(actual - wanted) <= closeness * Math.max(1, Math.abs(wanted)),
    `${actual} instead of ${wanted}`,
  );
}

async function problemOf(work: Promise<unknown>): Promise<PilviError> {
  try {
    await work;
  } catch (error) {
    assert.ok(error instanceof PilviError, String(error));
    return error;
  }
  return assert.fail('nothing was thrown');
}

async function textOf(body: AsyncIterable<Uint8Array>): Promise<string> {
  return Buffer.concat(await Array.fromAsync(body)).toString();
}
