// The dialog that brings a foreign model in, as a person uses it: what is missing is asked for at its field, and the
// model answers in the page after it.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { noChromium, openChromium } from './chromium.ts';
import { startProduct, type Product } from './product.ts';

const file = fileURLToPath(new URL('./foreign-models/sklearn-pipeline.onnx', import.meta.url));
const stepMs = 120_000;
const skip = noChromium;

let product: Product;
let browser: Browser;
let page: Page;

before(async () => {
  if (skip !== false) return;
  product = await startProduct();
  browser = await openChromium();
  page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  page.setDefaultTimeout(stepMs);
});
after(async () => {
  await browser?.close();
  await product?.close();
});

test('from an .onnx file to an answer in the page', { skip, timeout: 6 * stepMs }, async () => {
  await page.goto(/http:\/\/\S+\/sign-in#code=\S+/.exec(product.output())![0]);
  await page.getByText('Drop a file').first().waitFor();
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
