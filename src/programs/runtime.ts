// The running product without its HTTP face: drivers, ports, jobs, reactions, upkeep. The server adds the face; a
// `pilvi worker` is nothing but this.
import { idSource } from '../base/ids.ts';
import { systemClock } from '../base/time.ts';
import { createMeter } from '../capabilities/billing/billing.ts';
import { openPredictionLog } from '../pipeline/predict/log/log.ts';
import { closePredictions, openPredictions } from '../pipeline/predict/predict.ts';
import type { Services } from '../platform/context.ts';
import { openEgress } from '../platform/drivers/egress.ts';
import { startDispatcher } from '../platform/events/dispatcher.ts';
import { readySigner } from '../platform/security/signing/signing.ts';
import { Metrics } from '../platform/telemetry/metrics.ts';
import { JobHost } from '../platform/jobs/host.ts';
import { openJobs } from '../platform/jobs/jobs.ts';
import { openModelServers } from '../platform/model-servers/model-servers.ts';
import type { Configuration } from './configuration.ts';
import { productJobs, productReactions } from './product.ts';
import { limitsOf, openMail, type Outside } from './services.ts';
import { startUpkeep } from './upkeep.ts';

/** Starts working with what is outside; `opened` stops it again, in reverse order. */
export async function openRuntime(
  configuration: Configuration,
  { log, folders, ...opening }: Outside,
  opened: AsyncDisposableStack,
): Promise<Services> {
  const database = await opening.database;
  const blobs = await opening.blobs;
  const base = {
    database,
    blobs,
    signer: await opening.signer,
    log,
    clock: systemClock,
    newId: idSource(),
    metrics: new Metrics(),
    limits: limitsOf(configuration),
  };
  await readySigner(base);
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
  const modelServers = await openModelServers({ ...base, workFolder: folders.work });
  opened.defer(() => modelServers.close());
  const services: Services = {
    ...base,
    meter,
    egress: openEgress(),
    mail: openMail(configuration),
    jobs,
    modelServers,
  };
  await openPredictionLog(services, folders.predictionLog);
  openPredictions(services);
  const host = new JobHost({ jobs, concurrency: configuration.PILVI_WORKERS });
  host.start();
  opened.defer(() => host.stop());
  const dispatcher = startDispatcher({ services, reactions: productReactions });
  opened.defer(() => dispatcher.stop());
  opened.defer(startUpkeep(services));
  return services;
}
