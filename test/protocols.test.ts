// Other people's protocols, asked by other people's clients, unmodified: Triton's over HTTP, AWS's for SageMaker. What
// they get is what our own API answers, to the last bit; what is wrong is told in their words; and no address of theirs is
// a way around the key, the policy, the workspace, the log or the bill.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { modelFileOf } from '../src/pipeline/deploy/testing.ts';
import { protocols } from '../src/protocols/protocols.ts';
import type { AnswerFor } from '../src/sdk/types.ts';
import { pythonPrograms, runPython } from './python.ts';
import { assertLeaksNothing, openServer, type Answer, type Request, type TestServer } from './server.ts';

const rows = [
  { age: 60, city: 'Oulu', since: '2021-03-05T00:00:00.000Z', member: true },
  { age: 21.5, city: 'Turku', since: '2024-01-01', member: false },
  { age: null, city: null, since: null, member: null },
];
const classesPath = '/endpoints/leaving/invocations';

let server: TestServer;
let projectId: string;
let versionId: string;
let secondVersionId: string;
let endpointId: string;
const keys: Record<'viewer' | 'predictor' | 'stranger', string> = { viewer: '', predictor: '', stranger: '' };
let expected: AnswerFor<'predict'>['predictions'];
let spending: AnswerFor<'predict'>['predictions'];
let fieldNames: string[];

before(async () => {
  server = await openServer();
  const { client } = server;
  projectId = (await client.listProjects({})).items[0]!.id;
  const versionOf = async (target: 'left' | 'spend'): Promise<string> => {
    const stream = new Blob([new Uint8Array(await modelFileOf(target))]);
    return (await client.importModelFile({ projectId, modelName: target, stream })).id;
  };
  versionId = await versionOf('left');
  secondVersionId = await versionOf('left');
  const body = { name: 'leaving', modelVersionId: versionId };
  const endpoint = await client.createEndpoint({ projectId, body });
  endpointId = endpoint.id;
  fieldNames = endpoint.fields.map(({ name }) => name);
  const spend = await client.createEndpoint({
    projectId,
    body: { name: 'spending', modelVersionId: await versionOf('spend') },
  });
  expected = (await client.predict({ endpointId, body: { rows } })).predictions;
  spending = (await client.predict({ endpointId: spend.id, body: { rows } })).predictions;
  const other = await client.createProject({ body: { name: 'elsewhere' } });
  for (const [name, key] of Object.entries({
    viewer: { role: 'viewer' },
    predictor: { role: 'predictor', projectId },
    stranger: { role: 'editor', projectId: other.id },
  } as const))
    keys[name as keyof typeof keys] = (await client.createKey({ body: { name, ...key } })).secret;
});
after(() => server?.close());

async function post(path: string, request: Omit<Request, 'path' | 'method'> = {}): Promise<Answer> {
  return await server.ask({ method: 'POST', path, key: keys.predictor, ...request });
}

function lists(): unknown[][] {
  return rows.map((row) => fieldNames.map((name) => row[name as keyof typeof row]));
}

