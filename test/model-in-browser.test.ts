// A model file answers in a browser as it does in Node: the bundled predictor is loaded into a page, with a file of every
// learner, task and kind of column, signed, and each number is compared by its bits. And the bundle is as small as it is said.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { Browser, Page } from 'playwright-core';
import { openModel, writeModel } from '../src/ml/model/model.ts';
import { freshSigner, signed } from '../src/ml/model/testing/mend.ts';
import { oddRows } from '../src/ml/model/testing/rows.ts';
import { sampleModels } from '../src/ml/model/testing/samples.ts';
import { openExplainer } from '../src/ml/explain/explainer.ts';
import { bundlePredictor, explainer } from '../tools/bundle-predictor.ts';
import { answersInBits } from '../src/ml/model/testing/answers-in-bits.ts';
import { noChromium, openChromium } from './chromium.ts';

const signer = await freshSigner();

/** Of the predictor of every learner, gzipped. */
const mostPredictorBytes = 30_000;
/** Pages of this origin may use WebCrypto; nobody listens there, the tests answer. */
const origin = 'http://localhost';
type InPage = typeof globalThis & {
  answersInBits: typeof answersInBits;
  openExplainer: typeof openExplainer;
};

let browser: Browser | undefined;
let page: Page;

before(async () => {
  if (noChromium !== false) return;
  browser = await openChromium();
  page = await browser.newPage();
  const { code } = await bundlePredictor(
    `${explainer} export { answersInBits } from './src/ml/model/testing/answers-in-bits.ts';`,
  );
  await page.route(`${origin}/**`, (route) =>
    route.request().url().endsWith('.js')
      ? route.fulfill({ contentType: 'text/javascript', body: code })
      : route.fulfill({ contentType: 'text/html', body: '<!doctype html>' }),
  );
  await page.goto(origin);
  await page.addScriptTag({
    type: 'module',
    content:
      "import { answersInBits, openExplainer } from '/answers.js'; Object.assign(globalThis, { answersInBits, openExplainer });",
  });
  await page.waitForFunction(() => 'answersInBits' in globalThis);
});
after(() => browser?.close());

test('the bundled predictor is at most 30 kB gzipped and needs nothing else', async (context) => {
  const { code, imports, sources } = await bundlePredictor();
  const sizeBytes = gzipSync(code, { level: 9 }).length;
  context.diagnostic(`the predictor: ${sizeBytes} bytes gzipped, ${code.length} plain`);
  assert.ok(sizeBytes <= mostPredictorBytes, `${sizeBytes} bytes`);
  assert.deepEqual(imports, []);
  assert.doesNotMatch(code, /\bnode:|\brequire\(|\bimport\(/);
  const strangers = sources.filter((path) => !/^src\/(base|ml\/(model|frame))\//.test(path));
  assert.deepEqual(strangers, []);
});

test('the bundled explainer needs nothing else either', async (context) => {
  const { code, imports, sources } = await bundlePredictor(explainer);
  context.diagnostic(`the explainer: ${gzipSync(code, { level: 9 }).length} bytes gzipped`);
  assert.deepEqual(imports, []);
  assert.doesNotMatch(code, /\bnode:|\brequire\(|\bimport\(/);
  assert.deepEqual(
    sources.filter((path) => !/^src\/(base|ml\/(model|frame|explain))\//.test(path)),
    [],
  );
});

for (const task of ['binary', 'multiclass', 'regression'] as const) {
  test(`${task}: every learner has equal bits in Node and in Chromium`, { skip: noChromium }, async () => {
    for (const { name, model } of await sampleModels([task])) {
      const rows = [...model.goldenRows, ...oddRows, ...model.goldenRows];
      const file = await signed(await writeModel(model), signer);
      const here = await answersInBits(file, rows);
      assert.match(here, /"[0-9a-f]{16}"/);
      assert.doesNotMatch(here, /"[7f]ff[0-9a-f]{13}"/, `${name} answers with finite numbers alone`);
      assert.equal(await inPage(file, rows), here, name);
    }
  });
}

test('a page explains as Node does, from the file alone', { skip: noChromium }, async () => {
  for (const { name, model } of await sampleModels(['multiclass', 'regression'])) {
    const file = await writeModel(model);
    const rows = [...model.goldenRows.slice(0, 3), ...oddRows];
    const here = (await openExplainer(file.slice())).explain(rows);
    assert.equal(here.comparedWith, 'background-rows');
    const there = await page.evaluate(
      async ({ base64, asked }) => {
        const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
        return JSON.stringify((await (globalThis as InPage).openExplainer(bytes)).explain(asked));
      },
      { base64: Buffer.from(file).toString('base64'), asked: rows as Record<string, unknown>[] },
    );
    assert.equal(there, JSON.stringify(here), name);
  }
});

test('a page refuses what Node refuses', { skip: noChromium }, async () => {
  const [sample] = await sampleModels(['regression']);
  const file = await signed(await writeModel(sample!.model), signer);
  await openModel(file);
  for (const at of [0, 20, 50, 100, file.length >> 1, file.length - 1]) {
    const changed = file.slice();
    changed[at]! ^= 1;
    await assert.rejects(openModel(changed), { code: 'model-file-invalid' });
    await assert.rejects(inPage(changed, []), /The model file cannot be used/);
  }
});

/** The answers in the page. Bytes go there as base64, rows as JSON. */
async function inPage(file: Uint8Array, rows: readonly Record<string, unknown>[]): Promise<string> {
  return await page.evaluate(
    async ({ base64, asked }) => {
      const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
      return await (globalThis as InPage).answersInBits(bytes, asked);
    },
    { base64: Buffer.from(file).toString('base64'), asked: rows as Record<string, unknown>[] },
  );
}
