// The spool: what was written is read, from memory or from disk, and nothing stays behind.
import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { Spool } from './spool.ts';

async function contentOf(spool: Spool): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of spool.read()) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

test('what is read is what was written, in memory or not', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.string({ unit: 'grapheme' })), fc.nat(40), async (parts, maxMemoryBytes) => {
      const spool = new Spool(maxMemoryBytes);
      for (const part of parts) await spool.write(part);
      const text = parts.join('');
      assert.equal(spool.sizeBytes, Buffer.byteLength(text));
      assert.equal(await contentOf(spool), text);
    }),
    { numRuns: 60, seed: 20261122 },
  );
});

test('its file is in no folder, and a reader that leaves frees it', async () => {
  const home = await mkdtemp(join(tmpdir(), 'pilvi-spool-'));
  const before = process.env['TMPDIR'];
  process.env['TMPDIR'] = home;
  try {
    const spool = new Spool(10);
    await spool.write('x'.repeat(200_000));
    assert.deepEqual(await readdir(home), []);
    for await (const chunk of spool.read()) {
      assert.ok(chunk.length < 200_000);
      break;
    }
    await spool.discard();
  } finally {
    if (before === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = before;
    await rm(home, { recursive: true, force: true });
  }
});