const scriptOfTriton = `
import json, sys
import numpy, tritonclient.http as triton
from tritonclient.utils import InferenceServerException
given = json.loads(sys.argv[1])
client = triton.InferenceServerClient(given['address'])
# The client adds to the headers that it is given.
def headers(): return {'Authorization': 'Bearer ' + given['key']}
def column(name, datatype, values, binary=True):
    tensor = triton.InferInput(name, list(values.shape), datatype)
    tensor.set_data_from_numpy(values, binary_data=binary)
    return tensor
def inputs(binary=True, shape=(3,)):
    return [
        column('age', 'FP32', numpy.array([60, 21.5, float('nan')], dtype='float32').reshape(shape), binary),
        column('city', 'BYTES', numpy.array(['Oulu', 'Turku', ''], dtype=object).reshape(shape), binary),
        column('since', 'BYTES', numpy.array(['2021-03-05T00:00:00.000Z', '2024-01-01', ''], dtype=object).reshape(shape), binary),
        column('member', 'BYTES', numpy.array(['true', 'false', ''], dtype=object).reshape(shape), binary),
    ]
def told(result):
    return {
        'prediction': [text.decode() for text in result.as_numpy('prediction').tolist()],
        'probabilities': result.as_numpy('probabilities').tolist(),
        'likely': result.as_numpy('likely').tolist(),
        'version': result.get_response()['model_version'],
    }
def failure(action):
    try:
        action()
    except InferenceServerException as error:
        return [error.status(), error.message()]
chosen = [triton.InferRequestedOutput('probabilities', binary_data=False)]
out = {
    'live': client.is_server_live(),
    'ready': client.is_server_ready(),
    'server': client.get_server_metadata(headers=headers()),
    'model': client.get_model_metadata('leaving', headers=headers()),
    'modelReady': client.is_model_ready('leaving', '1', headers=headers()),
    'otherReady': client.is_model_ready('leaving', '7', headers=headers()),
    'index': client.get_model_repository_index(headers=headers()),
    'plain': told(client.infer('leaving', inputs(), headers=headers())),
    'byId': told(client.infer(given['endpointId'], inputs(shape=(3, 1)), headers=headers())),
    'version': told(client.infer('leaving', inputs(), model_version='1', headers=headers())),
    'packed': told(client.infer('leaving', inputs(), headers=headers(), request_compression_algorithm='gzip', response_compression_algorithm='deflate')),
    'chosen': client.infer('leaving', inputs(), outputs=chosen, headers=headers(), request_id='mine').get_response(),
    'spend': [client.infer('spending', inputs(), headers=headers()).as_numpy(name).tolist() for name in ('prediction', 'lower', 'upper')],
    'failures': [
        failure(lambda: client.infer('leaving', inputs())),
        failure(lambda: client.infer('nothing', inputs(), headers=headers())),
        failure(lambda: client.infer('leaving', inputs(), model_version='7', headers=headers())),
        failure(lambda: client.infer('leaving', [column('age', 'BYTES', numpy.array(['old'], dtype=object))], headers=headers())),
        failure(lambda: client.infer('leaving', inputs(), outputs=[triton.InferRequestedOutput('nothing')], headers=headers())),
        failure(lambda: client.get_model_config('leaving', headers=headers())),
    ],
}
print(json.dumps(out))
`;

test("Triton's client gets what our own API answers", async (t) => {
  const programs = pythonPrograms('tritonclient-2.73.0');
  if (programs === undefined)
    return t.skip('tritonclient cannot be installed here (needs python3 with venv)');
  const given = { address: `127.0.0.1:${server.port}`, key: keys.predictor, endpointId };
  const told = (await runPython(programs, scriptOfTriton, given)) as ToldByTriton;
  assert.deepEqual(
    [told.live, told.ready, told.modelReady, told.otherReady, told.server.name],
    [true, true, true, false, 'pilvi'],
  );
  assert.deepEqual(told.model.versions, ['1']);
  assert.deepEqual(namesOf(told.model.inputs), fieldNames);
  assert.deepEqual(namesOf(told.model.outputs), ['prediction', 'probabilities', 'likely']);
  assert.deepEqual(
    told.index.map(({ name, version }) => `${name} ${version}`),
    ['leaving 1', 'spending 1'],
  );
  const answer = {
    prediction: expected.map(({ prediction }) => prediction),
    probabilities: expected.map(({ probabilities }) => Object.values(probabilities!)),
    likely: expected.map(({ likelyClasses, probabilities }) =>
      Object.keys(probabilities!).map((name) => likelyClasses!.includes(name)),
    ),
    version: '1',
  };
  for (const name of ['plain', 'byId', 'version', 'packed'] as const)
    assert.deepEqual(told[name], answer, name);
  assert.equal(told.chosen.id, 'mine');
  assert.deepEqual(namesOf(told.chosen.outputs), ['probabilities']);
  assert.deepEqual(told.chosen.outputs[0]!.data, answer.probabilities.flat());
  assert.deepEqual(told.spend, [
    spending.map(({ prediction }) => prediction),
    spending.map(({ lower }) => lower),
    spending.map(({ upper }) => upper),
  ]);
  assert.deepEqual(
    told.failures.map(([status]) => status),
    ['401', '404', '404', '422', '422', '404'],
  );
  assert.match(told.failures[3]![1], /"age" must be a number, got "old"/);
  assert.match(told.failures[4]![1], /"nothing" is no output of this model/);
});

