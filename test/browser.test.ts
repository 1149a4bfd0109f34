// The product as a new user meets it: the printed link, a dropped file, a training, a deployment, a prediction in the
// page and over HTTP. Prints how long the way took; whoever wants that as a figure reads docs/benchmarks.md.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { noChromium } from './chromium.ts';
import { openProductPage, signIn, stepMs, type ProductPage } from './product-page.ts';

const adult = fileURLToPath(new URL('../../shared/data/adult/data.csv.gz', import.meta.url));
const skip = noChromium || (existsSync(adult) ? false : 'the data set adult is not there');
/** Set to keep a picture of each page. */
const pictures = process.env['PILVI_TEST_PICTURES'];

let opened: ProductPage;

before(async () => {
  if (skip === false) opened = await openProductPage();
});
after(async () => {
  // Where it stopped, when it stopped early.
  if (opened) await look('last').catch(() => undefined);
  await opened?.close();
});

async function look(name: string): Promise<void> {
  if (pictures === undefined) return;
  await mkdir(pictures, { recursive: true });
  await opened.page.screenshot({ path: join(pictures, `${name}.png`), fullPage: true });
}

test('from the printed link to a prediction, with adult', { skip, timeout: 10 * stepMs }, async (context) => {
  const { product, page, problems } = opened;
  await signIn(opened);
  await look('1-welcome');

  const begunMs = performance.now();
  await page.locator('input[type=file]').first().setInputFiles(adult);
  await page.getByRole('button', { name: 'Import', exact: true }).waitFor();
  await look('2-preview');
  await page.getByLabel('Name of the dataset').fill('adult');
  await page.getByRole('button', { name: 'Import', exact: true }).click();
  await page.getByRole('link', { name: 'Predict a column' }).first().click();
  await page.getByRole('button', { name: /^income/ }).click();
  await page.getByRole('button', { name: 'Start the training' }).waitFor();
  await page.getByRole('button', { name: 'Exact figures' }).click();
  await page.getByLabel('Seconds').fill('20');
  await look('3-wizard');
  await page.getByRole('button', { name: 'Start the training' }).click();
  await page.getByRole('link', { name: 'Open the model' }).waitFor();
  await look('4-training');
  await page.getByRole('link', { name: 'Open the model' }).click();
  await page.getByRole('button', { name: 'Deploy' }).first().click();
  await look('5-model');
  await page.getByRole('dialog').getByRole('button', { name: 'Deploy' }).click();
  await page.waitForURL(/\/endpoints\/ep_/);
  const wayMs = performance.now() - begunMs;
  context.diagnostic(`from the file to a deployed endpoint: ${(wayMs / 1000).toFixed(1)} s`);

  await page.getByRole('button', { name: 'Predict', exact: true }).click();
  await page
    .getByRole('heading', { name: /50K/ })
    .or(page.getByText(/(<=|>)50K/))
    .first()
    .waitFor();
  await look('6-endpoint');

  const endpointId = /ep_\w+/.exec(page.url())![0];
  const { client } = product;
  const endpoint = await client.getEndpoint({ endpointId });
  const version = await client.getModelVersion({ versionId: endpoint.deployments[0]!.modelVersionId });
  context.diagnostic(`AUC on the locked holdout: ${version.evaluation!.metrics['auc']!.toFixed(4)}`);
  assert.ok(version.evaluation!.metrics['auc']! >= 0.92, 'a good model');
  const row = Object.fromEntries(endpoint.fields.map(({ name, example }) => [name, example]));
  const answer = await client.predict({ endpointId, body: { rows: [row] } });
  assert.ok(['<=50K', '>50K'].includes(String(answer.predictions[0]!.prediction)));
  assert.deepEqual(problems, []);
});
