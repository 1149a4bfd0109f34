// From a parsed command to an answer: opens the session, runs the command, shows what it returns, or prints it as the
// one JSON document. Commands return values and never print answers themselves, so that both forms say the same.
import type { Command } from 'commander';
import { Interruption } from './failure.ts';
import { openSession, type GlobalOptions, type Session } from './session.ts';
import { print } from './terminal.ts';

/** An action for `command.action(...)`. */
export type Action = (this: Command, ...received: unknown[]) => Promise<void>;

/**
 * Makes an action.
 * @param run does the work; gets the session, the options, then the arguments in their order.
 * @param show prints the result for people; left out where `run` has nothing to tell.
 */
export function act<Options extends object, Arguments extends readonly unknown[], Result>(
  run: (session: Session, options: Options & GlobalOptions, ...values: Arguments) => Promise<Result>,
  show?: (result: Result) => void | Promise<void>,
): Action {
  return async function (...received) {
    // Commander hands over the arguments, then the options, then the command.
    const values = received.slice(0, -2) as unknown as Arguments;
    const options = this.optsWithGlobals<Options & GlobalOptions>();
    await withInterruption(async (signal) => {
      const session = openSession(options, signal);
      const result = await run(session, options, ...values);
      if (session.json) print(JSON.stringify(result ?? {}, null, 2));
      else await show?.(result);
    });
  };
}

/** Runs `work` with a signal that Ctrl-C aborts; a second Ctrl-C ends the process at once. */
async function withInterruption(work: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const controller = new AbortController();
  const interrupt = (): void => {
    if (controller.signal.aborted) process.exit(130);
    controller.abort(new Interruption('interrupted'));
  };
  process.on('SIGINT', interrupt);
  try {
    await work(controller.signal);
    controller.signal.throwIfAborted();
  } catch (error) {
    // What fails because of the interruption is the interruption.
    throw controller.signal.aborted ? controller.signal.reason : error;
  } finally {
    process.off('SIGINT', interrupt);
  }
}
