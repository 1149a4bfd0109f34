// `pilvi endpoint serving`: where the models of an endpoint answer, how many replicas they have, and how ready they are.
import { Option, type Command } from 'commander';
import type { AnswerFor, InputFor } from '../../../sdk/types.ts';
import { act } from '../act.ts';
import { findEndpoint } from '../find.ts';
import type { Session } from '../session.ts';
import { printProperties, printTable } from '../table.ts';
import { print } from '../terminal.ts';
import { wholeNumber } from '../values.ts';
import { timeInWords } from '../words.ts';

type Settings = AnswerFor<'getEndpoint'>['serving'];
type Status = AnswerFor<'getServingStatus'>;
type Change = InputFor<'setServingSettings'>['body'];

interface ServingOptions {
  place?: Settings['place'];
  min?: number;
  max?: number;
  idle?: number;
}

/** Adds `serving` to `pilvi endpoint`. */
export function addServingCommand(endpoint: Command): void {
  endpoint
    .command('serving')
    .description(
      'how ready the endpoint is, where its models answer and in how many replicas; options change it',
    )
    .argument('<endpoint>', 'name or id')
    .addOption(
      new Option(
        '--place <place>',
        'where models answer: in the server, or apart in processes of their own',
      ).choices(['automatic', 'in-process', 'apart']),
    )
    .option('--min <replicas>', 'replicas that are always ready; charged by the minute', wholeNumber(0, 16))
    .option('--max <replicas>', 'replicas at most', wholeNumber(1, 64))
    .option('--idle <minutes>', 'minutes without a request until the last replica ends', wholeNumber(1, 1440))
    .action(act(serving, showServing));
}

async function serving(
  session: Session,
  { place, min: minReplicas, max: maxReplicas, idle: idleMinutes }: ServingOptions,
  reference: string,
): Promise<{ settings: Settings; status: Status }> {
  const client = await session.client();
  const found = await findEndpoint(client, await session.projectId(), reference);
  const body: Change = { place, minReplicas, maxReplicas, idleMinutes };
  const isChange = Object.values(body).some((value) => value !== undefined);
  const endpointId = found.id;
  const { serving: settings } = isChange ? await client.setServingSettings({ endpointId, body }) : found;
  return { settings, status: await client.getServingStatus({ endpointId }) };
}

function showServing({ settings, status }: { settings: Settings; status: Status }): void {
  printProperties([
    ['state', status.state],
    ['models answer', placesInWords[settings.place]],
    ['replicas', `${settings.minReplicas} to ${settings.maxReplicas}`],
    ['the last one ends after', `${settings.idleMinutes} minutes without a request`],
  ]);
  print('');
  printTable(
    ['version', 'answers', 'state', 'replicas', 'waiting', 'servers', 'last failure'],
    status.versions.map(({ modelName, versionNumber, place, replicas, lastFailure, ...version }) => [
      `${modelName}@${versionNumber}`,
      place ?? '',
      stateInWords(version),
      place === 'apart' ? replicas.ready : '',
      version.waitingCount,
      version.serverCount,
      lastFailure ? `${timeInWords(lastFailure.at)}: ${lastFailure.detail}` : '',
    ]),
    'Nothing is deployed.',
  );
}

const placesInWords: Record<Settings['place'], string> = {
  automatic: 'in the server, large ones and those of others apart',
  'in-process': 'in the server, those of others apart',
  apart: 'in processes of their own',
};

function stateInWords({
  state,
  loadedShare,
}: Pick<Status['versions'][number], 'state' | 'loadedShare'>): string {
  return loadedShare === null ? state : `${state}, ${Math.round(loadedShare * 100)} %`;
}
