// Things by name or id. People write names; ids work everywhere too. A name that nothing has is answered with the
// nearest one that something has.
import { isId, type IdKind } from '../../base/ids.ts';
import { Problem } from '../../base/problems.ts';
import { listAll } from '../../sdk/list-all.ts';
import type { AnswerFor, Client } from '../../sdk/types.ts';
import { nearest } from '../nearest.ts';
import { UsageError } from './failure.ts';

interface Named {
  id: string;
  name: string;
}

type Project = AnswerFor<'getProject'>;
type Dataset = AnswerFor<'getDataset'>;
type DatasetVersion = AnswerFor<'getDatasetVersion'>;
type Model = AnswerFor<'getModel'>;
type ModelVersion = AnswerFor<'getModelVersion'>;
type Endpoint = AnswerFor<'getEndpoint'>;

/** The project called `reference`; without one, the only project there is. */
export async function findProject(client: Client, reference: string | undefined): Promise<Project> {
  if (reference !== undefined) {
    return find('project', reference, {
      byId: (projectId) => client.getProject({ projectId }),
      all: () => listAll(client.listProjects, {}),
    });
  }
  const projects = await Array.fromAsync(listAll(client.listProjects, {}));
  if (projects.length === 1) return projects[0]!;
  if (projects.length === 0)
    throw new Problem('not-found', 'There is no project yet; "pilvi project create NAME" makes one.');
  const names = projects.slice(0, 10).map(({ name }) => `"${name}"`);
  throw new UsageError(
    `there are ${projects.length} projects (${names.join(', ')}): name one with --project or PILVI_PROJECT`,
  );
}

export function findDataset(client: Client, projectId: string, reference: string): Promise<Dataset> {
  return find('dataset', reference, {
    byId: (datasetId) => client.getDataset({ datasetId }),
    all: () => listAll(client.listDatasets, { projectId }),
  });
}

export function findModel(client: Client, projectId: string, reference: string): Promise<Model> {
  return find('model', reference, {
    byId: (modelId) => client.getModel({ modelId }),
    all: () => listAll(client.listModels, { projectId }),
  });
}

export function findEndpoint(client: Client, projectId: string, reference: string): Promise<Endpoint> {
  return find('endpoint', reference, {
    byId: (endpointId) => client.getEndpoint({ endpointId }),
    all: () => listAll(client.listEndpoints, { projectId }),
  });
}

/** A dataset version: `NAME` (the newest), `NAME@3`, or the version's id. */
export async function findDatasetVersion(
  client: Client,
  projectId: string,
  reference: string,
): Promise<DatasetVersion> {
  if (isId('datasetVersion', reference)) return client.getDatasetVersion({ versionId: reference });
  const { name, tag } = splitReference(reference);
  const dataset = await findDataset(client, projectId, name);
  if (tag === undefined) {
    if (dataset.latestVersion) return dataset.latestVersion;
    throw new Problem('not-found', `The dataset "${dataset.name}" has no version yet.`);
  }
  const versions = listAll(client.listDatasetVersions, { datasetId: dataset.id });
  return numbered(`the dataset "${dataset.name}"`, tag, await Array.fromAsync(versions));
}

/** A model version: `NAME` (the newest), `NAME@3`, `NAME@champion`, or the version's id. */
export async function findModelVersion(
  client: Client,
  projectId: string,
  reference: string,
): Promise<ModelVersion> {
  if (isId('modelVersion', reference)) return client.getModelVersion({ versionId: reference });
  const { name, tag } = splitReference(reference);
  const model = await findModel(client, projectId, name);
  if (tag === undefined) {
    if (model.latestVersion) return client.getModelVersion({ versionId: model.latestVersion.id });
    throw new Problem('not-found', `The model "${model.name}" has no version yet.`);
  }
  const alias = model.aliases.find((candidate) => candidate.alias === tag);
  const versions = listAll(client.listModelVersions, { modelId: model.id });
  const { id } = numbered(
    `the model "${model.name}"`,
    alias ? String(alias.versionNumber) : tag,
    await Array.fromAsync(versions),
  );
  return client.getModelVersion({ versionId: id });
}

/** Splits `name@tag` at its last @; a name may hold one itself when it is followed by a tag. */
export function splitReference(reference: string): { name: string; tag: string | undefined } {
  const match = /^(.+)@([^@]*)$/s.exec(reference);
  return match ? { name: match[1]!, tag: match[2] } : { name: reference, tag: undefined };
}

/** The thing called `reference` among `items`. @throws Problem `not-found` with the nearest name */
export function pick<Item extends Named>(kind: string, reference: string, items: readonly Item[]): Item {
  const found = items.find(({ id }) => id === reference) ?? items.find(({ name }) => name === reference);
  if (found) return found;
  const meant = nearest(
    reference,
    items.map(({ name }) => name),
  );
  const hint = meant === undefined ? '' : ` Did you mean "${meant}"?`;
  throw new Problem('not-found', `There is no ${kind} "${reference}".${hint}`);
}

async function find<Item extends Named>(
  kind: IdKind,
  reference: string,
  from: { byId: (id: string) => Promise<Item>; all: () => AsyncIterable<Item> },
): Promise<Item> {
  if (isId(kind, reference)) return from.byId(reference);
  return pick(kind, reference, await Array.fromAsync(from.all()));
}

function numbered<Version extends { number: number }>(
  owner: string,
  tag: string,
  versions: Version[],
): Version {
  const found = versions.find(({ number }) => String(number) === tag.replace(/^v/, ''));
  if (found) return found;
  const numbers = versions.slice(0, 10).map(({ number }) => number);
  throw new Problem(
    'not-found',
    `There is no version "${tag}" of ${owner}; its versions are ${numbers.join(', ') || 'none'}.`,
  );
}
