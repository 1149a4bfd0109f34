// A signing key is withdrawn while its models answer: from a page, as the owner of a server would, with all that follows,
// for a model that answers, its explanations and exports, a download, the next training, and after a restart.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser } from 'playwright-core';
import type { PilviError } from '../src/sdk/pilvi-error.ts';
import { waitForJob } from '../src/sdk/wait-for-job.ts';
import { noChromium, openChromium } from './chromium.ts';
import { startProduct, until, type Product } from './product.ts';
import { importTable } from './world.ts';

const stepMs = 60_000;
const rows = [{ length: 9, colour: 'red' }];

let product: Product;
let browser: Browser | undefined;
let projectId: string;
let datasetVersionId: string;

before(async () => {
  product = await startProduct();
  projectId = (await product.client.listProjects({})).items[0]!.id;
  const lines = Array.from({ length: 120 }, (_, index) => {
    const length = (index * 37) % 11;
    return `${length},${['red', 'blue'][index % 2]},${length > 5 ? 'long' : 'short'}`;
  });
  const content = `length,colour,kind\n${lines.join('\n')}\n`;
  datasetVersionId = (await importTable(product.client, { projectId, name: 'kinds', content })).versionId;
});
after(async () => {
  await browser?.close();
  await product?.close();
});

async function trainedVersion(): Promise<string> {
  const { client } = product;
  const body = {
    datasetVersionId,
    target: 'kind',
    modelName: 'kinds',
    budget: { seconds: 30, trials: 2 },
  };
  const { id: trainingId, jobId } = await client.createTraining({ projectId, body });
  await waitForJob(client, jobId);
  const versionOf = async () => (await client.getTraining({ trainingId })).modelVersionId;
  await until('the model version is there', async () => (await versionOf()) !== null);
  return (await versionOf())!;
}

function isOfWithdrawnKey(error: PilviError): boolean {
  return error.code === 'signing-key-withdrawn';
}

test('withdrawn, signed anew, and gone on with', { skip: noChromium, timeout: 6 * stepMs }, async () => {
  const { client } = product;
  const versionId = await trainedVersion();
  const { id: endpointId } = await client.createEndpoint({
    projectId,
    body: { name: 'kinds', modelVersionId: versionId },
  });
  const answer = async () => (await client.predict({ endpointId, body: { rows } })).predictions[0];
  const before = await answer();
  const version = await client.getModelVersion({ versionId });
  const [key] = (await client.listSigningKeys({})).items;
  assert.equal(version.signature!.publicKey, key!.publicKey);

  // Brought to another place, by the packaged parts of the client, it answers the same without asking.
  const { createClient } = await import('pilvi/client');
  const { embedEndpoint } = await import('pilvi/embed');
  const { openModel } = await import('pilvi/predictor');
  const packaged = createClient({ baseUrl: product.url, token: product.token });
  const embedded = await embedEndpoint(packaged, { endpointId, openModel });
  const here = (): unknown => JSON.parse(JSON.stringify(embedded.model.predictRows(rows).predictions[0]));
  assert.deepEqual(here(), before);
  assert.equal(embedded.modelVersionId, versionId);
  assert.equal(await embedded.refresh(), false);

  browser = await openChromium();
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  page.setDefaultTimeout(stepMs);
  await page.goto(/http:\/\/\S+\/sign-in#code=\S+/.exec(product.output())![0]);
  await page.getByText('Drop a file').or(page.getByText('kinds')).first().waitFor();
  const { origin } = new URL(page.url());
  await page.goto(`${origin}/workspace/server`);
  await page.getByText('signs new models').waitFor();
  await page.getByRole('button', { name: 'Withdraw', exact: true }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Withdraw the key' }).click();
  await page.getByText('what it signed is not used').waitFor();

  await until('the warm endpoint refuses', () => answer().then(() => false, isOfWithdrawnKey));
  const body = { name: 'another', modelVersionId: versionId };
  await assert.rejects(client.createEndpoint({ projectId, body }), isOfWithdrawnKey);
  await assert.rejects(client.explainRows({ versionId, body: { rows } }), isOfWithdrawnKey);
  await assert.rejects(client.downloadModelFile({ versionId, format: 'onnx' }), isOfWithdrawnKey);
  const untrusted = { code: 'model-file-untrusted' };
  await assert.rejects(embedEndpoint(packaged, { endpointId, openModel }), untrusted);
  const [fresh, old] = (await client.listSigningKeys({})).items;
  assert.ok(fresh!.isCurrent && fresh!.withdrawnAt === null && old!.withdrawnAt !== null);
  const next = await client.getModelVersion({ versionId: await trainedVersion() });
  assert.equal(next.signature!.publicKey, fresh!.publicKey);
  await client.deployModel({
    endpointId,
    body: { deployments: [{ modelVersionId: next.id, trafficShare: 1 }] },
  });
  assert.equal(await embedded.refresh(), true);
  assert.equal(embedded.modelVersionId, next.id);
  assert.ok(here());
  const back = [{ modelVersionId: versionId, trafficShare: 1 }];

  await page.goto(`${origin}/projects/${projectId}/models/${version.modelId}?version=${versionId}`);
  await page.getByText('This version does not answer any more').waitFor();
  await page.getByRole('button', { name: 'Sign it anew' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Sign it' }).click();
  await page.getByText('Signed here. The signature fits the file.').waitFor();
  assert.equal(await page.getByText('This version does not answer any more').count(), 0);
  await client.deployModel({ endpointId, body: { deployments: back } });
  assert.deepEqual(await answer(), before);

  await product.stop();
  await product.start();
  assert.deepEqual(await answer(), before);
  const afterwards = (await client.listSigningKeys({})).items;
  assert.deepEqual(
    afterwards.map(({ publicKey }) => publicKey),
    [fresh!.publicKey, old!.publicKey],
  );
  const lines = (await client.listAuditLines({ limit: 100 })).items;
  for (const subjectId of [old!.publicKey, versionId])
    assert.ok(lines.some((line) => line.subjectId === subjectId && line.action === 'key:manage'));
});