interface ToldByTriton extends Record<'plain' | 'byId' | 'version' | 'packed', object> {
  live: boolean;
  ready: boolean;
  modelReady: boolean;
  otherReady: boolean;
  server: { name: string };
  model: { versions: string[]; inputs: { name: string }[]; outputs: { name: string }[] };
  index: { name: string; version: string }[];
  chosen: { id: string; outputs: { name: string; data: number[] }[] };
  spend: number[][];
  failures: [string, string][];
}

function namesOf(items: readonly { name: string }[]): string[] {
  return items.map(({ name }) => name);
}

const scriptOfAws = `
import json, sys
import boto3, botocore
from botocore.config import Config
given = json.loads(sys.argv[1])
def client(key):
    return boto3.client('sagemaker-runtime', region_name='eu-north-1', endpoint_url=given['url'],
        aws_access_key_id='pilvi', aws_secret_access_key='pilvi', aws_session_token=key,
        config=Config(retries={'total_max_attempts': 1}))
def ask(key, **request):
    try:
        answer = client(key).invoke_endpoint(EndpointName=request.pop('name', 'leaving'), **request)
        return [answer['ContentType'], answer['Body'].read().decode()]
    except botocore.exceptions.ClientError as error:
        return [error.response['Error']['Code'], error.response['Error']['Message']]
print(json.dumps({
    'csv': ask(given['key'], ContentType='text/csv', Body=given['csv']),
    'named': ask(given['key'], ContentType='text/csv', Body=given['named'], Accept='text/csv'),
    'lines': ask(given['key'], ContentType='application/jsonlines', Body=given['lines']),
    'json': ask(given['key'], ContentType='text/csv', Body=given['csv'], Accept='application/json'),
    'nobody': ask('no-key', ContentType='text/csv', Body=given['csv']),
    'viewer': ask(given['viewer'], ContentType='text/csv', Body=given['csv']),
    'unknown': ask(given['key'], name='nothing', ContentType='text/csv', Body=given['csv']),
    'narrow': ask(given['key'], ContentType='text/csv', Body='1,2\\n'),
}))
`;

test("AWS's client for SageMaker finds the same address, with the key as its session token", async (t) => {
  const programs = pythonPrograms('moto-5.2.5');
  if (programs === undefined) return t.skip('boto3 cannot be installed here (needs python3 with venv)');
  const csv = csvOf(lists());
  const told = (await runPython(programs, scriptOfAws, {
    url: server.url,
    key: keys.predictor,
    viewer: keys.viewer,
    csv,
    named: `${fieldNames.join(',')}\n${csv}`,
    lines: rows.map((row) => `${JSON.stringify(row)}\n`).join(''),
  })) as Record<string, [string, string]>;
  const { text } = await csvAnswer();
  assert.deepEqual(told['csv'], ['text/csv; charset=utf-8', text.slice(text.indexOf('\n') + 1)]);
  assert.deepEqual(told['named'], ['text/csv; charset=utf-8', text]);
  assert.equal(told['lines']![0], 'application/jsonlines');
  assert.deepEqual(
    told['lines']![1].trim()
      .split('\n')
      .map((line) => JSON.parse(line)),
    expected,
  );
  assert.deepEqual(
    JSON.parse(told['json']![1]).predictions,
    expected.map(({ prediction }) => prediction),
  );
  assert.equal(told['nobody']![0], 'UnrecognizedClientException');
  assert.equal(told['viewer']![0], 'AccessDeniedException');
  assert.equal(told['unknown']![0], 'ValidationError');
  assert.match(told['narrow']![1], /Row 1 has 2 values; the model reads 4, in this order: "age"/);
});

