// Predictions of foreign models through the pipeline, with real worker processes: our own exports brought in again answer
// as the models they were made from; a process that is killed is replaced; a graph that eats memory is ended, and harms
// nobody else.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { readModel } from '../src/ml/model/model.ts';
import type { Problem } from '../src/base/problems.ts';
import { Graph } from '../src/ml/onnx/graph.ts';
import { exportOnnx } from '../src/ml/onnx/export.ts';
import type { Context } from '../src/platform/context.ts';
import { openJobs, type OpenedJobs } from '../src/platform/jobs/jobs.ts';
import { openModelServers, type OpenedModelServers } from '../src/platform/model-servers/model-servers.ts';
import { createEndpoint } from '../src/pipeline/deploy/deploy.ts';
import { customers, openDeployTest, type DeployTest, type Target } from '../src/pipeline/deploy/testing.ts';
import { createUpload, appendUpload } from '../src/pipeline/data/uploads.ts';
import { importOnnxModel } from '../src/pipeline/registry/import-onnx.ts';
import { listModels, modelFilePath, type ModelVersion } from '../src/pipeline/registry/registry.ts';
import { closePredictions, predict } from '../src/pipeline/predict/predict.ts';

let setup: DeployTest;
let jobs: OpenedJobs;
let modelServers: OpenedModelServers;
let folder: string;
let context: Context;
let projectId: string;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pilvi-foreign-'));
  const base = await openDeployTest();
  const { database, clock, newId, log } = base.services;
  jobs = await openJobs({
    database,
    clock,
    newId,
    log,
    workFolder: folder,
    kinds: [],
    services: () => setup.services,
  });
  modelServers = await openModelServers({ clock, log, workFolder: folder });
  setup = { ...base, services: { ...base.services, jobs, modelServers } };
  const fresh = await base.freshWorkspace();
  context = { ...fresh, jobs, modelServers };
  projectId = await base.freshProject(context);
});
after(async () => {
  await closePredictions(setup.services);
  await modelServers.close();
  await jobs.close();
  await setup.close();
  await rm(folder, { recursive: true, force: true });
});

for (const target of ['left', 'spend'] as const) {
  test(`our own export of "${target}" answers as the model that it was made from`, async () => {
    const { ours, theirs } = await bothEndpoints(target);
    const rows = customers.slice(0, 60).map(({ left: _left, spend: _spend, ...row }) => row);
    const expected = await predict(context, ours, rows);
    const { predictions } = await predict(context, theirs, rows);
    predictions.forEach((one, index) => {
      const other = expected.predictions[index]!;
      if (target === 'left') assert.equal(one.prediction, other.prediction);
      else assertClose(one.prediction as number, other.prediction as number);
      for (const [name, probability] of Object.entries(other.probabilities ?? {}))
        assertClose(one.probabilities![name]!, probability);
      if (other.lower !== undefined) assertClose(one.lower!, other.lower);
      if (other.upper !== undefined) assertClose(one.upper!, other.upper);
    });
  });
}

test('a process that is killed, even while it answers, is replaced and the answer comes', async () => {
  const { theirs } = await bothEndpoints('spend');
  const rows = Array.from({ length: 5000 }, (_, index) => ({ age: index % 70, city: 'Oulu' }));
  await predict(context, theirs, rows.slice(0, 1));
  const answering = predict(context, theirs, rows);
  killWorkers();
  assert.equal((await answering).predictions.length, rows.length);
  killWorkers();
  assert.equal((await predict(context, theirs, rows.slice(0, 2))).predictions.length, 2);
});

test('a graph that eats memory is ended with a clear problem, and others answer on', async () => {
  const { theirs } = await bothEndpoints('spend');
  const asked = [{ age: 30, city: 'Oulu' }];
  const before = await predict(context, theirs, asked);
  await assert.rejects(imported(hungryGraph(), 'hungry'), (error: Problem) => {
    assert.equal(error.code, 'memory-limit', error.message);
    assert.match(error.message, /more than its limit of 2048 MiB/);
    assert.doesNotMatch(error.message, /\/\w+\/\w+|\n/);
    return true;
  });
  const { items } = await listModels(context, { projectId, limit: 100 });
  assert.ok(!items.some(({ name }) => name === 'hungry'));
  assert.deepEqual((await predict(context, theirs, asked)).predictions, before.predictions);
});

/** A few hundred bytes that want 2.4 GB: a number, repeated, and of these the largest. */
function hungryGraph(): Uint8Array {
  const graph = new Graph(['a']);
  const input = graph.input('a', 'double', '');
  const sum = graph.node('ReduceSum', [input], { keepdims: 0 });
  const many = graph.node('Expand', [sum, graph.integers([300_000_000])]);
  const largest = graph.node('ReduceMax', [many], { keepdims: 0 });
  const nothing = graph.node('Mul', [largest, graph.scalar(0)]);
  graph.output('value', graph.node('Add', [input, nothing]), { type: 'double', width: 1, description: '' });
  return graph.encode({ producerVersion: '', description: '', properties: {} });
}

async function imported(bytes: Uint8Array, modelName: string): Promise<ModelVersion> {
  const { id: uploadId } = await createUpload(context, { projectId, fileName: 'a.onnx', sizeBytes: null });
  await appendUpload(context, {
    uploadId,
    offset: 0,
    stream: (async function* () {
      yield bytes;
    })(),
  });
  return await importOnnxModel(context, { projectId, uploadId, modelName });
}

async function bothEndpoints(target: Target): Promise<{ ours: string; theirs: string }> {
  const version = await setup.freshVersion(context, projectId, target);
  const { path } = await modelFilePath(context, version.id);
  const bytes = exportOnnx(await readModel(new Uint8Array(await readFile(path))));
  const foreign = await imported(bytes, `${target} again`);
  assert.equal(foreign.task, version.task);
  assert.equal(foreign.target, version.target);
  assert.deepEqual(foreign.classes, version.classes);
  const deploy = async (modelVersionId: string): Promise<string> => {
    const name = `e-${context.newId('endpoint').slice(-12).toLowerCase()}`;
    return (await createEndpoint(context, { projectId, name, modelVersionId })).id;
  };
  return { ours: await deploy(version.id), theirs: await deploy(foreign.id) };
}

/** Kills the worker processes of this test, which are known by the folder that is their home. */
function killWorkers(): void {
  const pids = execFileSync('ps', ['-e', '-o', 'pid=,ppid='])
    .toString()
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
    .filter(([, parent]) => parent === process.pid)
    .map(([pid]) => pid!);
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It was gone already, such as ps itself.
    }
  }
}

function assertClose(actual: number, wanted: number): void {
  assert.ok(
    Math.abs(actual - wanted) <= 1e-5 * Math.max(1, Math.abs(wanted)),
    `${actual} instead of ${wanted}`,
  );
}
