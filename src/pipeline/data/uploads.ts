// Resumable uploads: bytes arrive in parts, each part is a blob, and what arrived before a cut is kept. No name or path
// of the sender reaches the file system.
import type { z } from 'zod';
import { Problem } from '../../base/problems.ts';
import { dayMs, toIso } from '../../base/time.ts';
import type { upload } from '../../contract/upload.ts';
import type { Context } from '../../platform/context.ts';
import type { Transaction } from '../../platform/ports/database.ts';
import { requireProject } from '../../platform/tenancy/tenancy.ts';
import { addPart, addUpload, findUpload, partsOf, type SourcePart, type UploadRow } from './rows.ts';

export type Upload = z.output<typeof upload>;

const keptMs = 2 * dayMs;

/** Begins an upload. Throws `body-too-large` when what is announced is more than is taken. */
export async function createUpload(
  context: Context,
  input: { projectId: string; fileName: string; sizeBytes: number | null },
): Promise<Upload> {
  const { projectId, fileName, sizeBytes } = input;
  if (sizeBytes !== null && sizeBytes > context.limits.maxUploadBytes) throw tooLarge(context);
  const nowMs = context.clock.nowMs();
  return await context.transaction(async (transaction) => {
    await requireProject(transaction, projectId);
    const row = await addUpload(transaction, {
      id: context.newId('upload'),
      workspaceId: context.workspaceId,
      projectId,
      fileName,
      sizeBytes,
      receivedBytes: 0,
      createdAt: new Date(nowMs),
      expiresAt: new Date(nowMs + keptMs),
    });
    return showUpload(row);
  });
}

/** How much has arrived. Throws `not-found`. */
export async function getUpload(context: Context, uploadId: string): Promise<Upload> {
  return showUpload(await context.transaction((transaction) => requireUpload(transaction, uploadId)));
}

/**
 * Takes bytes from `offset` on. When the sender is cut off, what came is kept and the next call goes on behind it.
 * Throws `wrong-state` for an offset that is not where the upload ends, saying where that is.
 */
export async function appendUpload(
  context: Context,
  input: { uploadId: string; offset: number; stream: AsyncIterable<Uint8Array> },
): Promise<Upload> {
  const before = await context.transaction((transaction) => requireUpload(transaction, input.uploadId));
  assertContinues(before, input.offset);
  const roomBytes = (before.sizeBytes ?? context.limits.maxUploadBytes) - before.receivedBytes;
  const cut: { error?: unknown } = {};
  const part = await context.blobs.put(untilCut(input.stream, cut), { maxBytes: roomBytes });
  const after = await context.transaction(async (transaction) => {
    // Somebody else may have appended meanwhile: one of the two is first, the other is told where the upload ends.
    const row = await requireUpload(transaction, input.uploadId, { lock: true });
    assertContinues(row, input.offset);
    return part.sizeBytes === 0 ? row : await addPart(transaction, row, part);
  });
  if (cut.error !== undefined) throw cut.error;
  return showUpload(after);
}

/** The parts of an upload that has arrived whole. Throws `not-found` or `wrong-state`. */
export async function completedParts(
  transaction: Transaction,
  projectId: string,
  uploadId: string,
): Promise<{ row: UploadRow; parts: SourcePart[] }> {
  const row = await requireUpload(transaction, uploadId);
  if (row.projectId !== projectId) throw new Problem('not-found', `The project has no upload ${uploadId}.`);
  if (!isComplete(row))
    throw new Problem(
      'wrong-state',
      `The upload has ${row.receivedBytes} of ${row.sizeBytes} bytes; send the rest first.`,
    );
  return { row, parts: await partsOf(transaction, uploadId) };
}

async function requireUpload(
  transaction: Transaction,
  uploadId: string,
  options: { lock?: boolean } = {},
): Promise<UploadRow> {
  const row = await findUpload(transaction, uploadId, options);
  if (!row) throw new Problem('not-found', `There is no upload ${uploadId}; it may have expired.`);
  return row;
}

function assertContinues(row: UploadRow, offset: number): void {
  if (offset === row.receivedBytes) return;
  throw new Problem('wrong-state', `The upload goes on at byte ${row.receivedBytes}, not at ${offset}.`, {
    errors: [{ field: 'offset', message: `must be ${row.receivedBytes}` }],
  });
}

/** The chunks until the sender is done or cut off; a cut is remembered in `cut` instead of thrown. */
async function* untilCut(
  stream: AsyncIterable<Uint8Array>,
  cut: { error?: unknown },
): AsyncGenerator<Uint8Array> {
  try {
    yield* stream;
  } catch (error) {
    cut.error = error;
  }
}

/** An upload of unknown size is complete whenever something has arrived: the import takes what is there. */
function isComplete({ sizeBytes, receivedBytes }: UploadRow): boolean {
  return sizeBytes === null ? receivedBytes > 0 : receivedBytes >= sizeBytes;
}

function tooLarge({ limits }: Context): Problem {
  return new Problem('body-too-large', `A file may have at most ${limits.maxUploadBytes} bytes here.`);
}

function showUpload(row: UploadRow): Upload {
  const { id, fileName, receivedBytes, sizeBytes, expiresAt } = row;
  return {
    id,
    fileName,
    receivedBytes,
    sizeBytes,
    state: isComplete(row) ? 'complete' : 'receiving',
    expiresAt: toIso(expiresAt.getTime()),
  };
}
