// `pilvi worker`: runs jobs for servers on the same Postgres, until Ctrl-C.
import type { Command } from 'commander';
import { loadConfiguration } from './session.ts';
import { print, styled } from './terminal.ts';
import { untilSignal } from './until-signal.ts';

export function addWorkerCommand(program: Command): void {
  program
    .command('worker')
    .description('run jobs for the servers that share DATABASE_URL and the files')
    .action(work);
}

async function work(): Promise<void> {
  const configuration = await loadConfiguration(process.env);
  const stopped = untilSignal();
  const { startWorker } = await import('../worker/worker.ts');
  const worker = await startWorker(configuration);
  try {
    print(
      `This worker runs up to ${configuration.PILVI_WORKERS} jobs at once. ${styled('dim', 'Ctrl-C ends it.')}`,
    );
    await stopped;
  } finally {
    await worker.stop();
  }
}
