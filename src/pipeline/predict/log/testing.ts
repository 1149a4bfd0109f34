// What the tests of the log share: an endpoint that answers, a log in a folder of its own, and real worker processes.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Context, Services } from '../../../platform/context.ts';
import { openJobs } from '../../../platform/jobs/jobs.ts';
import { createEndpoint } from '../../deploy/deploy.ts';
import { openDeployTest, type DeployTest, type Target } from '../../deploy/testing.ts';
import { closePredictions } from '../predict.ts';
import { openPredictionLog } from './log.ts';

export interface LogTest extends DeployTest {
  /** Where the segments lie. */
  folder: string;
  /** A fresh endpoint, and the context of its owner. */
  freshEndpoint(target?: Target): Promise<{ context: Context; endpointId: string; modelVersionId: string }>;
  /** Ends the log of this server as a stop does. */
  closeLog(): Promise<void>;
  openLog(): Promise<void>;
}

/** Opens services with jobs and a log; close them after. */
export async function openLogTest(replaced: Partial<Services> = {}): Promise<LogTest> {
  const base = await openDeployTest(replaced);
  const folder = await mkdtemp(join(tmpdir(), 'pilvi-test-'));
  const jobs = await openJobs({
    ...base.services,
    workFolder: join(folder, 'work'),
    kinds: [],
    services: () => services,
  });
  const services: Services = { ...base.services, jobs };
  const logFolder = join(folder, 'log');
  const openLog = (): Promise<void> => openPredictionLog(services, logFolder);
  const closeLog = (): Promise<void> => closePredictions(services);
  await openLog();
  return {
    ...base,
    services,
    folder: logFolder,
    openLog,
    closeLog,
    contextFor: (who) => ({ ...base.contextFor(who), jobs }),
    freshWorkspace: async () => ({ ...(await base.freshWorkspace()), jobs }),
    freshEndpoint: async (target = 'left') => {
      const context = { ...(await base.freshWorkspace()), jobs };
      const projectId = await base.freshProject(context);
      const { id: modelVersionId } = await base.freshVersion(context, projectId, target);
      const { id: endpointId } = await createEndpoint(context, { projectId, name: 'tested', modelVersionId });
      return { context, endpointId, modelVersionId };
    },
    close: async () => {
      await closeLog();
      await jobs.close();
      await base.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
