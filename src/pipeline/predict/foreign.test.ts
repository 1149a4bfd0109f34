// Predictions of foreign models through the pipeline, with real worker processes: our own exports brought in again answer
// as the models they were made from; a process that is killed is replaced; a graph that wants all memory or never
// ends is ended.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { readModel } from '../../ml/model/model.ts';
import { exportOnnx } from '../../ml/onnx/export.ts';
import type { Context } from '../../platform/context.ts';
import { openJobs, type OpenedJobs } from '../../platform/jobs/jobs.ts';
import { createEndpoint } from '../deploy/deploy.ts';
import { customers, openDeployTest, type DeployTest, type Target } from '../deploy/testing.ts';
import { createUpload, appendUpload } from '../data/uploads.ts';
import { importOnnxModel } from '../registry/import-onnx.ts';
import { modelFilePath } from '../registry/registry.ts';
import { closePredictions, predict } from './predict.ts';

let setup: DeployTest;
let jobs: OpenedJobs;
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
  setup = { ...base, services: { ...base.services, jobs } };
  const fresh = await base.freshWorkspace();
  context = { ...fresh, jobs };
  projectId = await base.freshProject(context);
});
after(async () => {
  await closePredictions(setup.services);
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

async function bothEndpoints(target: Target): Promise<{ ours: string; theirs: string }> {
  const version = await setup.freshVersion(context, projectId, target);
  const { path } = await modelFilePath(context, version.id);
  const bytes = exportOnnx(await readModel(new Uint8Array(await readFile(path))));
  const { id: uploadId } = await createUpload(context, { projectId, fileName: 'a.onnx', sizeBytes: null });
  await appendUpload(context, {
    uploadId,
    offset: 0,
    stream: (async function* () {
      yield bytes;
    })(),
  });
  const foreign = await importOnnxModel(context, { projectId, uploadId, modelName: `${target} again` });
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
