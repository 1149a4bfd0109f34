// Blobs as files: the port's promises, and what only a file system can do to them: full disks and killed processes.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { mountSmallDisk } from '../testing.ts';
import { blobsConformance } from './blobs.conformance.ts';
import { openFileBlobs } from './file-blobs.ts';

const mib = 1_048_576;

async function temporaryFolder(context: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'pilvi-test-'));
  context.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

blobsConformance('files', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'pilvi-test-'));
  return {
    blobs: await openFileBlobs({ folder }),
    leftovers: () => readdir(join(folder, 'staging')),
    close: () => rm(folder, { recursive: true }),
  };
});

test(
  'files are private, and read-only once they are stored',
  { skip: process.platform === 'win32' },
  async (context) => {
    const folder = await temporaryFolder(context);
    const blobs = await openFileBlobs({ folder: join(folder, 'files') });
    const { sha256 } = await blobs.put(Readable.from([randomBytes(10)]), { maxBytes: 10 });
    const modeOf = async (path: string): Promise<number> => (await stat(path)).mode & 0o777;
    assert.equal(await modeOf(await blobs.localPath(sha256)), 0o400);
    assert.equal(await modeOf(join(folder, 'files', 'blobs')), 0o700);
  },
);

test('opening removes what dead processes staged, and leaves what living ones do', async (context) => {
  const folder = await temporaryFolder(context);
  const staging = join(folder, 'staging');
  await mkdir(staging, { recursive: true });
  const child = spawn(process.execPath, ['--version'], { stdio: 'ignore' });
  await once(child, 'exit');
  const names = [`${child.pid}-dead`, `${process.pid}-living`, `${process.pid}-old`, 'foreign'];
  for (const name of names) await writeFile(join(staging, name), 'half');
  const lastWeek = new Date(Date.now() - 7 * 86_400_000);
  await utimes(join(staging, `${process.pid}-old`), lastWeek, lastWeek);
  await openFileBlobs({ folder });
  assert.deepEqual(await readdir(staging), [`${process.pid}-living`]);
});

test('kill -9 during a put leaves nothing that can be read', async (context) => {
  const folder = await temporaryFolder(context);
  const fixture = fileURLToPath(new URL('./file-blobs-put.fixture.ts', import.meta.url));
  for (let time = 0; time < 5; time++) {
    const child = spawn(process.execPath, [fixture, folder], { stdio: ['ignore', 'pipe', 'inherit'] });
    // It says so when bytes are on their way to the disk.
    await once(child.stdout, 'data');
    child.kill('SIGKILL');
    await once(child, 'exit');
    assert.equal((await readdir(join(folder, 'staging'))).length, 1);
    const blobs = await openFileBlobs({ folder });
    assert.deepEqual(await Array.fromAsync(blobs.list()), []);
    assert.deepEqual(await readdir(join(folder, 'staging')), []);
  }
});

test('a full disk is said to be full, keeps what it has, and takes more once there is room', async (context) => {
  const folder = await temporaryFolder(context);
  const disk = mountSmallDisk(context, folder, 4);
  if (!disk) return;
  try {
    const blobs = await openFileBlobs({ folder });
    const first = await blobs.put(Readable.from([randomBytes(2 * mib)]), { maxBytes: Infinity });
    const large = Array.from({ length: 48 }, () => randomBytes(65_536));
    await assert.rejects(blobs.put(Readable.from(large), { maxBytes: Infinity }), { code: 'disk-full' });
    assert.deepEqual(await readdir(join(folder, 'staging')), []);
    assert.deepEqual(
      (await Array.fromAsync(blobs.list())).map(({ sha256 }) => sha256),
      [first.sha256],
    );

    // From another file system, so that the file has to be copied; a failed copy leaves the original.
    const outside = join(await temporaryFolder(context), 'finished');
    await writeFile(outside, Buffer.concat(large));
    await assert.rejects(blobs.putFile(outside), { code: 'disk-full' });
    assert.deepEqual(await readdir(join(folder, 'staging')), []);
    assert.equal((await stat(outside)).size, 3 * mib);

    await blobs.remove(first.sha256);
    assert.equal((await blobs.putFile(outside)).sizeBytes, 3 * mib);
    await assert.rejects(stat(outside), { code: 'ENOENT' });
  } finally {
    disk.unmount();
  }
});
