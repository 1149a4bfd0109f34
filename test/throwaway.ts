// Runs a command beside a server that lives just as long: starts it, waits until it answers, tells the command where
// it is through the environment, and always stops it and removes its files, however the command ends.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** A server that was started in `folder`. */
export interface Throwaway {
  process: ChildProcess;
  /** What the command finds in its environment. */
  environment: Record<string, string>;
  /** Resolves when it answers, throws while it does not. */
  probe(): Promise<void>;
  stopSignal: NodeJS.Signals;
}

/**
 * Runs `command` (words of the command line) with the server that `start` starts in an empty folder. Without a server
 * (`start` returns why) the command runs all the same, and the suites that need it say that they were skipped.
 */
export async function runBeside(
  command: string[],
  start: (folder: string) => Promise<Throwaway | { missing: string }>,
): Promise<never> {
  if (command.length === 0) throw new Error('usage: node test/with-SERVER.ts COMMAND [ARGUMENT...]');
  const folder = await mkdtemp(join(tmpdir(), 'pilvi-throwaway-'));
  const interruption = interruptions();
  let exitCode = 1;
  let server: Throwaway | undefined;
  try {
    const started = await start(folder);
    if ('missing' in started) console.error(started.missing);
    else await waitUntilReady((server = started));
    exitCode = await run(command, server?.environment ?? {}, interruption);
  } finally {
    if (server) await stop(server);
    await rm(folder, { recursive: true, force: true });
  }
  process.exit(exitCode);
}

/** A port of the loopback interface that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function waitUntilReady({ process: child, probe }: Throwaway): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    if (child.exitCode !== null)
      throw new Error(`the server ended with ${child.exitCode} before it answered`);
    try {
      return await probe();
    } catch (error) {
      if (attempt === 300) throw error;
      await delay(100);
    }
  }
}

/** From now on a signal does not end this process, which has to clean up, but is told to whoever asks. */
function interruptions(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => controller.abort(signal));
  return controller.signal;
}

async function run(
  [program, ...args]: string[],
  environment: Record<string, string>,
  interruption: AbortSignal,
): Promise<number> {
  if (interruption.aborted) return 1;
  const child = spawn(program!, args, { stdio: 'inherit', env: { ...process.env, ...environment } });
  interruption.addEventListener('abort', () => child.kill(interruption.reason as NodeJS.Signals));
  const [exitCode] = (await once(child, 'exit')) as [number | null];
  return exitCode ?? 1;
}

async function stop({ process: child, stopSignal }: Throwaway): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill(stopSignal);
  const patience = setTimeout(() => child.kill('SIGKILL'), 10_000);
  await ended;
  clearTimeout(patience);
}
