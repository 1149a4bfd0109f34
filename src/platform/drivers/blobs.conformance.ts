// What every blob driver keeps (ports/blobs.ts), as one suite: whole or not at all, addressed by content, and no
// address of a caller's making reaches what lies behind.
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { access, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { after, before, suite, test } from 'node:test';
import fc from 'fast-check';
import { sha256 as hashOf } from '../../base/hash.ts';
import { Problem } from '../../base/problems.ts';
import type { Blobs } from '../ports/blobs.ts';

/** A store with nothing in it. */
export interface OpenedBlobs {
  blobs: Blobs;
  /** Names of whatever lies in the store besides finished blobs: after each failure there is nothing. */
  leftovers(): Promise<string[]>;
  close(): Promise<void>;
}

const unlimited = { maxBytes: Infinity };
const mib = 1_048_576;

/** Runs the suite on the store that `open` opens. */
export function blobsConformance(name: string, open: () => Promise<OpenedBlobs>): void {
  suite(`${name} keep the promises of the blobs port`, () => {
    let opened: OpenedBlobs;
    let blobs: Blobs;
    let folder: string;
    before(async () => {
      opened = await open();
      blobs = opened.blobs;
      folder = await mkdtemp(join(tmpdir(), 'pilvi-test-'));
    });
    after(async () => {
      await rm(folder, { recursive: true });
      await opened.close();
    });

    const put = (bytes: Uint8Array) => blobs.put(Readable.from([bytes]), unlimited);
    const listed = async () =>
      (await Array.fromAsync(blobs.list())).map(({ sha256, sizeBytes }) => `${sha256} ${sizeBytes}`).sort();

    /** Runs what has to fail, and checks that the store is as it was before. */
    async function assertLeavesNothing(work: () => Promise<unknown>, code: string): Promise<void> {
      const listedBefore = await listed();
      await assert.rejects(work, (error) => error instanceof Problem && error.code === code);
      assert.deepEqual(await listed(), listedBefore);
      assert.deepEqual(await opened.leftovers(), []);
    }

    test('what is put comes back the same, by its SHA-256', async () => {
      for (const sizeBytes of [0, 1, 65_535, 65_536, 65_537, 40 * mib + 1]) {
        const bytes = randomBytes(sizeBytes);
        const info = await put(bytes);
        assert.deepEqual(info, { sha256: await hashOf(bytes), sizeBytes });
        assert.deepEqual(await blobs.stat(info.sha256), info);
        assert.ok((await buffer(await blobs.open(info.sha256))).equals(bytes));
        assert.ok((await readFile(await blobs.localPath(info.sha256))).equals(bytes));
        assert.ok((await listed()).includes(`${info.sha256} ${sizeBytes}`));
      }
      assert.deepEqual(await opened.leftovers(), []);
    });

    test('the address depends on the bytes, not on how they arrive', () =>
      fc.assert(
        fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 20 }), async (chunks) => {
          const info = await blobs.put(Readable.from(chunks), unlimited);
          const bytes = Buffer.concat(chunks);
          assert.deepEqual(info, { sha256: await hashOf(bytes), sizeBytes: bytes.byteLength });
        }),
        { numRuns: 20 },
      ));

    test('a range is a slice, also where it goes beyond the end', async () => {
      const bytes = randomBytes(100_000);
      const { sha256 } = await put(bytes);
      const position = fc.nat({ max: 120_000 });
      await fc.assert(
        fc.asyncProperty(position, position, async (start, end) => {
          const found = await buffer(await blobs.open(sha256, { start, end }));
          assert.ok(found.equals(bytes.subarray(start, end)), `${start} to ${end}`);
        }),
        {
          numRuns: 30,
          examples: [
            [0, 0],
            [0, 100_000],
            [99_999, 100_001],
            [100_000, 100_001],
            [5, 4],
          ],
        },
      );
    });

    test('equal content is stored once, however many put it at the same time', async () => {
      const bytes = randomBytes(mib);
      const infos = await Promise.all(Array.from({ length: 8 }, () => put(bytes)));
      assert.equal(new Set(infos.map((info) => info.sha256)).size, 1);
      assert.equal((await listed()).filter((line) => line.startsWith(infos[0]!.sha256)).length, 1);
      assert.ok((await buffer(await blobs.open(infos[0]!.sha256))).equals(bytes));
    });

    test('more than the limit is refused, at the limit it is stored', async () => {
      const bytes = randomBytes(1000);
      await assertLeavesNothing(() => blobs.put(Readable.from([bytes]), { maxBytes: 999 }), 'body-too-large');
      assert.equal((await blobs.put(Readable.from([bytes]), { maxBytes: 1000 })).sizeBytes, 1000);
    });

    test('an endless source is cut at the limit', () =>
      assertLeavesNothing(() => blobs.put(endless(), { maxBytes: 3 * mib }), 'body-too-large'));

    test('a source that fails leaves nothing, and its failure comes out', async () => {
      const source = async function* () {
        yield randomBytes(mib);
        throw new Problem('source-failed', 'test');
      };
      await assertLeavesNothing(() => blobs.put(source(), unlimited), 'source-failed');
    });

    test('a transfer that is aborted ends at once and leaves nothing', async () => {
      const controller = new AbortController();
      const source = async function* () {
        yield randomBytes(mib);
        setImmediate(() => controller.abort());
        await new Promise(() => {}); // A peer that went silent.
      };
      await assertLeavesNothing(
        () => blobs.put(source(), { ...unlimited, signal: controller.signal }),
        'cancelled',
      );
      const aborted = AbortSignal.abort();
      await assertLeavesNothing(() => blobs.put(endless(), { ...unlimited, signal: aborted }), 'cancelled');
    });

    test('a finished file is taken over', async () => {
      const bytes = randomBytes(20 * mib + 5);
      const path = join(folder, 'finished');
      await writeFile(path, bytes);
      const info = await blobs.putFile(path);
      assert.deepEqual(info, { sha256: await hashOf(bytes), sizeBytes: bytes.byteLength });
      assert.ok((await buffer(await blobs.open(info.sha256))).equals(bytes));
      await assert.rejects(access(path), { code: 'ENOENT' });
    });

    test('a link in place of a file is not followed', async () => {
      const secret = join(folder, 'secret');
      const link = join(folder, 'link');
      await writeFile(secret, 'secret');
      await symlink(secret, link);
      await assert.rejects(blobs.putFile(link));
      assert.equal(await blobs.stat(await hashOf('secret')), undefined);
      assert.deepEqual(await opened.leftovers(), []);
      assert.equal(await readFile(secret, 'utf8'), 'secret');
    });

    test('what is removed is gone; removing it again is fine', async () => {
      const { sha256 } = await put(randomBytes(10));
      await blobs.remove(sha256);
      await blobs.remove(sha256);
      assert.equal(await blobs.stat(sha256), undefined);
      await assert.rejects(blobs.open(sha256), { code: 'not-found' });
      await assert.rejects(blobs.open(sha256, { start: 3, end: 3 }), { code: 'not-found' });
      await assert.rejects(blobs.localPath(sha256), { code: 'not-found' });
      assert.ok(!(await listed()).some((line) => line.startsWith(sha256)));
    });

    test('a reader that leaves early harms nobody', async () => {
      const bytes = randomBytes(4 * mib);
      const { sha256 } = await put(bytes);
      for (let time = 0; time < 20; time++) {
        const stream = await blobs.open(sha256);
        for await (const chunk of stream) {
          assert.ok(chunk);
          break;
        }
        assert.ok(stream.destroyed);
      }
      assert.ok((await buffer(await blobs.open(sha256))).equals(bytes));
    });

    test('an address that is no SHA-256 names nothing, in 500 disguises', async () => {
      const { sha256 } = await put(randomBytes(10));
      for (const address of hostileAddresses(sha256, folder)) {
        assert.equal(await blobs.stat(address), undefined, address);
        await assert.rejects(blobs.open(address), { code: 'not-found' }, address);
        await assert.rejects(blobs.localPath(address), { code: 'not-found' }, address);
        await blobs.remove(address);
      }
      assert.ok(await blobs.stat(sha256));
      await access(folder);
    });

    test('it answers', () => blobs.ping());
  });
}

