// A worker process in a folder of its own, for tasks that someone waits for: it takes one after the other, until it is
// put away. Who keeps it between two tasks, and for how long, is decided by interactive-tasks.ts and model-servers.
import { Problem } from '../../base/problems.ts';
import { WorkerProcess } from '../drivers/worker-process.ts';
import type { Jobs, TaskLimits } from '../ports/jobs.ts';
import type { Log } from '../ports/log.ts';
import { cancelled } from './turns.ts';
import type { WorkFolder, WorkFolders } from './work-folders.ts';

/** See `Jobs.runTask`. */
export type TaskOptions = Parameters<Jobs['runTask']>[2];

export interface InteractiveTask {
  taskModule: URL;
  input: object;
  options: TaskOptions;
}

/** What processes need to live. */
export interface Housing {
  folders: WorkFolders;
  log: Log;
}

export interface HousedProcess {
  process: WorkerProcess;
  /** Its home. */
  folder: WorkFolder;
}

/** Starts a process. Throws `cancelled` instead when `signal` is aborted. */
export async function startHoused(
  { folders, log }: Housing,
  { memoryBytes }: TaskLimits,
  signal: AbortSignal,
): Promise<HousedProcess> {
  const folder = await folders.make();
  if (signal.aborted) {
    await folder.remove();
    throw cancelled();
  }
  const process = new WorkerProcess({ homeFolder: folder.home, memoryBytes, priority: 'interactive', log });
  return { process, folder };
}

/** Whether a process can take a further task, one with these limits. */
export function isFitFor({ process }: HousedProcess, { memoryBytes }: TaskLimits): boolean {
  return process.isReusable && process.memoryBytes === memoryBytes;
}

/** Runs a task in a process, with a work folder that is gone after it. Throws the problem that the task ended with. */
export async function runHoused(
  { process }: HousedProcess,
  { taskModule, input, options }: InteractiveTask,
  folders: WorkFolders,
): Promise<unknown> {
  const { limits, signal, onEvent = () => undefined } = options;
  const { work: workFolder, remove } = await folders.make();
  try {
    const run = { taskModule, input, jobId: '', attempt: 1, workFolder, limits, signal, onEvent };
    const outcome = await process.run(run);
    switch (outcome.kind) {
      case 'output':
        return outcome.output;
      case 'problem':
        throw outcome.problem;
      case 'aborted':
        throw cancelled();
      case 'lost':
        throw new Problem('worker-lost', 'The worker process ended before it answered.', {
          cause: outcome.reason,
        });
      default:
        return outcome satisfies never;
    }
  } finally {
    await remove();
  }
}

/** Ends a process and removes its folder. */
export async function putAway({ process, folder }: HousedProcess): Promise<void> {
  await process.end();
  await folder.remove();
}
