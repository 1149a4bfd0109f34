// Removes blobs that nothing refers to: parts of uploads that were never finished, content of deleted datasets, results
// of jobs whose transaction did not commit. Blobs are shared by content, so nobody removes one when they are done
// with it; this does, once it is old enough that no open transaction can still be about to refer to it.
import type { Clock } from '../../base/time.ts';
import { dayMs } from '../../base/time.ts';
import type { Blobs } from '../ports/blobs.ts';
import type { Database, Transaction } from '../ports/database.ts';

/** The addresses that one owner of blobs refers to, over all workspaces; in a system transaction. */
export type BlobReferences = (transaction: Transaction) => Promise<string[]>;

/** Storing content that is there already makes it young again (blob drivers do so), which keeps it from being removed. */
const oldEnoughMs = dayMs;

/**
 * Removes what is old and referred to by none of `owners`.
 * @returns how many blobs were removed
 */
export async function collectBlobs(
  { blobs, database, clock }: { blobs: Blobs; database: Database; clock: Clock },
  owners: readonly BlobReferences[],
): Promise<number> {
  const oldest = clock.nowMs() - oldEnoughMs;
  const candidates = new Set<string>();
  for await (const { sha256, storedAtMs } of blobs.list()) if (storedAtMs < oldest) candidates.add(sha256);
  if (candidates.size === 0) return 0;
  await database.asSystem('collect blobs', async (transaction) => {
    // oxlint-disable-next-line no-await-in-loop -- one connection
    for (const references of owners)
      for (const sha256 of await references(transaction)) candidates.delete(sha256);
  });
  let removedCount = 0;
  // Looked at once more: what was stored again meanwhile is young now.
  for await (const { sha256, storedAtMs } of blobs.list()) {
    if (storedAtMs >= oldest || !candidates.has(sha256)) continue;
    await blobs.remove(sha256);
    removedCount++;
  }
  return removedCount;
}