function csvOf(values: unknown[][]): string {
  return values.map((list) => `${list.map((value) => value ?? '').join(',')}\n`).join('');
}

async function csvAnswer(): Promise<Answer> {
  return await server.ask({
    method: 'POST',
    path: `/api/v1/endpoints/${endpointId}/predictions.csv`,
    headers: { 'content-type': 'text/csv' },
    body: `${fieldNames.join(',')}\n${csvOf(lists())}`,
  });
}

describe('invocations', () => {
  test("every shape of MLflow's scoring server gets the same answers", async () => {
    const columns = Object.fromEntries(
      fieldNames.map((name) => [name, rows.map((row) => row[name as keyof typeof row])]),
    );
    for (const json of [
      { dataframe_split: { columns: fieldNames, data: lists() } },
      { dataframe_records: rows },
      { instances: rows },
      { instances: lists() },
      { inputs: columns },
      { inputs: lists() },
    ]) {
      const { status, json: told, text } = await post(classesPath, { json });
      assert.equal(status, 200, text);
      assert.deepEqual(
        told!['predictions'],
        expected.map(({ prediction }) => prediction),
      );
      assert.deepEqual(
        told!['probabilities'],
        expected.map(({ probabilities }) => probabilities),
      );
      assert.equal(told!['modelVersionId'], versionId);
    }
    const spend = await post('/endpoints/spending/invocations', { json: { instances: rows } });
    assert.deepEqual(
      spend.json!['upper'],
      spending.map(({ upper }) => upper),
    );
  });

  test('the header of CSV is as the Content-Type says, Accept decides the answer', async () => {
    const csv = csvOf(lists());
    const whole = (await csvAnswer()).text;
    const bare = whole.slice(whole.indexOf('\n') + 1);
    const ask = (type: string, body: string, accept: string): Promise<Answer> =>
      post(classesPath, { headers: { 'content-type': type, accept }, body });
    assert.equal((await ask('text/csv; header=absent', csv, '*/*')).text, bare);
    assert.equal((await ask('text/csv', csv, 'text/csv; header=present')).text, whole);
    assert.equal((await ask('text/csv;header=present', `${fieldNames}\n${csv}`, 'text/csv')).text, whole);
    const reordered = lists().map((values) => values.toReversed());
    assert.equal(
      (await ask('text/csv', `${fieldNames.toReversed()}\n${csvOf(reordered)}`, 'text/csv; header=absent'))
        .text,
      bare,
    );
    const lines = await ask(
      'application/jsonlines',
      lists()
        .map((list) => JSON.stringify({ features: list }))
        .join('\n'),
      'text/csv',
    );
    assert.equal(lines.text, bare);
    assert.equal((await ask('text/csv', csv, 'image/png')).status, 415);
    assert.equal((await ask('text/csv', `${fieldNames}\n`, '*/*')).status, 422);
  });

  test('ping says whether an endpoint answers', async () => {
    assert.equal((await server.ask({ path: '/endpoints/leaving/ping', key: keys.predictor })).status, 200);
    assert.equal((await server.ask({ path: '/endpoints/nothing/ping', key: keys.predictor })).status, 404);
  });
});

