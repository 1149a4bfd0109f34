// Waiting for jobs of the server, with progress. A command that started a job and is interrupted cancels it.
import { waitForJob } from '../../sdk/wait-for-job.ts';
import type { Client, EventFor } from '../../sdk/types.ts';
import type { Session } from './session.ts';
import { capitalised } from './words.ts';

type JobEvent = EventFor<'watchJob'>;

/**
 * Waits until the job has succeeded and shows its progress.
 * @param onEvent shows events of the kind's own, as lines above the bar; undefined for none
 */
export async function followJob(
  session: Session,
  jobId: string,
  options: { cancelWhenInterrupted: boolean; lineOf?: (event: JobEvent) => string | undefined },
): Promise<void> {
  const client = await session.client();
  const progress = session.progress();
  const onEvent = (event: JobEvent): void => {
    const { share, message } = event.data;
    if (event.name === 'progress' && typeof share === 'number')
      progress.update(share, capitalised(String(message ?? '')));
    const line = options.lineOf?.(event);
    if (line !== undefined) progress.line(line);
  };
  try {
    await waitForJob(client, jobId, { onEvent, signal: session.signal });
  } catch (error) {
    if (session.signal.aborted && options.cancelWhenInterrupted) await cancelQuietly(client, jobId);
    throw error;
  } finally {
    progress.end();
  }
}

/** The reader has already decided to leave: that the server cannot be told is no news to them. */
async function cancelQuietly(client: Client, jobId: string): Promise<void> {
  await client.cancelJob({ jobId }, { attempts: 1, timeoutMs: 5_000 }).catch(() => undefined);
}
