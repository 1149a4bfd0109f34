// What the tests of deploying and predicting share: a workspace with a project, models that were really learned and
// registered, and a meter.
import { systemClock } from '../../base/time.ts';
import { createMeter, type RunningMeter } from '../../capabilities/billing/billing.ts';
import { frameFromRows } from '../../ml/frame/frame.ts';
import { writeModel } from '../../ml/model/model.ts';
import { search } from '../../ml/search/search.ts';
import type { Context, Services } from '../../platform/context.ts';
import type { Database, Transaction } from '../../platform/ports/database.ts';
import { insertWorkspace } from '../../platform/tenancy/rows.ts';
import { createProject } from '../../platform/tenancy/tenancy.ts';
import { openTestServices, type TestServices } from '../../platform/testing.ts';
import { importModelFile, type ModelVersion } from '../registry/registry.ts';

/** A task each: does a customer leave, what do they spend. */
export type Target = 'left' | 'spend';

export interface DeployTest extends TestServices {
  services: Services;
  meter: RunningMeter;
  /** An owner of a fresh workspace. */
  freshWorkspace(): Promise<Context>;
  freshProject(context: Context): Promise<string>;
  /** A new version of the model of `target`; every version of one target answers the same. */
  freshVersion(context: Context, projectId: string, target?: Target): Promise<ModelVersion>;
}

/** What the models were learned from: numbers, categories, dates and booleans, some of them missing. */
export const customers = Array.from({ length: 160 }, (_, index) => {
  const age = 20 + ((index * 37) % 50);
  const city = ['Turku', 'Oulu', 'Espoo, Uusimaa', null][index % 4]!;
  return {
    age: index % 11 === 0 ? null : age,
    city,
    since: new Date(Date.UTC(2020, index % 60, 1 + (index % 28))).toISOString(),
    member: index % 3 === 0,
    left: age > 45 ? 'yes' : 'no',
    spend: age * 2.5 + (city === 'Oulu' ? 30 : 0),
  };
});

const frame = frameFromRows(customers, [
  { name: 'age', kind: 'numeric' },
  { name: 'city', kind: 'categorical' },
  { name: 'since', kind: 'date' },
  { name: 'member', kind: 'boolean' },
  { name: 'left', kind: 'categorical' },
  { name: 'spend', kind: 'numeric' },
]);

const files = new Map<string, Promise<Uint8Array>>();

/** Opens services with models at hand; close them after. */
export async function openDeployTest(
  replaced: Partial<Services> & { wrapDatabase?: (database: Database) => Database } = {},
): Promise<DeployTest> {
  const { wrapDatabase = (database: Database) => database, ...others } = replaced;
  const base = await openTestServices();
  const database = wrapDatabase(base.services.database);
  const meter = createMeter({ ...base.services, ...others, database });
  const opened = await openTestServices({ ...base.services, ...others, database, meter });
  return {
    ...opened,
    meter,
    freshWorkspace: async () => {
      const context = opened.contextFor();
      const row = { id: context.workspaceId, name: 'Test', createdAt: new Date(systemClock.nowMs()) };
      const insert = (transaction: Transaction): Promise<void> => insertWorkspace(transaction, row);
      await database.asSystem('test', insert);
      return context;
    },
    freshProject: async (context) => {
      const name = context.newId('project');
      return (await createProject(context, { name, description: '' })).id;
    },
    freshVersion: async (context, projectId, target = 'left') => {
      const bytes = await modelFileOf(target);
      const stream = (async function* () {
        yield bytes;
      })();
      return await importModelFile(context, { projectId, modelName: target, stream });
    },
    close: async () => {
      await meter.close();
      await opened.close();
      await base.close();
    },
  };
}

/** The file of a model that predicts `target`; learned once. */
export function modelFileOf(target: Target): Promise<Uint8Array> {
  return files.get(target) ?? learn(target);
}

function learn(target: Target): Promise<Uint8Array> {
  const excludedColumns = [target === 'left' ? 'spend' : 'left'];
  const recipe = {
    target,
    task: 'auto',
    metric: 'auto',
    budget: { trials: 3 },
    seed: 1,
    folds: 2,
    excludedColumns,
  };
  const file = search({
    frame,
    recipe: recipe as Parameters<typeof search>[0]['recipe'],
    clock: systemClock,
  }).then(({ model }) => writeModel(model));
  files.set(target, file);
  return file;
}