test("Vertex' shape, with the project in the address", async () => {
  const path = (project: string): string =>
    `/v1/projects/${project}/locations/europe-north1/endpoints/leaving:predict`;
  for (const project of [projectId, '-']) {
    const { status, json, text } = await post(path(project), { json: { instances: rows } });
    assert.equal(status, 200, text);
    assert.deepEqual(
      json!['predictions'],
      expected.map(({ prediction, probabilities }) => ({
        classes: Object.keys(probabilities!),
        scores: Object.values(probabilities!),
        predictedClass: prediction,
      })),
    );
    assert.match(String(json!['deployedModelId']), /^dep_/);
    assert.equal(json!['modelVersionId'], '1');
  }
  const refused = await post(path('prj_other'), { json: { instances: rows } });
  assert.deepEqual(
    [refused.status, (refused.json!['error'] as { status: string }).status],
    [404, 'NOT_FOUND'],
  );
  assert.equal((await post(path('-'), { json: { rows } })).status, 400);
});

describe('the same gate', () => {
  const addresses = protocols('0').flatMap(({ base, routes }) => routes.map((route) => ({ base, ...route })));

  test('no key, no answer; a role that may not, none either; a key of another project sees nothing', async () => {
    for (const { method, path, policy } of addresses) {
      if (policy === 'public') continue;
      const request = {
        method: method.toUpperCase(),
        path: path
          .replace(/\{(model|endpoint)\}/, 'leaving')
          .replace('{project}', '-')
          .replace('{version}', '1')
          .replace('{location}', 'x'),
        ...(method === 'post' && { json: {} }),
      };
      for (const key of [null, 'pk_wrong']) {
        const { status, headers } = await server.ask({ ...request, key });
        assert.equal(status, 401, path);
        assert.match(String(headers['www-authenticate']), /^Bearer/);
      }
      const viewer = await server.ask({ ...request, key: keys.viewer });
      assert.equal(viewer.status === 403, policy === 'endpoint:predict', `${path}: ${viewer.text}`);
      if (policy === 'endpoint:predict' || !/\{(model|endpoint)\}/.test(path)) continue;
      const stranger = await server.ask({ ...request, key: keys.stranger });
      assert.equal(stranger.status, 404, `${path}: ${stranger.text}`);
    }
    for (const path of [classesPath, '/v1/projects/-/locations/x/endpoints/leaving:predict'])
      for (const name of ['leaving', endpointId]) {
        const named = path.replace('/leaving', `/${name}`);
        const { status, text } = await post(named, { key: keys.stranger, json: { instances: rows } });
        assert.equal(status, 404, text);
      }
  });

  test('other methods and addresses are refused in the words of the protocol', async () => {
    const wrong = await server.ask({ method: 'PUT', path: '/v2/models/leaving/infer' });
    assert.deepEqual([wrong.status, wrong.headers['allow']], [405, 'POST']);
    assert.match(String(wrong.json!['error']), /method-not-allowed/);
    const unknown = await server.ask({ path: '/v2/models/leaving/config' });
    assert.deepEqual([unknown.status, typeof unknown.json!['error']], [404, 'string']);
    assert.equal(
      (await server.ask({ path: '/endpoints/x/y' })).json!['error_code'],
      'RESOURCE_DOES_NOT_EXIST',
    );
  });

  test('answers are logged and counted as any other', async () => {
    const { headers } = await post(classesPath, { json: { instances: rows } });
    const id = String(headers['x-request-id']);
    const { client } = server;
    const found = await client.getLoggedPrediction({ endpointId, predictionId: `${id}-1` });
    assert.equal(found.prediction.id, `${id}-1`);
    const { isIdentical } = await client.rerunPrediction({ endpointId, predictionId: `${id}-1` });
    assert.ok(isIdentical);
  });

  test('a name that two projects have needs the id, unless the key is bound to one', async () => {
    const { client } = server;
    const other = await client.createProject({ body: { name: 'twin' } });
    const stream = new Blob([new Uint8Array(await modelFileOf('left'))]);
    const version = await client.importModelFile({ projectId: other.id, modelName: 'left', stream });
    const body = { name: 'leaving', modelVersionId: version.id };
    const twin = await client.createEndpoint({ projectId: other.id, body });
    const ask = (key: string, endpoint = 'leaving'): Promise<Answer> =>
      post(`/endpoints/${endpoint}/invocations`, { key, json: { instances: rows } });
    const owner = await ask(server.token);
    assert.deepEqual([owner.status, owner.json!['code']], [400, 'invalid-request']);
    assert.equal((await ask(server.token, twin.id)).json!['modelVersionId'], version.id);
    assert.equal((await ask(keys.predictor)).json!['modelVersionId'], versionId);
    await client.deleteEndpoint({ endpointId: twin.id });
    assert.equal((await ask(server.token, twin.id)).status, 404);
    assert.equal((await ask(server.token)).json!['modelVersionId'], versionId);
  });

  test('a version can be asked for while it is deployed, whatever its share', async () => {
    const { client } = server;
    const share = (first: number): { modelVersionId: string; trafficShare: number }[] => [
      { modelVersionId: versionId, trafficShare: first },
      { modelVersionId: secondVersionId, trafficShare: 1 - first },
    ];
    await client.deployModel({ endpointId, body: { deployments: share(1) } });
    const inputs = [{ name: 'age', shape: [1], datatype: 'FP64', data: [40] }];
    const ask = async (version: string): Promise<unknown> => {
      const answer = await post(`/v2/models/leaving${version}/infer`, { json: { inputs } });
      return answer.status === 200 ? answer.json!['model_version'] : answer.status;
    };
    assert.deepEqual([await ask(''), await ask('/versions/2'), await ask('/versions/3')], ['1', '2', 404]);
    await client.deployModel({ endpointId, body: { deployments: share(1).slice(0, 1) } });
    assert.deepEqual([await ask('/versions/1'), await ask('/versions/2')], ['1', 404]);
  });
});

