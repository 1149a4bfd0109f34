// `pilvi server` and `pilvi sign-in`: who answers, who you are there, and a link for the browser.
import type { Command } from 'commander';
import type { AnswerFor } from '../../../sdk/types.ts';
import { act } from '../act.ts';
import type { Session } from '../session.ts';
import { printProperties } from '../table.ts';
import { note, print } from '../terminal.ts';
import { bytesInWords, countInWords, timeInWords } from '../words.ts';

export function addServerCommands(program: Command): void {
  program
    .command('server')
    .description('the server that answers, and who you are there')
    .action(act(describeServer, showServer));
  program
    .command('sign-in')
    .description('print a one-time link that signs a browser in as you')
    .action(act(createLink, showLink));
}

async function describeServer(session: Session) {
  const client = await session.client();
  const [server, you] = await Promise.all([client.getServer(), client.getSession()]);
  return { ...server, session: you };
}

async function createLink(session: Session) {
  return (await session.client()).createSignInLink();
}

function showServer({ session, ...server }: Awaited<ReturnType<typeof describeServer>>): void {
  printProperties([
    ['version', server.version],
    ['database', server.database],
    ['files', server.blobs],
    ['largest upload', bytesInWords(server.limits.maxUploadBytes)],
    ['most columns', countInWords(server.limits.maxColumns)],
    ['rows of a prediction', countInWords(server.limits.maxPredictionRows)],
    ['workspace', `${session.workspace.name} (${session.workspace.id})`],
    ['you', `${session.actor.displayName}, ${session.role}`],
  ]);
}

function showLink({ url, expiresAt }: AnswerFor<'createSignInLink'>): void {
  note(`Open this link in a browser before ${timeInWords(expiresAt)}; it works once:`);
  print(url);
}
