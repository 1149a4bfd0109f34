import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { pages } from './pages.ts';

const root = new URL('../../../', import.meta.url);

for (const [path, text] of Object.entries(pages)) {
  test(`${path} is up to date`, async () => {
    assert.equal(await readFile(new URL(path, root), 'utf8'), text(), 'run "npm run generate"');
  });
}
