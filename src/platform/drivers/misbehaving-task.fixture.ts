// A task that does what tests ask of it, mostly what no task should do.
import { spawn } from 'node:child_process';
import { appendFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { JsonObject, JsonValue } from '../../base/json.ts';
import { Problem, type ProblemCode } from '../../base/problems.ts';
import type { TaskContext } from '../ports/jobs.ts';

export async function run(input: JsonObject, context: TaskContext): Promise<unknown> {
  const { signal, workFolder } = context;
  switch (input.do) {
    case 'echo':
      return { echoed: input.value as JsonValue, attempt: context.attempt };
    case 'environment':
      return { environment: process.env, hasSend: process.send !== undefined };
    case 'write':
      await writeFile(join(workFolder, 'result.txt'), String(input.value));
      return { file: join(workFolder, 'result.txt') };
    case 'keep': {
      const kept = join(context.keptFolder!, 'tries');
      await mkdir(context.keptFolder!, { recursive: true });
      await appendFile(kept, `${context.attempt} `);
      if (context.attempt === 1) return process.kill(process.pid, 'SIGKILL');
      return { tries: await readFile(kept, 'utf8') };
    }
    case 'problem':
      throw new Problem(input.code as ProblemCode, 'The fixture was told to fail.');
    case 'unstorable':
      context.report({ name: 'columns', data: { names: ['a\0b'], counts: { 'c\0d': 1 } } });
      throw new Problem('file-unreadable', 'column "a\0b\ud800"');
    case 'throw':
      throw new TypeError('a mistake in the task');
    case 'throw-later':
      setTimeout(() => {
        throw new TypeError('a mistake outside the promise');
      }, 1);
      return await new Promise(() => undefined);
    case 'exit':
      return process.exit(input.code as number);
    case 'kill-itself':
      return process.kill(process.pid, 'SIGKILL');
    case 'bigint':
      return { value: 1n };
    case 'nothing':
      return undefined;
    case 'huge-output':
      return 'x'.repeat(input.bytes as number);
    case 'busy':
      return compute(input.forMs as number);
    case 'busy-reporting':
      return computeReporting(input.forMs as number, context);
    case 'sleep':
      await sleep(input.forMs as number, undefined, { signal });
      return { slept: true };
    case 'wait-for-abort':
      context.report({ name: 'waiting', data: { pid: process.pid } });
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
      return { aborted: true };
    case 'ignore-abort':
      context.report({ name: 'waiting', data: { pid: process.pid } });
      return await new Promise(() => setInterval(() => undefined, 1_000));
    case 'allocate':
      return allocate();
    case 'allocate-heap':
      return allocateHeap();
    case 'flood':
      return flood(input.count as number, context);
    case 'large-event':
      context.report({ name: 'large', data: { text: 'x'.repeat(100_000) } });
      return { reported: true };
    case 'stop-itself':
      context.report({ name: 'waiting', data: { pid: process.pid } });
      await sleep(20);
      process.kill(process.pid, 'SIGSTOP');
      return await new Promise(() => undefined);
    case 'start-process': {
      const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
      context.report({ name: 'started', data: { pid: child.pid! } });
      return await new Promise(() => undefined);
    }
    default:
      throw new Error(`no such behaviour: ${String(input.do)}`);
  }
}

function compute(forMs: number): { computed: boolean } {
  const endMs = performance.now() + forMs;
  while (performance.now() < endMs);
  return { computed: true };
}

function computeReporting(forMs: number, context: TaskContext): { computed: boolean } {
  const startMs = performance.now();
  context.report({ name: 'waiting', data: { pid: process.pid } });
  while (performance.now() - startMs < forMs) {
    context.progress((performance.now() - startMs) / forMs, 'computing');
    compute(1);
  }
  return { computed: true };
}

async function allocate(): Promise<number> {
  const kept: Uint8Array[] = [];
  for (;;) {
    kept.push(new Uint8Array(8 * 1_048_576).fill(kept.length + 1));
    await sleep(1);
  }
}

function allocateHeap(): number {
  const kept: number[][] = [];
  for (;;) kept.push(Array.from({ length: 10_000 }, (_, index) => index + kept.length + 0.5));
}

async function flood(count: number, context: TaskContext): Promise<{ reported: number }> {
  for (let index = 0; index < count; index++) {
    context.report({ name: `flood-${index % 1_000}`, data: { index } });
    context.progress(index / count, `event ${index}`);
  }
  return { reported: count };
}
