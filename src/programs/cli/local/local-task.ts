// Runs the task half of a job in this process: the same code that a server's worker runs, for one person who waits.
import type { TaskContext } from '../../../platform/ports/jobs.ts';
import type { Progress } from '../progress.ts';
import { capitalised } from '../words.ts';

/** What a task gets from the command line. */
export function localTaskContext(options: {
  workFolder: string;
  signal: AbortSignal;
  progress: Progress;
  onEvent?: TaskContext['report'];
}): TaskContext {
  const { workFolder, signal, progress, onEvent } = options;
  return {
    jobId: 'local',
    attempt: 1,
    workFolder,
    signal,
    report: (event) => onEvent?.(event),
    progress: (share, message) => progress.update(share, capitalised(message)),
  };
}
