// The dialog that brings a foreign model in, as a person uses it: what is missing is asked for at its field, and the
// model answers in the page after it.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { noChromium } from './chromium.ts';
import { openProductPage, signIn, stepMs, type ProductPage } from './product-page.ts';

const file = fileURLToPath(new URL('./foreign-models/sklearn-pipeline.onnx', import.meta.url));
const skip = noChromium;

let opened: ProductPage;

before(async () => {
  if (skip === false) opened = await openProductPage();
});
after(() => opened?.close());

test('from an .onnx file to an answer in the page', { skip, timeout: 6 * stepMs }, async () => {
  const { page } = opened;
  await signIn(opened);
  await page.getByRole('link', { name: 'Models', exact: true }).click();
  await page.getByRole('button', { name: 'Import a model' }).click();
  await page.locator('input[type=file]').setInputFiles(file);
  await page.getByRole('button', { name: 'Say more' }).click();
  await page.getByLabel('What it predicts').fill('left');
  const columns = page.getByLabel('Names of the columns').first();
  for (const name of ['age', 'town']) {
    await columns.fill(name);
    await columns.press('Enter');
  }
  await page.getByRole('button', { name: 'Import', exact: true }).click();
  await page.getByText('the model takes 3 columns, and 2 are named').waitFor();
  await columns.fill('visits');
  await columns.press('Enter');
  await page.getByRole('button', { name: 'Import', exact: true }).click();
  await page.getByText('written by skl2onnx').waitFor();
  await page.getByText('Predicts left').waitFor();

  await page.getByRole('button', { name: 'Deploy' }).first().click();
  await page.getByRole('dialog').getByRole('button', { name: 'Deploy' }).click();
  await page.waitForURL(/\/endpoints\/ep_/);
  await page.getByRole('button', { name: 'Predict', exact: true }).click();
  await page.getByText('must be given: the model knows no missing values here').first().waitFor();
  await page.getByLabel('visits').fill('3');
  await page.getByRole('button', { name: 'Predict', exact: true }).click();
  await page.getByText(/about \d+ are “(yes|no)”/).waitFor();
  assert.equal(await page.getByRole('button', { name: 'Why this answer?' }).count(), 0);
});
