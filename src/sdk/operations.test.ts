import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { operations } from '../contract/contract.ts';
import { operationsText } from './operations-text.ts';
import { operationTable } from './operations.ts';

test('the table of operations is the one that the contract gives', async () => {
  const stored = await readFile(new URL('./operations.ts', import.meta.url), 'utf8');
  assert.equal(stored, operationsText(operations), 'run "npm run generate"');
});

test('every operation of the contract is in the table', () => {
  assert.deepEqual(
    Object.keys(operationTable).sort(),
    operations.map(({ operationId }) => operationId).sort(),
  );
});

test('the SDK needs nothing at run time but itself', async () => {
  const loaded = new Set<string>();
  const pending = ['client.ts', 'list-all.ts', 'upload.ts', 'wait-for-job.ts'];
  for (let file; (file = pending.pop()) !== undefined;) {
    if (loaded.has(file)) continue;
    loaded.add(file);
    const source = await readFile(new URL(file, import.meta.url), 'utf8');
    for (const [, specifier] of source.matchAll(/^(?:import|export)\s(?!type\b)[^;]*?from '([^']+)'/gms)) {
      assert.match(specifier!, /^\.\/[a-z-]+\.ts$/, `${file} imports ${specifier}`);
      pending.push(specifier!.slice(2));
    }
  }
  assert.ok(loaded.has('send.ts'));
});
