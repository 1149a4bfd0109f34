// Copies of remote blobs in a local folder of bounded size. What was not used for the longest time goes first, but
// nothing that was handed out within the last hour: whoever got a path may still open it.
import { utimes } from 'node:fs/promises';
import type { Sha256 } from '../../base/hash.ts';
import { hourMs } from '../../base/time.ts';
import type { BlobInfo, Blobs } from '../ports/blobs.ts';
import { openFileBlobs } from './file-blobs.ts';

const keepUsedMs = hourMs;

export interface BlobCopies {
  files: Blobs;
  /** Whether a copy is here; marks it as used. */
  use(sha256: Sha256): Promise<boolean>;
  /** Counts a copy that was added, and makes room when there are too many. */
  added(info: BlobInfo): Promise<void>;
}

/** Opens the copies in `folder`. What is in use may exceed `maxBytes` for a while. */
export async function openBlobCopies(folder: string, maxBytes: number): Promise<BlobCopies> {
  const files = await openFileBlobs({ folder });
  let totalBytes = 0;
  for await (const { sizeBytes } of files.list()) totalBytes += sizeBytes;
  return {
    files,

    use: async (sha256) => {
      if (!(await files.stat(sha256))) return false;
      const now = new Date();
      await utimes(await files.localPath(sha256), now, now);
      return true;
    },

    added: async ({ sizeBytes }) => {
      totalBytes += sizeBytes;
      if (totalBytes <= maxBytes) return;
      const kept = await Array.fromAsync(files.list());
      totalBytes = kept.reduce((sum, blob) => sum + blob.sizeBytes, 0);
      for (const blob of kept.sort((a, b) => a.storedAtMs - b.storedAtMs)) {
        if (totalBytes <= maxBytes || Date.now() - blob.storedAtMs < keepUsedMs) return;
        await files.remove(blob.sha256);
        totalBytes -= blob.sizeBytes;
      }
    },
  };
}
