// The entry of a worker process: runs one task at a time for the server that started it (worker-process.ts).
// It has no database, no keys and no configuration; it reads and writes files in the task's work folder.
import { Worker } from 'node:worker_threads';
import { assert } from '../../base/assert.ts';
import { Problem, asProblem } from '../../base/problems.ts';
import type { Task, TaskContext } from '../ports/jobs.ts';
import { moduleUrl } from './module-url.ts';
import { killGroup } from './process-group.ts';
import { createReporter, type Reporter } from './task-reporter.ts';
import type { WorkerMessage } from './worker-message-schema.ts';
import { maxCrashCharacters, maxOutputBytes } from './worker-messages.ts';
import type { RunMessage, ServerMessage } from './worker-messages.ts';

new Worker(moduleUrl(new URL('./task-lifeline.ts', import.meta.url))).unref();

// Taken away from the task, which reports through its context.
assert(process.send, 'a worker process is started by a server');
const send = process.send.bind(process) as (message: WorkerMessage, sent: () => void) => void;
delete (process as { send?: unknown }).send;

let current: { task: number; controller: AbortController } | undefined;

process.on('disconnect', () => killGroup(process.pid));
process.on('message', (message: ServerMessage) => {
  if (message.type === 'run') void runTask(message);
  else if (current?.task === message.task) current.controller.abort();
});
// Thrown outside the task's promise: nobody knows what state the task is in, so it cannot go on.
process.on('uncaughtException', (error) => {
  if (!current) process.exit(1);
  tell(failure(error, current.task));
  current = undefined;
});

async function runTask(message: RunMessage): Promise<void> {
  const controller = new AbortController();
  const mine = { task: message.task, controller };
  current = mine;
  const reports = createReporter((report) => tell({ ...report, task: message.task }));
  const result = await outcomeOf(message, contextOf(message, controller.signal, reports));
  if (current !== mine) return;
  current = undefined;
  reports.end();
  tell(result);
}

function contextOf(message: RunMessage, signal: AbortSignal, reports: Reporter): TaskContext {
  return {
    jobId: message.jobId,
    attempt: message.attempt,
    workFolder: message.workFolder,
    ...(message.keptFolder !== undefined && { keptFolder: message.keptFolder }),
    signal,
    report: (event) => {
      assert(!['state', 'progress'].includes(event.name), `the event name "${event.name}" is taken`);
      reports.report(event);
    },
    progress: (share, text) =>
      reports.report({
        name: 'progress',
        data: {
          share: Number.isFinite(share) ? Math.min(1, Math.max(0, share)) : 0,
          message: text.slice(0, 200),
        },
      }),
  };
}

async function outcomeOf(message: RunMessage, context: TaskContext): Promise<WorkerMessage> {
  try {
    const module = (await import(message.taskModule)) as { run?: Task<object, unknown> };
    assert(typeof module.run === 'function', 'the task module has no export "run"');
    const output = await module.run(message.input, context);
    const json = JSON.stringify(output ?? null);
    assert(typeof json === 'string', 'the output of the task is not JSON');
    assert(
      Buffer.byteLength(json) <= maxOutputBytes,
      `the output of the task is over ${maxOutputBytes} bytes`,
    );
    return { type: 'output', task: message.task, json };
  } catch (error) {
    return failure(error, message.task);
  }
}

function failure(error: unknown, task: number): WorkerMessage {
  const problem = asProblem(error);
  if (problem.code === 'internal' && !(error instanceof Problem)) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { type: 'crash', task, text: text.slice(0, maxCrashCharacters) };
  }
  const { code, message: detail, errors } = problem;
  return { type: 'problem', task, problem: { code, detail, ...(errors && { errors }) } };
}

function tell(message: WorkerMessage): void {
  // What cannot be sent has lost its server, and the lifeline ends the process.
  send(message, () => undefined);
}
