// How requests ended, by deployment, on their way to the database: answered and how fast, or failed. Counting is a few
// additions in memory; the server's upkeep writes them once a second (serving.ts). What is lost with a killed server is
// what it counted in its last second.
import { Problem } from '../../base/problems.ts';
import { recordRequests, type DeploymentRequests } from '../deploy/deploy.ts';
import { latencyEdgesMs } from '../deploy/revisions.ts';
import type { Database } from '../../platform/ports/database.ts';

/** Why a request was not answered though its model could have. */
const notOfTheModel: ReadonlySet<string> = new Set([
  'cancelled',
  'budget-exceeded',
  'disk-full',
  'too-many-requests',
]);

export class Tally {
  #counts = new Map<string, DeploymentRequests>();

  /** Counts a request that was answered; `latencyMs` null: how long it took says nothing, as of a file. */
  answered(deploymentId: string, latencyMs: number | null): void {
    const counts = this.#of(deploymentId);
    counts.requestCount++;
    if (latencyMs !== null) counts.latencyCounts[bucketOf(latencyMs)]!++;
  }

  /** Counts a request that the model failed or refused; one that failed for another reason is not counted. */
  failed(deploymentId: string, error: unknown): void {
    if (error instanceof Problem && notOfTheModel.has(error.code)) return;
    const counts = this.#of(deploymentId);
    counts.requestCount++;
    counts.errorCount++;
  }

  /** Writes what was counted; keeps it for the next time when that fails. */
  async write(database: Database): Promise<void> {
    const counts = this.#counts;
    if (counts.size === 0) return;
    this.#counts = new Map();
    try {
      await recordRequests(database, counts);
    } catch (error) {
      for (const [deploymentId, lost] of counts) this.#addTo(this.#of(deploymentId), lost);
      throw error;
    }
  }

  #of(deploymentId: string): DeploymentRequests {
    let counts = this.#counts.get(deploymentId);
    if (!counts) {
      const latencyCounts = Array<number>(latencyEdgesMs.length + 1).fill(0);
      counts = { requestCount: 0, errorCount: 0, latencyCounts };
      this.#counts.set(deploymentId, counts);
    }
    return counts;
  }

  #addTo(counts: DeploymentRequests, more: DeploymentRequests): void {
    counts.requestCount += more.requestCount;
    counts.errorCount += more.errorCount;
    for (const [place, count] of more.latencyCounts.entries()) counts.latencyCounts[place]! += count;
  }
}

/** The place of a latency among the buckets; edges belong to the bucket below them. */
function bucketOf(latencyMs: number): number {
  let place = 0;
  while (place < latencyEdgesMs.length && latencyMs > latencyEdgesMs[place]!) place++;
  return place;
}
