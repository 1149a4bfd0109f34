// What a server says to its worker processes over IPC, and how large what they say may be (worker-message-schema.ts).
// Worker processes load this file, so it imports nothing: starting one is part of every job.

/** Larger outputs go through files in the work folder. */
export const maxOutputBytes = 64 * 1_048_576;
/** Larger events are left out and counted in the log. */
export const maxEventBytes = 65_536;
/** How much of a crashed task's stack reaches the log. */
export const maxCrashCharacters = 8_192;

/** Begin a task. */
export interface RunMessage {
  type: 'run';
  /** Counts the tasks of this process; the worker's messages name it. */
  task: number;
  taskModule: string;
  input: object;
  jobId: string;
  attempt: number;
  workFolder: string;
  keptFolder?: string;
}

export type ServerMessage = RunMessage | { type: 'abort'; task: number };
