// What a server does by itself now and then: charge for storage, forget uploads that nobody finished, start reports of
// windows that have ended, remove blobs that nothing refers to, and, every few seconds, look at releases and updates. Every
// part is safe when several servers do it at once.
import { setInterval } from 'node:timers';
import { hourMs, minuteMs, secondMs } from '../base/time.ts';
import { meterStorage } from '../capabilities/billing/storage.ts';
import { batchBlobs, storedBatchBytes } from '../pipeline/batch/batch.ts';
import { forgetOldFlips } from '../pipeline/compare/compare.ts';
import { datasetBlobs, forgetExpiredUploads, storedDatasetBytes } from '../pipeline/data/data.ts';
import { monitorBlobs, startDueReports } from '../pipeline/monitor/monitor.ts';
import { forgetOldPredictions, predictionLogBlobs, storedLogBytes } from '../pipeline/predict/log/log.ts';
import { modelBlobs, storedModelBytes } from '../pipeline/registry/registry.ts';
import { advanceDueReleases } from '../pipeline/release/advance.ts';
import { runUpdates } from '../pipeline/update/update.ts';
import { collectBlobs } from '../platform/blobs/collect.ts';
import type { Services } from '../platform/context.ts';

/** Within the hour that storage is charged for, with room for a server that is busy. */
const intervalMs = 20 * minuteMs;
const firstAfterMs = minuteMs;
/** What is due is looked at soon; whether anything is costs a short query or two. */
const lookEveryMs = 2 * secondMs;

/** Starts the upkeep. Returns what ends it. */
export function startUpkeep(services: Services): () => Promise<void> {
  let running: Promise<void> = Promise.resolve();
  let nextCollectionMs = 0;
  const stopping = new AbortController();
  const round = async (): Promise<void> => {
    await attempt('storage could not be metered', () =>
      meterStorage(services, [storedDatasetBytes, storedModelBytes, storedLogBytes, storedBatchBytes]),
    );
    await attempt('expired uploads could not be forgotten', () => forgetExpiredUploads(services));
    await attempt('old predictions could not be forgotten', () => forgetOldPredictions(services));
    await attempt('old flips could not be forgotten', () => forgetOldFlips(services));
    await attempt('endpoints could not be looked at', () => startDueReports(services, stopping.signal));
    if (services.clock.monotonicMs() < nextCollectionMs) return;
    nextCollectionMs = services.clock.monotonicMs() + hourMs;
    await attempt('unused files could not be removed', () =>
      collectBlobs(services, [datasetBlobs, modelBlobs, predictionLogBlobs, batchBlobs, monitorBlobs]),
    );
  };
  const attempt = async (failure: string, work: () => Promise<unknown>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      services.log.warn({ error }, failure);
    }
  };
  const start = (): void => {
    running = running.then(round);
  };
  const lookAround = async (): Promise<void> => {
    await attempt('releases could not be looked at', () => advanceDueReleases(services, stopping.signal));
    await attempt('updates could not be looked at', () => runUpdates(services, stopping.signal));
  };
  let looking: Promise<void> | undefined;
  const look = (): void => {
    looking ??= lookAround().finally(() => {
      looking = undefined;
    });
  };
  const first = setTimeout(start, firstAfterMs);
  const looks = setInterval(look, lookEveryMs);
  const timer = setInterval(start, intervalMs);
  return async () => {
    clearTimeout(first);
    clearInterval(looks);
    clearInterval(timer);
    stopping.abort();
    await running;
    await looking;
  };
}
