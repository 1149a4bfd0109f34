// Whatever was thrown, as what the reader of a terminal needs: what happened, where, what to do, and the exit code.
import { CommanderError } from 'commander';
import { Problem, type ProblemDocument } from '../../base/problems.ts';
import { PilviError } from '../../sdk/pilvi-error.ts';
import { clean, note, styled } from './terminal.ts';

/** Exit codes: the whole list. */
export const exitCodes = { success: 0, problem: 1, usage: 2, interrupted: 130 } as const;

/** The command line was used in a way that it does not take. */
export class UsageError extends Error {
  override name = 'UsageError';
}

/** The reader pressed Ctrl-C. */
export class Interruption extends Error {
  override name = 'Interruption';
}

/** Tells of a failure, on stderr in words or on stdout as the one JSON document, and returns the exit code. */
export function tell(error: unknown, options: { json: boolean; verbose: boolean }): number {
  if (error instanceof CommanderError) return tellCommander(error, options.json);
  if (error instanceof UsageError) return tellUsage(error.message, options.json);
  if (error instanceof Interruption) {
    if (options.json) printDocument(new Problem('cancelled', 'Ended by Ctrl-C.').toDocument());
    else note('Cancelled.');
    return exitCodes.interrupted;
  }
  const document = documentOf(error);
  if (options.json) printDocument(document);
  else explain(document);
  if (options.verbose && error instanceof Error) note(error.stack ?? '');
  return exitCodes.problem;
}

/** A problem on the reader's own machine, where paths may be told: a file that cannot be opened or written. */
export function fileProblem(error: unknown, path: string): unknown {
  const code = (error as { code?: unknown } | null)?.code;
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return new Problem('file-not-found', `There is no file or folder "${path}".`, { cause: error });
    case 'EISDIR':
      return new Problem('file-not-found', `"${path}" is a folder, not a file.`, { cause: error });
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new Problem('file-not-accessible', `"${path}" may not be opened.`, { cause: error });
    default:
      return error;
  }
}

function documentOf(error: unknown): ProblemDocument {
  if (error instanceof PilviError) return error.problem;
  if (error instanceof Problem) return error.toDocument();
  const systemCode = (error as { code?: unknown } | null)?.code;
  if (systemCode === 'ENOSPC' || systemCode === 'EDQUOT') {
    return new Problem('disk-full', 'The disk is full.').toDocument();
  }
  const message = error instanceof Error ? error.message : String(error);
  const { remedy, ...document } = new Problem('internal', message).toDocument();
  return { ...document, remedy: `${remedy.split(';')[0]}; PILVI_LOG_LEVEL=debug shows where it happened.` };
}

/** What to do, where the command line knows better than the server that answered. */
const remedyHere: Partial<Record<ProblemDocument['code'], string>> = {
  'not-signed-in':
    'Set PILVI_KEY to a key of the server: the page makes one (Workspace > Keys), or "pilvi key create" on its machine.',
};

function explain(problem: ProblemDocument): void {
  const label = (text: string): string => styled('dim', text.padEnd(10), process.stderr);
  note(`${styled(['red', 'bold'], 'Problem:', process.stderr)}  ${problem.title} (${problem.code})`);
  note(`${label('what')} ${clean(problem.detail)}`);
  for (const { field, message } of problem.errors ?? [])
    note(`${label('where')} ${clean(`${field}: ${message}`)}`);
  if (problem.requestId !== undefined) note(`${label('request')} ${problem.requestId}`);
  note(`${label('what to do')} ${remedyHere[problem.code] ?? problem.remedy}`);
}

/** Commander has written its message already; help and version are no failures. */
function tellCommander(error: CommanderError, json: boolean): number {
  if (error.exitCode === 0) return exitCodes.success;
  if (json) printDocument(usageDocument(error.message));
  return exitCodes.usage;
}

function tellUsage(message: string, json: boolean): number {
  if (json) printDocument(usageDocument(message));
  else note(`error: ${message}`);
  return exitCodes.usage;
}

function usageDocument(message: string): ProblemDocument {
  const document = new Problem(
    'invalid-request',
    message.replace(/^error: /, '').replaceAll('\n', ' '),
  ).toDocument();
  return {
    ...document,
    title: 'The command was not understood',
    remedy: 'Run it with --help to see what it takes.',
  };
}

function printDocument(document: ProblemDocument): void {
  process.stdout.write(`${JSON.stringify(document, null, 2)}\n`);
}
