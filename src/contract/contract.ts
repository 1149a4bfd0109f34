// The whole contract: every operation of the API by its operationId. Everything that enumerates the API reads this.
import * as batch from './batch.ts';
import * as budget from './budget.ts';
import * as comparison from './comparison.ts';
import * as dataset from './dataset.ts';
import * as endpoint from './endpoint.ts';
import * as explanation from './explanation.ts';
import * as job from './job.ts';
import * as model from './model.ts';
import * as monitor from './monitor.ts';
import type { Operation } from './operation.ts';
import * as predictionLog from './prediction-log.ts';
import * as project from './project.ts';
import * as release from './release.ts';
import * as server from './server.ts';
import * as session from './session.ts';
import * as signingKey from './signing-key.ts';
import * as training from './training.ts';
import * as update from './update.ts';
import * as upload from './upload.ts';
import * as workspace from './workspace.ts';

const resources = {
  ...server,
  ...session,
  ...workspace,
  ...project,
  ...upload,
  ...dataset,
  ...training,
  ...model,
  ...signingKey,
  ...endpoint,
  ...batch,
  ...explanation,
  ...monitor,
  ...comparison,
  ...update,
  ...predictionLog,
  ...release,
  ...job,
  ...budget,
};

type Resources = typeof resources;

/** The operations among the exports of the resource files, by name, with their own types. */
export type Contract = {
  [Name in keyof Resources as Resources[Name] extends Operation ? Name : never]: Resources[Name];
};

export const contract: Contract = Object.fromEntries(
  Object.entries(resources).filter(
    ([, value]) => typeof value === 'object' && value !== null && 'operationId' in value,
  ),
) as Contract;

/** Every operation, in the order of the files above. */
export const operations: readonly Operation[] = Object.values(contract) as unknown as Operation[];