async function* endless(): AsyncGenerator<Uint8Array> {
  for (;;) yield randomBytes(65_536);
}

/** At least 500 strings that are no address but would like to be a path, a key or somebody else's address. */
function hostileAddresses(sha256: string, target: string): string[] {
  const up = [
    '../',
    '..\\',
    './../',
    '....//',
    '..;/',
    '.%2e/',
    '%2e%2e%2f',
    '%252e%252e%252f',
    '..%c0%af',
    '..%5c',
    '\u2024\u2024/',
    '\uff0e\uff0e\uff0f',
    '..\0/',
  ];
  const ends = [
    'etc/passwd',
    sha256,
    `blobs/${sha256.slice(0, 2)}/${sha256}`,
    target,
    '',
    'staging',
    'blobs',
  ];
  const climbs = up.flatMap((step) =>
    [1, 2, 3, 5, 8].flatMap((depth) => ends.map((end) => `${step.repeat(depth)}${end}`)),
  );
  const disguises = [
    sha256.toUpperCase(),
    ` ${sha256}`,
    `${sha256} `,
    `${sha256}\n`,
    `${sha256}\0`,
    `${sha256}/`,
    `${sha256}/.`,
    `/${sha256}`,
    `file://${sha256}`,
    `${sha256}?versionId=1`,
    `${sha256}#`,
    sha256.slice(1),
    `${sha256}0`,
    `${sha256.slice(0, 62)}..`,
    `${'.'.repeat(64)}`,
    `${'/'.repeat(64)}`,
    '../'.repeat(22).slice(0, 64),
    createHash('md5').update('').digest('hex'),
    target,
    '',
    '.',
    '..',
    'CON',
    '__proto__',
    '*',
  ];
  const all = [
    ...new Set([...climbs, ...disguises, ...climbs.map((climb) => climb.padEnd(64, '0').slice(0, 64))]),
  ];
  assert.ok(all.length >= 500, `only ${all.length}`);
  return all;
}
