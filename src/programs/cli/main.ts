// Runs one command line and returns its exit code. Nothing here knows any command.
import { tell } from './failure.ts';
import { buildProgram } from './program.ts';

/** Parses and runs `args` (without the names of runtime and script). */
export async function main(args: readonly string[]): Promise<number> {
  // A reader such as `head` may leave before everything is written; that is its right.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0);
    throw error;
  });
  const json = args.slice(0, args.includes('--') ? args.indexOf('--') : undefined).includes('--json');
  const verbose = process.env.PILVI_LOG_LEVEL === 'debug';
  try {
    await buildProgram().parseAsync(args, { from: 'user' });
    return 0;
  } catch (error) {
    return tell(error, { json, verbose });
  }
}
