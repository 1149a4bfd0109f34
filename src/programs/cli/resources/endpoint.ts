// `pilvi endpoint`: stable addresses and the model versions behind them.
import type { Command } from 'commander';
import { listAll } from '../../../sdk/list-all.ts';
import type { AnswerFor } from '../../../sdk/types.ts';
import { act } from '../act.ts';
import { UsageError } from '../failure.ts';
import { findEndpoint, findModelVersion } from '../find.ts';
import type { Session } from '../session.ts';
import { addLogCommand, logInWords } from './prediction-log.ts';
import { addServingCommand } from './serving.ts';
import { printProperties, printTable } from '../table.ts';
import { print } from '../terminal.ts';
import { countInWords, timeInWords } from '../words.ts';

type Endpoint = AnswerFor<'getEndpoint'>;

export function addEndpointCommands(program: Command): void {
  const endpoint = program
    .command('endpoint')
    .description('stable addresses and the model versions behind them');
  endpoint
    .command('list')
    .description('the endpoints of the project')
    .action(act(listEndpoints, showEndpoints));
  endpoint
    .command('create')
    .description('make an endpoint and deploy a model version to it')
    .argument('<name>', 'lower-case letters, digits and hyphens: it is part of the address')
    .requiredOption('--model <model>', 'NAME, NAME@VERSION, NAME@ALIAS or an id')
    .action(act(createEndpoint, showEndpoint));
  endpoint
    .command('show')
    .description('one endpoint')
    .argument('<endpoint>', 'name or id')
    .action(act(getEndpoint, showEndpoint));
  endpoint
    .command('deploy')
    .description('say which versions answer; with several, as MODEL=SHARE, the shares of the traffic')
    .argument('<endpoint>', 'name or id')
    .argument('<models...>', 'NAME, NAME@VERSION or an id; such as churn@1=0.9 churn@2=0.1')
    .action(act(deploy, showEndpoint));
  addLogCommand(endpoint);
  addServingCommand(endpoint);
  endpoint
    .command('delete')
    .description('remove an endpoint; its address stops answering')
    .argument('<endpoint>', 'name or id')
    .action(act(deleteEndpoint, ({ name }) => print(`Deleted "${name}".`)));
}

async function listEndpoints(session: Session): Promise<Endpoint[]> {
  const client = await session.client();
  return Array.fromAsync(listAll(client.listEndpoints, { projectId: await session.projectId() }));
}

async function createEndpoint(
  session: Session,
  { model }: { model: string },
  name: string,
): Promise<Endpoint> {
  const client = await session.client();
  const projectId = await session.projectId();
  const { id: modelVersionId } = await findModelVersion(client, projectId, model);
  return client.createEndpoint({ projectId, body: { name, modelVersionId } });
}

async function getEndpoint(session: Session, _options: object, reference: string): Promise<Endpoint> {
  return findEndpoint(await session.client(), await session.projectId(), reference);
}

async function deploy(
  session: Session,
  _options: object,
  ...[reference, models]: [string, string[]]
): Promise<Endpoint> {
  const shares = models.map((model) => readShare(model, models.length));
  const client = await session.client();
  const projectId = await session.projectId();
  const { id: endpointId } = await findEndpoint(client, projectId, reference);
  const deployments = await Promise.all(
    shares.map(async ({ model, trafficShare }) => {
      const { id: modelVersionId } = await findModelVersion(client, projectId, model);
      return { modelVersionId, trafficShare };
    }),
  );
  return client.deployModel({ endpointId, body: { deployments } });
}

async function deleteEndpoint(session: Session, _options: object, reference: string) {
  const client = await session.client();
  const { id, name } = await getEndpoint(session, {}, reference);
  await client.deleteEndpoint({ endpointId: id });
  return { deleted: id, name };
}

/** `MODEL=0.9`; a model alone takes all of the traffic. */
function readShare(text: string, count: number): { model: string; trafficShare: number } {
  const match = /^(.+)=([\d.]+)(%?)$/.exec(text);
  if (!match && count === 1) return { model: text, trafficShare: 1 };
  const trafficShare = match ? Number(match[2]) / (match[3] ? 100 : 1) : Number.NaN;
  if (match && trafficShare >= 0 && trafficShare <= 1) return { model: match[1]!, trafficShare };
  throw new UsageError(`"${text}" says no share of the traffic; write MODEL=SHARE, such as churn@2=0.1`);
}

function showEndpoints(endpoints: Endpoint[]): void {
  printTable(
    ['name', 'state', 'answered by', 'predictions', 'created', 'id'],
    endpoints.map((endpoint) => [
      endpoint.name,
      endpoint.state,
      deploymentsInWords(endpoint),
      endpoint.predictionCount,
      timeInWords(endpoint.createdAt),
      endpoint.id,
    ]),
    'No endpoints yet; "pilvi endpoint create NAME --model MODEL" makes one.',
  );
}

function showEndpoint(endpoint: Endpoint): void {
  printProperties([
    ['endpoint', endpoint.name],
    ['id', endpoint.id],
    ['state', endpoint.state],
    ['answered by', deploymentsInWords(endpoint)],
    ['release', endpoint.releaseId],
    ['POST rows to', endpoint.predictPath],
    ['predictions', countInWords(endpoint.predictionCount)],
    ['log', logInWords(endpoint)],
    ['created', timeInWords(endpoint.createdAt)],
  ]);
  if (endpoint.fields.length === 0) return;
  print('');
  printTable(
    ['field', 'kind', 'values', 'example'],
    endpoint.fields.map(({ name, kind, categories, minimum, maximum, example }) => [
      name,
      kind,
      categories?.slice(0, 5).join(', ') ?? (minimum === null ? '' : `${minimum} to ${maximum}`),
      example,
    ]),
    '',
  );
}

function deploymentsInWords({ deployments }: Endpoint): string {
  return deployments
    .map(({ modelName, versionNumber, role, trafficShare }) => {
      if (role === 'shadow') return `${modelName}@${versionNumber} (shadow)`;
      const share = trafficShare === 1 ? '' : ` (${Math.round(trafficShare * 100)} %)`;
      return `${modelName}@${versionNumber}${share}`;
    })
    .join(', ');
}
