// Nobody reaches another workspace, and no bound key another project: every operation is called with the ids of
// somebody else's things in every place where an id fits. No answer may hold anything of theirs, and nothing of theirs
// may have changed afterwards.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import { contract, operations } from '../src/contract/contract.ts';
import type { Operation } from '../src/contract/operation.ts';
import type { Client, OperationId } from '../src/sdk/types.ts';
import { openServer, type Answer, type TestServer } from './server.ts';
import { fillWorld, type World } from './world.ts';

type Place = Exclude<keyof World, 'label'>;

/** Where ids go besides paths. A value that names a place stands for that id; the rest is as it is sent. */
const bodies: Partial<Record<OperationId, object>> = {
  updateMember: { role: 'editor' },
  createKey: { name: 'theirs', role: 'viewer', projectId: '$projectId' },
  setBudget: { scope: { kind: 'project', projectId: '$projectId' }, capMicroUsd: 1 },
  updateProject: { name: 'taken over' },
  createUpload: { fileName: 'x.csv', sizeBytes: 1 },
  previewImport: { source: { kind: 'upload', uploadId: '$uploadId' } },
  createDataset: { name: 'theirs', source: { kind: 'version', versionId: '$versionId' } },
  createDatasetVersion: { source: { kind: 'upload', uploadId: '$uploadId' } },
  runQuery: { sql: 'select 1 as one' },
  planTraining: { datasetVersionId: '$versionId', target: 'label' },
  createTraining: { datasetVersionId: '$versionId', target: 'label', budget: { seconds: 1, trials: 1 } },
  setModelAlias: { versionNumber: 1 },
  importOnnxModel: { modelName: 'theirs', uploadId: '$uploadId' },
  createEndpoint: { name: 'theirs', modelVersionId: '$modelVersionId' },
  deployModel: { deployments: [{ modelVersionId: '$modelVersionId', trafficShare: 1 }] },
  startRelease: {
    modelVersionId: '$modelVersionId',
    strategy: { kind: 'challenger', role: 'live', trafficShare: 0.5 },
  },
  quoteBatch: {
    input: { kind: 'dataset-version', versionId: '$versionId' },
    through: { kind: 'model-version', modelVersionId: '$modelVersionId' },
  },
  createBatch: {
    input: { kind: 'dataset-version', versionId: '$versionId' },
    through: { kind: 'endpoint', endpointId: '$endpointId' },
  },
  predict: { rows: [{}] },
  explainRows: { rows: [{}] },
  createComparison: { modelVersionId: '$modelVersionId' },
  setGateRule: { rule: 'flipped <= 1%' },
  setUpdatePolicy: { restHours: 1 },
  setLogSettings: { share: 0.5 },
  setServingSettings: { idleMinutes: 5 },
  queryPredictionLog: { sql: 'select 1 as one' },
  sendOutcomes: { outcomes: [{ predictionId: 'req_00000000000000000000000000-0', actual: 'yes' }] },
  findCounterfactuals: { row: {}, wanted: { class: 'a' } },
};
/** Second bodies of operations that take ids in more than one way. */
const otherBodies: [OperationId, object][] = [
  ['setBudget', { scope: { kind: 'key', keyId: '$keyId' }, capMicroUsd: 1 }],
  ['previewImport', { source: { kind: 'version', versionId: '$versionId' } }],
  ['createDataset', { name: 'theirs', source: { kind: 'upload', uploadId: '$uploadId' } }],
  ['createDatasetVersion', { source: { kind: 'version', versionId: '$versionId' } }],
  [
    'createBatch',
    {
      input: { kind: 'upload', uploadId: '$uploadId' },
      through: { kind: 'model-version', modelVersionId: '$modelVersionId' },
    },
  ],
];
const queries: Partial<Record<OperationId, string>> = {
  listCharges: 'projectId=$projectId',
  listBatches: 'endpointId=$endpointId&modelVersionId=$modelVersionId',
  listJobs: 'projectId=$projectId&subjectId=$versionId',
  importModelFile: 'modelName=theirs',
};
const everyPlace: readonly Place[] = [
  ...(['projectId', 'uploadId', 'datasetId', 'versionId', 'trainingId', 'jobId', 'modelId'] as const),
  ...([
    'modelVersionId',
    'endpointId',
    'batchId',
    'reportId',
    'releaseId',
    'comparisonId',
    'updateId',
    'budgetId',
    'keyId',
    'userId',
  ] as const),
];

