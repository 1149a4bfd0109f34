// Runs one command line and returns its exit code. Nothing here knows any command.
import { CommanderError, type Command } from 'commander';
import { nearest } from '../nearest.ts';
import { tell } from './failure.ts';
import { buildProgram } from './program.ts';
import { note } from './terminal.ts';

/** Parses and runs `args` (without the names of runtime and script). */
export async function main(args: readonly string[]): Promise<number> {
  // A reader such as `head` may leave before everything is written; that is its right.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0);
    throw error;
  });
  const flags = args.slice(0, args.includes('--') ? args.indexOf('--') : undefined);
  const program = buildProgram();
  try {
    await program.parseAsync(args, { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError && error.code === 'commander.missingMandatoryOptionValue') {
      suggest(program, flags);
    }
    return tell(error, { json: flags.includes('--json'), verbose: process.env.PILVI_LOG_LEVEL === 'debug' });
  }
}

/** Commander misses the needed option before it sees that it is there, misspelt. */
function suggest(program: Command, flags: readonly string[]): void {
  const known = flagsOf(program);
  const misspelt = flags
    .map((flag) => flag.split('=')[0]!)
    .find((flag) => flag.startsWith('--') && !known.includes(flag));
  const meant = misspelt === undefined ? undefined : nearest(misspelt, known);
  if (meant !== undefined) note(`"${misspelt}" is no option. (Did you mean ${meant}?)`);
}

function flagsOf(command: Command): string[] {
  return [...command.options.flatMap(({ long }) => long ?? []), ...command.commands.flatMap(flagsOf)];
}
