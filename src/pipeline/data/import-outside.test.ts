// Imports against what lies outside: real data sets as they are, and a disk that is full.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { mountSmallDisk } from '../../platform/testing.ts';
import { profileBytes, taskContext, testLimits, withFolder } from './import-task.fixture.ts';
import { run } from './import-task.ts';

const sharedFolder = fileURLToPath(new URL('../../../../shared/data', import.meta.url));

suite(
  'every public data set is imported as it is',
  { skip: !existsSync(sharedFolder) && 'no ../shared/data' },
  async () => {
    const folders = existsSync(sharedFolder) ? await readdir(sharedFolder) : [];
    for (const folder of folders.filter((name) => !name.includes('.'))) {
      const names = (await readdir(join(sharedFolder, folder))).filter((name) => /\.csv(\.gz)?$/.test(name));
      for (const name of names) {
        test(`${folder}/${name}`, async () => {
          const imported = await profileBytes(await readFile(join(sharedFolder, folder, name)));
          assert.ok(imported.rowCount > 10);
          assert.equal(imported.profile.columns.length, imported.columns.length);
          assert.equal(imported.options.hasHeader, true);
        });
      }
    }
  },
);

test('a full disk is told, and nothing is left but the work folder', async (context) => {
  await withFolder(async (folder) => {
    const disk = join(folder, 'disk');
    await mkdir(disk);
    const mounted = mountSmallDisk(context, disk, 4);
    if (!mounted) return;
    try {
      const source = join(folder, 'source.csv');
      const row = (index: number): string =>
        `${Math.imul(index, 2654435761) >>> 0},${Math.imul(index, 40503) >>> 0}`;
      await writeFile(
        source,
        `a,b\n${Array.from({ length: 1_000_000 }, (_, index) => row(index)).join('\n')}\n`,
      );
      const work = run({ sourcePaths: [source], options: {}, limits: testLimits }, taskContext(disk));
      await assert.rejects(work, { code: 'disk-full' });
      const left = await readdir(disk);
      assert.ok(
        left.every((name) => !name.endsWith('.parquet')),
        left.join(),
      );
    } finally {
      mounted.unmount();
    }
  });
});
