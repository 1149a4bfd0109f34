// A "model" that does what tests ask of it. What it does only once it remembers in a file: its process may be gone then.
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Problem } from '../../base/problems.ts';
import type { Task } from '../ports/jobs.ts';
import type { ModelTaskInput, ModelTaskOutput } from '../ports/model-servers.ts';

export interface Source {
  /** A line for each time that the model was opened: the process id. */
  openings: string;
  fails?: 'problem' | 'kill-itself';
  /** Tells that it is at 40 %, and goes on when the file is there. */
  waitsFor?: string;
}

export interface Behaviour {
  value?: number;
  /** A file that says that it was done. */
  once?: string;
  do?: 'kill-itself' | 'announce-and-hang' | 'allocate' | 'keep-memory' | 'wait-for' | 'refuse' | 'throw';
  file?: string;
}

export interface Told {
  value: number | undefined;
  pid: number;
  batch: number;
}

export const taskModule = new URL(import.meta.url);

const kept: Uint8Array[] = [];

export const run: Task<ModelTaskInput<Source, Behaviour>, ModelTaskOutput<Told> | null> = async (
  input,
  context,
) => {
  if (input.kind === 'open') {
    const { openings, fails, waitsFor } = input.source;
    appendFileSync(openings, `${process.pid}\n`);
    context.progress(0.4, 'reading');
    if (fails === 'kill-itself') process.kill(process.pid, 'SIGKILL');
    if (fails === 'problem') throw new Problem('model-file-invalid', 'The fixture was told to fail.');
    if (waitsFor !== undefined) await appearing(waitsFor);
    return null;
  }
  const answers: ModelTaskOutput<Told>['answers'] = [];
  for (const question of input.questions) {
    const problem = await act(question);
    const answer = { value: question.value, pid: process.pid, batch: input.questions.length };
    answers.push(problem ? { problem: { code: problem.code, detail: problem.message } } : { answer });
  }
  return { answers };
};

async function act({ do: action, once, file }: Behaviour): Promise<Problem | undefined> {
  if (once !== undefined) {
    if (existsSync(once)) return undefined;
    writeFileSync(once, '');
  }
  switch (action) {
    case 'kill-itself':
      process.kill(process.pid, 'SIGKILL');
      return await new Promise(() => undefined);
    case 'announce-and-hang':
      writeFileSync(file!, String(process.pid));
      return await new Promise(() => undefined);
    case 'allocate':
      for (;;) {
        kept.push(new Uint8Array(8 * 1_048_576).fill(1));
        await sleep(1);
      }
    case 'keep-memory':
      // After the answer.
      setTimeout(() => kept.push(new Uint8Array(200 * 1_048_576).fill(1)), 20);
      return undefined;
    case 'wait-for':
      await appearing(file!);
      return undefined;
    case 'throw':
      throw new TypeError('a mistake in the model');
    case 'refuse':
      return new Problem('prediction-input', 'The fixture does not like it.');
    case undefined:
      return undefined;
    default:
      return action satisfies never;
  }
}

async function appearing(file: string): Promise<string> {
  while (!existsSync(file)) await sleep(2);
  return readFileSync(file, 'utf8');
}
