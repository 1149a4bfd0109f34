// Puts a blob that never ends, and says so once some of it was written: `node file-blobs-put.fixture.ts FOLDER`.
import { randomBytes } from 'node:crypto';
import { openFileBlobs } from './file-blobs.ts';

const blobs = await openFileBlobs({ folder: process.argv[2]! });

await blobs.put(slowly(), { maxBytes: Infinity });

async function* slowly(): AsyncGenerator<Uint8Array> {
  for (let count = 1; ; count++) {
    yield randomBytes(65_536);
    if (count === 20) process.stdout.write('writing\n');
    if (count > 20) await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
