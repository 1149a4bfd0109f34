// One of everything that a project can hold, made through the API: for tests that try to reach it from elsewhere, or
// that need a model which really answers.
import type { Random } from '../src/base/random.ts';
import { uploadFile } from '../src/sdk/upload.ts';
import type { Client } from '../src/sdk/types.ts';
import { waitForJob } from '../src/sdk/wait-for-job.ts';
import { until } from './product.ts';

/** The ids of what a project holds, by what they name. */
export interface World {
  label: string;
  projectId: string;
  uploadId: string;
  datasetId: string;
  versionId: string;
  trainingId: string;
  jobId: string;
  modelId: string;
  modelVersionId: string;
  endpointId: string;
  batchId: string;
  reportId: string;
  releaseId: string;
  comparisonId: string;
  updateId: string;
  budgetId: string;
  keyId: string;
  userId: string;
}

/** A table whose texts begin with `label`, so that they are recognised wherever they turn up. */
export function tableOf(label: string, rowCount = 120): string {
  const lines = [`${label}_size,${label}_place,label`];
  for (let row = 0; row < rowCount; row++)
    lines.push(`${(row * 37) % 101},${label}-place-${row % 3},${(row * 37) % 101 > 50 ? 'yes' : 'no'}`);
  return `${lines.join('\n')}\n`;
}

/** People of three towns, whose label follows age and income, with noise. */
export function peopleTable(random: Random, rowCount: number): string {
  const lines = ['age,income,city,label'];
  for (let row = 0; row < rowCount; row++) {
    const age = 18 + random.below(60);
    const income = 10_000 + random.below(90_000);
    const city = ['Oulu', 'Turku', 'Tampere'][random.below(3)];
    lines.push(
      `${age},${income},${city},${age * 1000 + income + random.below(40_000) > 120_000 ? 'yes' : 'no'}`,
    );
  }
  return `${lines.join('\n')}\n`;
}

interface NewTable {
  projectId: string;
  name: string;
  content: string | Uint8Array<ArrayBuffer>;
}

interface Import {
  uploadId: string;
  datasetId: string;
  versionId: string;
  jobId: string;
}

/** Uploads `content` and imports it. Throws PilviError with the problem of the import. */
export async function importTable(client: Client, table: NewTable): Promise<Import> {
  const started = await startImport(client, table);
  await waitForJob(client, started.jobId);
  return started;
}

/** Uploads `content`; returns when its import is under way. */
export async function startImport(client: Client, { projectId, name, content }: NewTable): Promise<Import> {
  const upload = await uploadFile(client, { projectId, file: new Blob([content]), fileName: `${name}.csv` });
  const source = { kind: 'upload', uploadId: upload.id } as const;
  const { dataset, version, jobId } = await client.createDataset({
    projectId,
    body: { name, source, options: {} },
  });
  return { uploadId: upload.id, datasetId: dataset.id, versionId: version.id, jobId };
}

/** The same model as a version of a model of its own. */
async function importedCopy(
  client: Client,
  { projectId, modelVersionId }: Pick<World, 'projectId' | 'modelVersionId'>,
): Promise<string> {
  const file = await client.downloadModelFile({ versionId: modelVersionId });
  const { modelName } = await client.getModelVersion({ versionId: modelVersionId });
  const stream = await file.blob();
  return (await client.importModelFile({ projectId, modelName: `${modelName} copy`, stream })).id;
}

/** Makes a project called after `label` and fills it; `client` is an owner. */
export async function fillWorld(client: Client, label: string): Promise<World> {
  const { id: projectId } = await client.createProject({ body: { name: `${label} project` } });
  const table = await importTable(client, {
    projectId,
    name: `${label} table`,
    content: tableOf(label),
  });
  const recipe = { datasetVersionId: table.versionId, target: 'label', modelName: `${label} model` };
  const training = await client.createTraining({
    projectId,
    body: { ...recipe, budget: { seconds: 30, trials: 2 } },
  });
  await waitForJob(client, training.jobId);
  await until('the model version is there', async () => (await versionOf()) !== null);
  const modelVersionId = (await versionOf())!;
  const { modelId } = await client.getModelVersion({ versionId: modelVersionId });
  await client.setModelAlias({ modelId, alias: 'champion', body: { versionNumber: 1 } });
  const endpoint = await client.createEndpoint({
    projectId,
    body: { name: `${label}-endpoint`, modelVersionId },
  });
  const batch = await client.createBatch({
    projectId,
    body: {
      input: { kind: 'dataset-version', versionId: table.versionId },
      through: { kind: 'model-version', modelVersionId },
    },
  });
  await waitForJob(client, batch.jobId);
  const report = await client.makeMonitorReport({ endpointId: endpoint.id, body: {} });
  await waitForJob(client, report.jobId!);
  const challengerId = await importedCopy(client, { projectId, modelVersionId });
  const release = await client.startRelease({
    endpointId: endpoint.id,
    body: {
      modelVersionId: challengerId,
      strategy: { kind: 'challenger', role: 'shadow', trafficShare: 1 },
      note: `${label} release`,
    },
  });
  await client.rollBackRelease({ releaseId: release.id, body: {} });
  const comparison = await client.createComparison({
    endpointId: endpoint.id,
    body: { modelVersionId: challengerId },
  });
  await waitForJob(client, comparison.jobId);
  // There is nothing newer to learn from: it ends at once.
  const update = await client.startUpdate({ endpointId: endpoint.id });
  const budget = await client.setBudget({
    body: { scope: { kind: 'project', projectId }, period: 'total', capMicroUsd: 50_000_000 },
  });
  const { key } = await client.createKey({ body: { name: `${label} key`, role: 'viewer', projectId } });
  const { member } = await client.inviteMember({ body: { displayName: `${label} member`, role: 'viewer' } });
  return {
    label,
    projectId,
    ...table,
    trainingId: training.id,
    modelId,
    modelVersionId,
    endpointId: endpoint.id,
    batchId: batch.id,
    reportId: report.id,
    releaseId: release.id,
    comparisonId: comparison.id,
    updateId: update.id,
    budgetId: budget.id,
    keyId: key.id,
    userId: member.userId,
  };

  async function versionOf(): Promise<string | null> {
    return (await client.getTraining({ trainingId: training.id })).modelVersionId;
  }
}