/** What stands in paths and is no place: nothing has it without what it belongs to. */
const fixed: Readonly<Record<string, string>> = {
  alias: 'champion',
  predictionId: 'req_00000000000000000000000000-0',
  // Keys belong to no workspace.
  publicKey: '0'.repeat(64),
};

interface Attack {
  operation: Operation;
  body: object | undefined;
  /** The places of this operation, in the order in which they stand in it. */
  places: Place[];
}

let server: TestServer;
let ours: Client;
let theirs: Client;
let ourKey: string;
let victim: World;
let attacker: World;
/** Another project of the victim's workspace, and keys that are bound to it. */
let neighbour: World;
let boundKeys: string[];
let theirWorkspaceId: string;
let theirKey: string;

before(async () => {
  server = await openServer();
  const owner = await signIn();
  theirWorkspaceId = await owner.makeWorkspace('Victim');
  theirKey = await owner.makeKey(theirWorkspaceId);
  theirs = server.clientOf(theirKey);
  ourKey = await owner.makeKey(await owner.makeWorkspace('Attacker'));
  ours = server.clientOf(ourKey);
  victim = await fillWorld(theirs, 'amber');
  neighbour = await fillWorld(theirs, 'beryl');
  attacker = await fillWorld(ours, 'coral');
  boundKeys = [];
  for (const role of ['owner', 'editor'] as const) {
    const key = { name: role, role, projectId: neighbour.projectId };
    boundKeys.push((await theirs.createKey({ body: key })).secret);
  }
});
after(() => server?.close());

/** Opens the link of the first start in a browser, which makes workspaces: keys cannot. */
async function signIn(): Promise<{
  makeWorkspace(name: string): Promise<string>;
  makeKey(workspaceId: string): Promise<string>;
}> {
  const host = `localhost:${server.port}`;
  const headers: Record<string, string> = {
    host,
    origin: `http://${host}`,
    'sec-fetch-site': 'same-origin',
    'sec-fetch-mode': 'cors',
    'sec-fetch-dest': 'empty',
  };
  const post = async (path: string, json: object): Promise<Answer> => {
    const answer = await server.ask({ method: 'POST', path: `/api/v1${path}`, key: null, headers, json });
    assert.equal(answer.status, 201, answer.text);
    return answer;
  };
  const code = server.running.signInUrl!.split('#code=')[1]!;
  const session = await post('/session', { code, displayName: 'Olga' });
  headers['cookie'] = session.headers['set-cookie']![0]!.split(';')[0]!;
  return {
    makeWorkspace: async (name) => String((await post('/workspaces', { name })).json!['id']),
    makeKey: async (workspaceId) => {
      headers['pilvi-workspace'] = workspaceId;
      return String((await post('/keys', { name: 'owner', role: 'owner' })).json!['secret']);
    },
  };
}

/** Every operation that takes an id somewhere, with each of its bodies. */
function attacks(): Attack[] {
  const withBodies: [Operation, object | undefined][] = [
    ...operations.map((operation): [Operation, object | undefined] => [
      operation,
      bodies[operation.operationId as OperationId],
    ]),
    ...otherBodies.map(([id, body]): [Operation, object] => [contract[id], body]),
  ];
  return withBodies
    .map(([operation, body]) => ({ operation, body, places: placesOf(operation, body) }))
    .filter(({ places }) => places.length > 0);
}

function placesOf({ operationId, path }: Operation, body: object | undefined): Place[] {
  const inPath = [...path.matchAll(/\{(\w+)\}/g)]
    .map((match) => match[1]!)
    .filter((name) => !(name in fixed));
  const isOfModel = path.startsWith('/model-versions/');
  const inRest = `${JSON.stringify(body) ?? ''}${queries[operationId as OperationId] ?? ''}`;
  return [
    ...inPath.map((name) => (isOfModel ? 'modelVersionId' : name)),
    ...[...inRest.matchAll(/\$(\w+)/g)].map((match) => match[1]!),
  ] as Place[];
}

