// Has a worker read what the log tells of a release.
import { dayMs, minuteMs } from '../../base/time.ts';
import type { Context } from '../../platform/context.ts';
import { loggedParts, type LogParts } from '../predict/log/log.ts';
import type { LogPaths } from '../predict/log/layout.ts';
import type { LoggedFigures, LoggedFiguresInput, LoggedPeriod } from './logged-figures-task.ts';
import type { ReleaseRow } from './rows.ts';

const taskModule = new URL('./logged-figures-task.ts', import.meta.url);
const limits = { memoryBytes: 1_073_741_824, timeoutMs: 2 * minuteMs };
/** So long before a release its current version is looked at. */
const beforeMs = 7 * dayMs;

/** What the log tells of the deployments of these periods; null where it has no answer of the candidate yet. */
export async function readLoggedFigures(
  context: Context,
  row: ReleaseRow,
  { periods, isClassification }: { periods: LoggedPeriod[]; isClassification: boolean },
): Promise<LoggedFigures | null> {
  const { endpointId, createdAt } = row;
  const range = { endpointId, from: new Date(createdAt.getTime() - beforeMs), isFresh: true };
  const live = await loggedParts(context, range);
  const shadow = await loggedParts(context, { ...range, role: 'shadow', isFresh: false });
  const candidates = new Set(periods.flatMap(({ candidateIds }) => candidateIds));
  const all = [...live.predictions, ...shadow.predictions];
  if (!all.some(({ deploymentId }) => deploymentId !== null && candidates.has(deploymentId))) return null;
  const wanted = new Set(periods.flatMap(({ candidateIds, currentIds }) => [...candidateIds, ...currentIds]));
  return await context.jobs.runTask<LoggedFiguresInput, LoggedFigures>(
    taskModule,
    {
      live: await pathsOf(context, live, wanted),
      shadow: await pathsOf(context, shadow, wanted),
      periods,
      isClassification,
      farOff: row.logged?.farOff ?? null,
    },
    { limits, signal: context.signal },
  );
}

async function pathsOf(
  { blobs }: Context,
  { predictions, outcomes }: LogParts,
  wanted: ReadonlySet<string>,
): Promise<LogPaths> {
  const parts = predictions.filter(({ deploymentId }) => deploymentId !== null && wanted.has(deploymentId));
  const pathOf = ({ contentSha256 }: { contentSha256: string }): Promise<string> =>
    blobs.localPath(contentSha256);
  return {
    predictions: await Promise.all(parts.map(pathOf)),
    outcomes: parts.length === 0 ? [] : await Promise.all(outcomes.map(pathOf)),
  };
}
