// The running product without its HTTP face: drivers, ports, jobs, reactions, upkeep. The server adds the face; a
// `pilvi worker` is nothing but this.
import { idSource } from '../base/ids.ts';
import { systemClock } from '../base/time.ts';
import { createMeter } from '../capabilities/billing/billing.ts';
import { closePredictions } from '../pipeline/predict/predict.ts';
import type { Services } from '../platform/context.ts';
import { openEgress } from '../platform/drivers/egress.ts';
import { startDispatcher } from '../platform/events/dispatcher.ts';
import { JobHost } from '../platform/jobs/host.ts';
import { openJobs } from '../platform/jobs/jobs.ts';
import type { Configuration } from './configuration.ts';
import { productJobs, productReactions } from './product.ts';
import { limitsOf, openBlobs, openDatabase, openHome, openServerLog } from './services.ts';
import { startUpkeep } from './upkeep.ts';

/** Opens everything and starts working; `opened` closes it again, in reverse order. */
export async function openRuntime(
  configuration: Configuration,
  opened: AsyncDisposableStack,
): Promise<Services> {
  const log = openServerLog(configuration);
  const folders = await openHome(configuration);
  const database = await openDatabase(configuration, folders, log);
  opened.defer(() => database.close());
  const blobs = await openBlobs(configuration, folders);
  const base = {
    database,
    blobs,
    log,
    clock: systemClock,
    newId: idSource(),
    limits: limitsOf(configuration),
  };
  const meter = createMeter(base);
  opened.defer(() => meter.close());
  opened.defer(() => closePredictions(base));
  const jobs = await openJobs({
    ...base,
    workFolder: folders.work,
    kinds: productJobs,
    services: () => services,
  });
  opened.defer(() => jobs.close());
  const services: Services = { ...base, meter, egress: openEgress(), jobs };
  const host = new JobHost({ jobs, concurrency: configuration.PILVI_WORKERS });
  await host.start();
  opened.defer(() => host.stop());
  const dispatcher = startDispatcher({ services, reactions: productReactions });
  opened.defer(() => dispatcher.stop());
  opened.defer(startUpkeep(services));
  return services;
}
