// `pilvi up`: the server, in this process, until Ctrl-C.
import type { Command } from 'commander';
import { Problem } from '../../base/problems.ts';
import type { Configuration } from '../configuration.ts';
import { version } from '../version.ts';
import { loadConfiguration, type GlobalOptions } from './session.ts';
import { newRunKey, recordRunning } from './running.ts';
import { note, print, styled } from './terminal.ts';
import { untilSignal } from './until-signal.ts';
import { wholeNumber } from './values.ts';

interface UpOptions extends GlobalOptions {
  port?: number;
  home?: string;
}

export function addUpCommand(program: Command): void {
  program
    .command('up')
    .description('start Pilvi on this machine and print the address to open')
    .option('--port <number>', 'the port; left out, PILVI_PORT or 4700', wholeNumber(0, 65_535))
    .option('--home <folder>', 'where everything is kept; left out, PILVI_HOME or ~/.pilvi')
    .action(up);
}

async function up(this: Command): Promise<void> {
  const options = this.optsWithGlobals<UpOptions>();
  const chosen: NodeJS.ProcessEnv = {
    ...(options.port !== undefined && { PILVI_PORT: String(options.port) }),
    ...(options.home !== undefined && { PILVI_HOME: options.home }),
  };
  const configuration = await loadConfiguration({ ...process.env, ...chosen });
  const stopped = untilSignal();
  const ownToken = configuration.PILVI_BOOTSTRAP_TOKEN;
  const key = ownToken === undefined ? newRunKey() : null;
  const { startServer } = await import('../server/server.ts');
  const server = await startServer({ ...configuration, PILVI_BOOTSTRAP_TOKEN: ownToken ?? key! }).catch(
    (error: unknown) => {
      throw listenProblem(error, configuration);
    },
  );
  try {
    const { url } = server;
    const forget = await recordRunning(configuration.PILVI_HOME, { url, processId: process.pid, key });
    announce(server, configuration, options.json === true);
    await stopped;
    await forget();
  } finally {
    await server.stop();
  }
}

/** What keeps a server from listening, in words. */
function listenProblem(error: unknown, { PILVI_HOST: host, PILVI_PORT: port }: Configuration): unknown {
  switch ((error as { code?: unknown } | null)?.code) {
    case 'EADDRINUSE':
      return new Problem('address-in-use', `Port ${port} of ${host} is taken.`, { cause: error });
    case 'EACCES':
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return new Problem(
        'configuration-invalid',
        `This machine does not let Pilvi listen on port ${port} of ${host}.`,
        {
          cause: error,
        },
      );
    default:
      return error;
  }
}

function announce(
  server: { url: string; signInUrl: string | null; hasPages: boolean },
  configuration: Configuration,
  json: boolean,
): void {
  const { url, signInUrl, hasPages } = server;
  if (json)
    return print(
      JSON.stringify({ version, url, signInUrl, home: configuration.PILVI_HOME, processId: process.pid }),
    );
  print(`Pilvi ${version} runs at ${styled('bold', url)}`);
  if (signInUrl === null) print('Signed out? "pilvi sign-in" prints a new link.');
  else print(`Open this link to sign in; it works once:\n\n  ${styled(['bold', 'cyan'], signInUrl)}\n`);
  if (!hasPages) note('The pages are not built yet: run "npm run build", then start again.');
  print(styled('dim', `Everything is kept in ${configuration.PILVI_HOME}. Ctrl-C ends it.`));
}
