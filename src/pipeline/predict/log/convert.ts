// Makes a Parquet part of a segment, exactly once: the part and the note that its segment is in it are one transaction,
// so that a segment that is found again after a crash is only removed. Small parts of the same deployment and day are
// taken into the new one, which keeps their number low however often somebody looks.
import { rm } from 'node:fs/promises';
import { dayMs, minuteMs } from '../../../base/time.ts';
import type { Services } from '../../../platform/context.ts';
import type { Transaction } from '../../../platform/ports/database.ts';
import { keepEndpoint } from '../../deploy/deploy.ts';
import { fieldColumns } from './layout.ts';
import type { PartFacts, PartTaskInput, PartTaskOutput } from './part-task.ts';
import {
  addPart,
  dropParts,
  findParts,
  forgetSegment,
  isConverted,
  markConverted,
  type PartRow,
} from './rows.ts';
import type { Segment, SegmentFolder } from './segments.ts';

const smallRowCount = 50_000;
const smallBytes = 16 * 1_048_576;
const mostMerged = 20;
const taskModule = new URL('./part-task.ts', import.meta.url);
const limits = { memoryBytes: 1_073_741_824, timeoutMs: 5 * minuteMs };

type Converting = Pick<Services, 'database' | 'blobs' | 'jobs' | 'clock'>;

/**
 * Puts the rows of `segment` into a part and removes its file; rows of an endpoint that is gone are dropped.
 * @param told runs in the transaction in which the part appears
 * @returns rows that could not be read
 */
export async function convertSegment(
  services: Converting,
  { folder, segment, signal }: { folder: SegmentFolder; segment: Segment; signal: AbortSignal },
  told: (transaction: Transaction) => Promise<void>,
): Promise<number> {
  const { database, blobs, jobs } = services;
  let lostRowCount = 0;
  const merged = await findSmallParts(services, segment);
  if (merged !== 'converted') {
    const outputPath = folder.pathFor(`${segment.id}.parquet`);
    const mergedPaths = await Promise.all(merged.map(({ contentSha256 }) => blobs.localPath(contentSha256)));
    const input: PartTaskInput = {
      segmentPath: segment.path,
      stream: segment.stream,
      mergedPaths,
      outputPath,
    };
    const { part } = await jobs.runTask<PartTaskInput, PartTaskOutput>(taskModule, input, { limits, signal });
    const mergedRowCount = merged.reduce((total, { rowCount }) => total + rowCount, 0);
    lostRowCount = segment.rowCount - ((part?.rowCount ?? mergedRowCount) - mergedRowCount);
    const stored = part && { facts: part, sha256: (await blobs.putFile(outputPath)).sha256 };
    await database.asSystem('add a part of the prediction log', async (transaction) => {
      if (!(await keepEndpoint(transaction, segment.stream.endpointId))) return;
      await told(transaction);
      await replaceParts(services, transaction, { segment, merged, stored });
    });
  }
  await rm(segment.path, { force: true });
  await database.asSystem('forget a segment', (transaction) => forgetSegment(transaction, segment.id));
  return lostRowCount;
}

/** Parts to be taken into the next one; `converted` when the segment is in a part already. */
async function findSmallParts(
  { database, clock }: Converting,
  { id, stream, rowCount }: Segment,
): Promise<PartRow[] | 'converted'> {
  return await database.asSystem('find small parts', async (transaction) => {
    if (await isConverted(transaction, id)) return 'converted' as const;
    if (rowCount >= smallRowCount) return [];
    const parts = await findParts(transaction, stream.endpointId, 'predictions', {
      modelVersionId: stream.modelVersionId,
      role: stream.role,
    });
    const today = Math.floor(clock.nowMs() / dayMs);
    return parts
      .filter(
        (part) =>
          part.deploymentId === stream.deploymentId &&
          part.rowCount < smallRowCount &&
          part.sizeBytes < smallBytes &&
          dayOf(part) === today,
      )
      .slice(-mostMerged);
  });
}

/** A part keeps to the day on which it begins, so that it is removed when that day is too old. */
function dayOf({ fromTime }: PartRow): number {
  return Math.floor(fromTime.getTime() / dayMs);
}

async function replaceParts(
  { clock }: Converting,
  transaction: Transaction,
  change: {
    segment: Segment;
    merged: readonly PartRow[];
    stored: { facts: PartFacts; sha256: string } | null;
  },
): Promise<void> {
  const { segment, merged, stored } = change;
  const { workspaceId, projectId, endpointId, deploymentId, role, revision, modelVersionId, fields } =
    segment.stream;
  if (!stored) return;
  const now = new Date(clock.nowMs());
  if (!(await markConverted(transaction, { id: segment.id, convertedAt: now }))) return;
  const dropped = await dropParts(
    transaction,
    merged.map(({ id }) => id),
  );
  if (dropped < merged.length) throw new PartsChanged();
  const { fromMs, toMs, ...facts } = stored.facts;
  await addPart(transaction, {
    ...facts,
    id: segment.id,
    workspaceId,
    projectId,
    endpointId,
    kind: 'predictions',
    contentSha256: stored.sha256,
    fromTime: new Date(fromMs),
    toTime: new Date(toMs),
    deploymentId,
    role: role ?? 'live',
    revision,
    modelVersionId,
    columns: fieldColumns(fields),
    createdAt: now,
  });
}

/** Another server took the same small parts first: the next attempt sees what it made of them. */
export class PartsChanged extends Error {
  override name = 'PartsChanged';
}
