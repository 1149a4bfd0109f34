// Waits for a job by watching its events, so that the end is seen at once and progress can be shown on the way.
import { PilviError } from './pilvi-error.ts';
import type { AnswerFor, Client, EventFor } from './types.ts';

export interface WaitOptions {
  /** Each event as it happens: `state`, `progress` and those of the kind of job. */
  onEvent?: ((event: EventFor<'watchJob'>) => void) | undefined;
  signal?: AbortSignal | undefined;
}

/** The job once it has succeeded. @throws PilviError with the job's own problem when it failed or was cancelled */
export async function waitForJob(
  client: Pick<Client, 'watchJob' | 'getJob'>,
  jobId: string,
  { onEvent, signal }: WaitOptions = {},
): Promise<AnswerFor<'getJob'>> {
  for (;;) {
    for await (const event of client.watchJob({ jobId }, { signal })) onEvent?.(event);
    const job = await client.getJob({ jobId }, { signal });
    if (job.state === 'succeeded') return job;
    if (job.problem && (job.state === 'failed' || job.state === 'cancelled'))
      throw new PilviError(job.problem);
    if (job.state === 'cancelled' || job.state === 'failed') throw new PilviError(endedWithout(job.state));
  }
}

function endedWithout(state: 'failed' | 'cancelled'): PilviError['problem'] {
  const wasCancelled = state === 'cancelled';
  return {
    type: 'about:blank',
    code: wasCancelled ? 'cancelled' : 'internal',
    title: wasCancelled ? 'It was cancelled' : 'The job failed',
    status: wasCancelled ? 499 : 500,
    detail: wasCancelled ? 'The job was cancelled.' : 'The job failed without saying why.',
    remedy: 'Start it again when you wish.',
    retryable: false,
  };
}
