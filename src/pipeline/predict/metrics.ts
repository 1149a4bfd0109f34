// What predictions tell the server's metrics (platform/telemetry/metrics.ts): requests, rows, refusals and durations of
// each endpoint, and what waits in memory. A series belongs to the endpoint's project, so that only its people see it.
import { asProblem } from '../../base/problems.ts';
import { secondMs } from '../../base/time.ts';
import type { Context, Services } from '../../platform/context.ts';
import type { Counter, Durations, GaugeValue, Histogram, Metrics } from '../../platform/telemetry/metrics.ts';
import { serverLog } from './log/log.ts';

/** Endpoints whose series are kept at hand. */
const mostKept = 1_000;

interface EndpointSeries {
  requests: { count: number };
  rows: { count: number };
  durations: Durations;
}

interface Endpoint {
  endpointId: string;
  workspaceId: string;
  projectId: string;
}

/** Counts for one server. */
export class PredictionMetrics {
  readonly #requests: Counter;
  readonly #rows: Counter;
  readonly #failures: Counter;
  readonly #durations: Histogram;
  readonly #kept = new Map<string, EndpointSeries>();

  /** @param opened what is open in memory: models, and bytes of their files */
  constructor(
    services: Pick<Services, 'metrics' | 'database'>,
    opened: () => { modelCount: number; fileBytes: number },
  ) {
    const { metrics } = services;
    this.#requests = metrics.counter(
      'pilvi_prediction_requests_total',
      'Requests for predictions that were answered.',
    );
    this.#rows = metrics.counter('pilvi_predictions_total', 'Rows that were answered.');
    this.#failures = metrics.counter(
      'pilvi_prediction_failures_total',
      'Requests for predictions of a known endpoint that ended with a problem, by its code.',
    );
    this.#durations = metrics.histogram(
      'pilvi_prediction_duration_seconds',
      'From the request being read to its predictions being made, paid and logged.',
    );
    addLogGauges(metrics, services);
    const server = (value: number): GaugeValue[] => [{ owner: 'server', labels: {}, value }];
    metrics.gauge('pilvi_models_open', 'Models in memory.', () => server(opened().modelCount));
    metrics.gauge('pilvi_models_open_bytes', 'Sizes of the files of the models in memory.', () =>
      server(opened().fileBytes),
    );
  }

  /** Counts what became of a request: its rows, or why it was refused. */
  async count<Answer>(
    context: Context,
    endpoint: Endpoint,
    work: () => Promise<{ rowCount: number; answer: Answer }>,
  ): Promise<Answer> {
    const beganMs = context.clock.monotonicMs();
    try {
      const { rowCount, answer } = await work();
      const series = this.#seriesOf(endpoint);
      series.requests.count++;
      series.rows.count += rowCount;
      series.durations.add((context.clock.monotonicMs() - beganMs) / secondMs);
      return answer;
    } catch (error) {
      const { workspaceId, projectId, endpointId } = endpoint;
      const labels = { endpoint: endpointId, code: asProblem(error).code };
      this.#failures.of({ workspaceId, projectId }, labels).count++;
      throw error;
    }
  }

  #seriesOf({ endpointId, workspaceId, projectId }: Endpoint): EndpointSeries {
    let series = this.#kept.get(endpointId);
    if (!series) {
      const owner = { workspaceId, projectId };
      const labels = { endpoint: endpointId };
      series = {
        requests: this.#requests.of(owner, labels),
        rows: this.#rows.of(owner, labels),
        durations: this.#durations.of(owner, labels),
      };
      if (this.#kept.size >= mostKept) this.#kept.clear();
      this.#kept.set(endpointId, series);
    }
    return series;
  }
}

function addLogGauges(metrics: Metrics, services: Pick<Services, 'database'>): void {
  metrics.gauge(
    'pilvi_prediction_log_pending_rows',
    'Logged predictions of an endpoint on this server that are in no Parquet part yet.',
    function* () {
      for (const [endpointId, { workspaceId, projectId, pendingRowCount }] of serverLog(services)?.counts() ??
        [])
        yield {
          owner: { workspaceId, projectId },
          labels: { endpoint: endpointId },
          value: pendingRowCount,
        };
    },
  );
  const ofServer = (read: (waiting: { bytes: number; lagMs: number }) => number) => () => {
    const log = serverLog(services);
    return log ? [{ owner: 'server' as const, labels: {}, value: read(log.waiting) }] : [];
  };
  metrics.gauge(
    'pilvi_prediction_log_waiting_bytes',
    'Logged predictions that are in memory only.',
    ofServer(({ bytes }) => bytes),
  );
  metrics.gauge(
    'pilvi_prediction_log_lag_seconds',
    'How long the oldest logged prediction has been in memory only.',
    ofServer(({ lagMs }) => lagMs / secondMs),
  );
}