describe('bad input', () => {
  const infer = '/v2/models/leaving/infer';
  const tensor = { name: 'age', shape: [1], datatype: 'FP64', data: [40] };

  test('tensors that are not what they say', async () => {
    for (const [inputs, status, words] of [
      [[], 400, /inputs/],
      [[{ ...tensor, shape: [2] }], 422, /has 1 values, where its shape takes 2/],
      [[{ ...tensor, shape: [1, 2, 3] }], 422, /has 1 values/],
      [[{ ...tensor, shape: [0], data: [] }], 400, /shape/],
      [[{ ...tensor, datatype: 'FP16' }], 422, /datatype FP16/],
      [[{ ...tensor, data: ['old'] }], 422, /holds a value that is no FP64/],
      [[{ ...tensor, data: undefined }], 422, /has no data/],
      [[tensor, tensor], 422, /is there twice/],
      [
        [tensor, { ...tensor, name: 'city', shape: [2], data: [1, 2] }],
        422,
        /has 2 values, the first one has 1/,
      ],
      [[{ ...tensor, shape: [1, 2], data: [1, 2] }], 422, /Each row has 2 values; the model reads 4/],
      [[{ ...tensor, parameters: { binary_data_size: 8 } }], 422, /more than the body has left/],
      [[{ ...tensor, parameters: { shared_memory_region: 'x' } }], 422, /shared memory/],
      [[{ ...tensor, shape: [20_000], data: Array(20_000).fill(1) }], 422, /at most 10000/],
    ] as const) {
      const answer = await post(infer, { json: { inputs } });
      assert.equal(answer.status, status, answer.text);
      assert.match(String(answer.json!['error']), words);
      assertLeaksNothing(server, answer.text);
    }
    const huge = await post(infer, {
      body: '{"inputs":[{"name":"age","shape":[1],"datatype":"FP64","data":[1e400]}]}',
    });
    assert.match(String(huge.json!['error']), /"age" must be a finite number/);
    for (const length of ['-1', 'x', '100000']) {
      const headers = { 'inference-header-content-length': length };
      assert.equal((await post(infer, { headers, body: '{}' })).status, 400);
    }
    const json = JSON.stringify({
      inputs: [{ name: 'city', shape: [1], datatype: 'BYTES', parameters: { binary_data_size: 4 } }],
    });
    const headers = { 'inference-header-content-length': String(json.length) };
    for (const bytes of [
      [9, 0, 0, 0],
      [255, 255, 255, 255],
    ]) {
      const { status, text } = await post(infer, {
        headers,
        body: Buffer.concat([Buffer.from(json), Buffer.from(bytes)]),
      });
      assert.equal(status, 422, text);
      assert.match(text, /ends in the middle of a text/);
    }
  });

  test('bodies that cannot be read', async () => {
    for (const [type, body, status] of [
      ['application/json', '', 400],
      ['application/json', '{"instances": [', 400],
      ['application/json', '{"instances": [1]}', 400],
      ['application/json', '{"instances": []}', 422],
      ['application/json', '{"instances": [{"city": "\\u0000"}]}', 400],
      ['application/json', '{"dataframe_split": {"columns": ["age"], "data": [[1, 2]]}}', 422],
      ['application/jsonlines', '{"age": 1}\n[1]\n', 422],
      ['application/jsonlines', '{"age": 1}\n{', 400],
      ['text/csv', '', 422],
      ['text/csv', 'age,age\n1,2\n', 422],
      ['text/csv', '1,2,3,4\n1\n', 422],
      ['text/csv', '1,a\0b,2021-01-01,true\n', 422],
      ['text/csv', Buffer.from([0xff, 0x0a]), 422],
      ['image/png', 'x', 415],
    ] as const) {
      const answer = await post(classesPath, { headers: { 'content-type': type }, body });
      assert.equal(answer.status, status, `${type} ${String(body)}: ${answer.text}`);
      assert.equal(typeof answer.json!['message'], 'string');
      assertLeaksNothing(server, answer.text);
    }
  });
});