/** Sends the attack with `ids[n]` in its nth place. */
async function send({ operation, body, places }: Attack, ids: string[], key: string): Promise<Answer> {
  const left = [...ids];
  assert.equal(left.length, places.length);
  const next = (): string => encodeURIComponent(left.shift()!);
  const path = operation.path.replaceAll(/\{(\w+)\}/g, (_, name) => fixed[name as string] ?? next());
  const json = body && JSON.stringify(body).replaceAll(/\$\w+/g, next);
  const query = queries[operation.operationId as OperationId]?.replaceAll(/\$\w+/g, next) ?? '';
  const [mediaType] = operation.request.stream ?? [json === undefined ? undefined : 'application/json'];
  return await server.ask({
    method: operation.method.toUpperCase(),
    path: `/api/v1${path}?${query}`,
    key,
    ...(mediaType !== undefined && { headers: { 'content-type': mediaType }, body: json ?? 'x' }),
  });
}

/** Nothing of `world` is in the answer; that an id was sent to us is no secret, so refusals may repeat it. */
function assertHoldsNothingOf(world: World, answer: Answer, attack: string): void {
  assert.ok(answer.status < 500, `${attack} answered ${answer.status}: ${answer.text}`);
  assert.ok(!answer.text.includes(world.label), `${attack} answered ${answer.status}: ${answer.text}`);
  if (answer.status >= 300) return;
  const found = everyPlace.filter((place) => answer.text.includes(world[place]));
  assert.deepEqual(found, [], `${attack} answered ${answer.status}: ${answer.text}`);
}

function nameOf({ operation, places }: Attack, ids: string[]): string {
  return `${operation.operationId}(${places.map((place, index) => `${place}: ${ids[index]}`).join(', ')})`;
}

/** Everything that an owner can see of their workspace, as text; without what looking at it changes. */
async function dump(client: Client, worlds: World[]): Promise<string> {
  // Storage is charged when an hour begins, whoever does what, and so counts as spent.
  const charges = await client.listCharges({ limit: 200 });
  const { items: budgets } = await client.listBudgets();
  const found: unknown[] = [
    await client.getWorkspace(),
    await client.listMembers(),
    (await client.listKeys({ limit: 200 })).items.map((key) => ({ ...key, lastUsedAt: null })),
    { items: budgets.map((budget) => ({ ...budget, spentMicroUsd: null })) },
    { items: charges.items.filter(({ unit }) => unit !== 'stored-gib-hour') },
    await client.listProjects({ limit: 200 }),
    await client.listJobs({ limit: 200 }),
    await client.listAuditLines({ limit: 200 }),
    await client.verifyAudit(),
  ];
  for (const { projectId, uploadId, datasetId, versionId, modelId, endpointId, trainingId } of worlds) {
    found.push(
      await client.getUpload({ uploadId }),
      await client.listDatasets({ projectId }),
      await client.listDatasetVersions({ datasetId }),
      await client.getPredictionLog({ endpointId }),
      await client.getDatasetProfile({ versionId }),
      await client.getDatasetRows({ versionId }),
      await client.listTrainings({ projectId }),
      await client.getTraining({ trainingId }),
      await client.listModels({ projectId }),
      await client.listModelVersions({ modelId }),
      await client.listEndpoints({ projectId }),
      await client.getEndpoint({ endpointId }),
      await client.getMonitor({ endpointId }),
      await client.listMonitorReports({ endpointId }),
      await client.listReleases({ endpointId }),
      await client.listComparisons({ endpointId }),
      await client.getGateRule({ endpointId }),
      await client.getUpdatePolicy({ endpointId }),
      await client.listUpdates({ endpointId }),
    );
  }
  return JSON.stringify(found, null, 1);
}

/** Each attack with all ids foreign, and with each id foreign alone, of its own kind and of every other. */
async function attackEverywhere(key: string, own: World, foreign: World): Promise<number> {
  let count = 0;
  const attempt = async (attack: Attack, ids: string[]): Promise<void> => {
    count += 1;
    assertHoldsNothingOf(foreign, await send(attack, ids, key), nameOf(attack, ids));
  };
  for (const attack of attacks()) {
    await attempt(
      attack,
      attack.places.map((place) => foreign[place]),
    );
    for (const [index] of attack.places.entries()) {
      for (const kind of everyPlace) {
        const ids = attack.places.map((place, at) => (at === index ? foreign[kind] : own[place]));
        await attempt(attack, ids);
      }
    }
  }
  return count;
}

