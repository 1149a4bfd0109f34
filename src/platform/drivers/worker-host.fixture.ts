// A stand-in for a server, made to be killed: starts one worker process on the task that its argument describes and
// prints the worker's process id, and that of what the task started, once the task runs.
import type { JsonObject } from '../../base/json.ts';
import type { Log } from '../ports/log.ts';
import { WorkerProcess } from './worker-process.ts';

const log: Log = { debug() {}, info() {}, warn() {}, error() {}, child: () => log };
const [folder, input] = process.argv.slice(2) as [string, string];
const limits = { memoryBytes: 400 * 1_048_576, timeoutMs: 600_000 };
const worker = new WorkerProcess({
  homeFolder: folder,
  memoryBytes: limits.memoryBytes,
  priority: 'background',
  log,
});
const outcome = await worker.run({
  taskModule: new URL('./misbehaving-task.fixture.ts', import.meta.url),
  input: JSON.parse(input) as JsonObject,
  jobId: 'job_1',
  attempt: 1,
  workFolder: folder,
  limits,
  signal: new AbortController().signal,
  onEvent: ({ data }) => console.log(worker.pid, data.pid),
});
throw new Error(`the task ended: ${JSON.stringify(outcome)}`);