describe('packed bodies', () => {
  const body = JSON.stringify({ rows });

  test('our own addresses and those of protocols take gzip, deflate and br', async () => {
    const headers = { 'content-type': 'application/json' };
    const path = `/api/v1/endpoints/${endpointId}/predictions`;
    for (const [encoding, content] of [
      ['gzip', gzipSync(body)],
      ['br', brotliCompressSync(body)],
      ['identity', Buffer.from(body)],
    ] as const) {
      const answer = await post(path, {
        headers: { ...headers, 'content-encoding': encoding },
        body: content,
      });
      assert.deepEqual(answer.json!['predictions'], expected, encoding);
    }
    const csv = gzipSync(`${fieldNames}\n${csvOf(lists())}`);
    const packedCsv = { 'content-type': 'text/csv', 'content-encoding': 'gzip' };
    assert.equal(
      (await post(`${path}.csv`, { headers: packedCsv, body: csv })).text,
      (await csvAnswer()).text,
    );
    for (const [encoding, content, status] of [
      ['zip', body, 415],
      ['gzip', body, 400],
      ['gzip', gzipSync(body).subarray(0, 20), 400],
      // A gigabyte of zeros in a megabyte.
      ['gzip', gzipSync(Buffer.alloc(64 * 1_048_576)), 413],
    ] as const)
      for (const address of [path, classesPath]) {
        const answer = await post(address, {
          headers: { ...headers, 'content-encoding': encoding },
          body: content,
        });
        assert.equal(answer.status, status, `${address} ${encoding}: ${answer.text}`);
      }
  });

  test('large answers are packed for those who ask', async () => {
    const many = { instances: Array.from({ length: 400 }, () => rows[0]) };
    const plain = await post(classesPath, { json: many });
    assert.equal(plain.headers['content-encoding'], undefined);
    const response = await fetch(`${server.url}${classesPath}`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${keys.predictor}`,
        'content-type': 'application/json',
        'accept-encoding': 'gzip',
      },
      body: JSON.stringify(many),
    });
    assert.equal(response.headers.get('content-encoding'), 'gzip');
    const told = (await response.json()) as { predictions: unknown[] };
    assert.deepEqual(told.predictions, plain.json!['predictions']);
  });
});