describe('another workspace', () => {
  let before: string;
  test('is filled with one of everything, and its owner sees it', async () => {
    before = await dump(theirs, [victim, neighbour]);
    for (const place of everyPlace) assert.ok(before.includes(victim[place]), `the dump shows no ${place}`);
    const named = new Set(attacks().flatMap(({ places }) => places));
    assert.deepEqual([...named].toSorted(), [...everyPlace].toSorted(), 'every kind of id has a place');
  });

  test('is not reached with any of its ids in any place of any operation', async () => {
    assert.ok((await attackEverywhere(ourKey, attacker, victim)) > 500);
  });

  test('is not reached by any mixture of its ids and our own', async () => {
    const mixture = fc
      .constantFrom(...attacks().filter(({ places }) => places.length > 1))
      .chain((attack) =>
        fc.record({
          attack: fc.constant(attack),
          ids: fc.tuple(
            ...attack.places.map((place) =>
              fc.oneof(
                fc.constant(victim[place]),
                fc.constant(attacker[place]),
                fc.constantFrom(...everyPlace.map((other) => victim[other])),
              ),
            ),
          ),
        }),
      )
      .filter(({ ids }) => ids.some((id) => everyPlace.some((place) => victim[place] === id)));
    const property = fc.asyncProperty(mixture, async ({ attack, ids }) => {
      assertHoldsNothingOf(victim, await send(attack, ids, ourKey), nameOf(attack, ids));
    });
    await fc.assert(property, { numRuns: 200, seed: 1 });
  });

  test('is not reached by naming it in a header, nor by its cursors', async () => {
    for (const operation of operations.filter(({ method }) => method === 'get')) {
      const path = `/api/v1${operation.path.replaceAll(/\{(\w+)\}/g, (_, name: Place) => victim[name])}`;
      const headers = { 'pilvi-workspace': theirWorkspaceId };
      const named = await server.ask({ path, key: ourKey, headers });
      assertHoldsNothingOf(victim, named, operation.operationId);
      if (!('cursor' in (operation.request.query?.shape ?? {}))) continue;
      const own = `/api/v1${operation.path.replaceAll(/\{(\w+)\}/g, (_, name: Place) => attacker[name])}`;
      for (const place of everyPlace) {
        const paged = await server.ask({ path: `${own}?cursor=${victim[place]}`, key: ourKey });
        assertHoldsNothingOf(victim, paged, operation.operationId);
      }
    }
  });

  test('has no table in our queries', async () => {
    const names = ['amber table', 'coral table'];
    for (const name of names) {
      const answer = await server.ask({
        method: 'POST',
        path: `/api/v1/projects/${attacker.projectId}/queries`,
        key: ourKey,
        json: { sql: `select * from "${name}" limit 1` },
      });
      assert.equal(answer.status, name === 'coral table' ? 200 : 422, answer.text);
    }
  });

  test('is unchanged after all of it', async () => {
    assert.equal(await dump(theirs, [victim, neighbour]), before);
  });
});

describe('a key that is bound to a project', () => {
  test('never reaches another project of its workspace, whatever its role', async () => {
    const before = await dump(theirs, [victim]);
    for (const key of boundKeys) await attackEverywhere(key, neighbour, victim);
    const after = await dump(theirs, [victim]);
    // What the bound keys did in their own project is in the log of the workspace; the other project stays as it was.
    assert.equal(withoutLog(after), withoutLog(before));
  });

  test('sees only its project where a workspace is listed', async () => {
    for (const key of boundKeys) {
      for (const path of ['/projects', '/jobs', '/charges', '/budgets', '/keys', '/members', '/audit']) {
        const answer = await server.ask({ path: `/api/v1${path}?limit=200`, key });
        assertHoldsNothingOf(victim, answer, path);
      }
    }
    // Two days: what was spent before midnight counts too.
    const all = await theirs.getSpending({ days: 2 });
    const bound = await server.clientOf(boundKeys[0]!).getSpending({ days: 2 });
    const sum = (items: { amountMicroUsd: number }[]): number =>
      items.reduce((total, { amountMicroUsd }) => total + amountMicroUsd, 0);
    assert.ok(sum(bound.items) > 0 && sum(bound.items) < sum(all.items));
  });
});

function withoutLog(text: string): string {
  const [workspace, members, keys, budgets, charges, projects, jobs, , , ...rest] = JSON.parse(text);
  const ofVictim = (page: { items: { projectId: string }[] }): unknown =>
    page.items.filter(({ projectId }) => projectId === victim.projectId);
  const budget = budgets.items.filter(({ id }: { id: string }) => id === victim.budgetId);
  const project = projects.items.filter(({ id }: { id: string }) => id === victim.projectId);
  const shown = [workspace, members, keys, budget, ofVictim(charges), project, ofVictim(jobs), ...rest];
  return JSON.stringify(shown, null, 1);
}
