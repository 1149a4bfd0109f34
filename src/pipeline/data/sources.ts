// Where a version's bytes come from. Every source ends up as parts in the blob store and is kept, so that a version can
// be read again with corrected options.
import { createReadStream } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { basename, isAbsolute, relative, sep } from 'node:path';
import { Problem } from '../../base/problems.ts';
import { hourMs } from '../../base/time.ts';
import type { ImportSource } from '../../contract/dataset.ts';
import type { Context } from '../../platform/context.ts';
import { findVersion, type SourcePart } from './rows.ts';
import { completedParts } from './uploads.ts';

/** What is known of a source before its bytes are fetched. */
export interface KnownSource {
  /** The file name or address, for people. */
  label: string;
  /** Parts that are in the blob store already; null: they have to be fetched. */
  parts: SourcePart[] | null;
  /** The most it can have. */
  maxBytes: number;
}

/**
 * Looks at a source without fetching it.
 * Throws `not-found`, `wrong-state`, `path-forbidden`, or `body-too-large`.
 */
export async function examineSource(
  context: Context,
  projectId: string,
  source: ImportSource,
): Promise<KnownSource> {
  switch (source.kind) {
    case 'upload':
      return await context.transaction(async (transaction) => {
        const { row, parts } = await completedParts(transaction, projectId, source.uploadId);
        return { label: row.fileName, parts, maxBytes: row.receivedBytes };
      });
    case 'version':
      return await context.transaction(async (transaction) => {
        const row = await findVersion(transaction, source.versionId);
        if (!row || row.projectId !== projectId)
          throw new Problem('not-found', `The project has no dataset version ${source.versionId}.`);
        if (!row.sourceParts)
          throw new Problem(
            'wrong-state',
            'The source of that version is not kept, or has not been fetched yet.',
          );
        return { label: row.sourceLabel, parts: row.sourceParts, maxBytes: sizeOf(row.sourceParts) };
      });
    case 'path': {
      const path = await allowedPath(context, source.path);
      const { size } = await stat(path);
      if (size > context.limits.maxUploadBytes)
        throw new Problem(
          'body-too-large',
          `A file may have at most ${context.limits.maxUploadBytes} bytes here.`,
        );
      return { label: basename(path), parts: null, maxBytes: size };
    }
    case 'url':
      return { label: source.url, parts: null, maxBytes: context.limits.maxUploadBytes };
    default:
      return source satisfies never;
  }
}

/** Fetches a source that is not in the blob store yet. */
export async function fetchSource(context: Context, source: ImportSource): Promise<SourcePart[]> {
  const { maxUploadBytes: maxBytes } = context.limits;
  const limits = { maxBytes, signal: context.signal };
  if (source.kind === 'path')
    return [await context.blobs.put(createReadStream(await allowedPath(context, source.path)), limits)];
  if (source.kind !== 'url')
    throw new Problem('wrong-state', 'The source is not there any more; send it again.');
  const response = await context.egress.fetch(source.url, {
    maxBytes,
    timeoutMs: 6 * hourMs,
    signal: context.signal,
  });
  if (response.status !== 200) {
    response.body.destroy();
    throw new Problem('source-failed', `The address answered with status ${response.status} instead of 200.`);
  }
  return [await context.blobs.put(response.body, limits)];
}

/** All bytes of a source. */
export function sizeOf(parts: readonly SourcePart[]): number {
  return parts.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}

/** The real path of a file in one of the import folders; symbolic links do not lead out of them. */
async function allowedPath({ limits }: Context, path: string): Promise<string> {
  // One answer for what is outside and for what is not there, so that nobody can explore the disk.
  const refusal = new Problem(
    'path-forbidden',
    'There is no such file in a folder that may be imported from.',
  );
  if (!isAbsolute(path) || path.includes('\0')) throw refusal;
  const real = await realpath(path).catch(() => undefined);
  if (real === undefined) throw refusal;
  for (const folder of limits.importFolders) {
    const realFolder = await realpath(folder).catch(() => undefined);
    if (realFolder === undefined) continue;
    const inside = relative(realFolder, real);
    const isInside =
      inside !== '' && inside !== '..' && !inside.startsWith(`..${sep}`) && !isAbsolute(inside);
    if (isInside && (await stat(real)).isFile()) return real;
  }
  throw refusal;
}
