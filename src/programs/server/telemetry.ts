// What the server tells its operator: how many requests each operation had and how long they took, and traces of them
// where the configuration names a collector. `GET /metrics` is for Prometheus and passes the same gate as everything:
// a key sees the endpoints of its workspace, or of its project; the operator's token sees the server's own series, too.
import type { Hono } from 'hono';
import { secondMs } from '../../base/time.ts';
import type { Services } from '../../platform/context.ts';
import { traceSender } from '../../platform/drivers/otlp.ts';
import { factsOf, type AppOptions } from '../../platform/http/app.ts';
import type { Observed, ObservedOperation } from '../../platform/http/carry-out.ts';
import { operatorKeyId } from '../../platform/security/identity/people.ts';
import type { Durations, Metrics } from '../../platform/telemetry/metrics.ts';
import { Tracer } from '../../platform/telemetry/tracer.ts';
import type { Configuration } from '../configuration.ts';
import { version } from '../version.ts';

/** Counts and traces what is answered; `opened` sends the last spans. */
export function openObservation(
  configuration: Configuration,
  { metrics, clock, log }: Pick<Services, 'metrics' | 'clock' | 'log'>,
  opened: AsyncDisposableStack,
): (observed: Observed) => void {
  const measure = measureRequests(metrics);
  addProcessGauges(metrics);
  const { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint } = configuration;
  if (endpoint === undefined) return measure;
  const tracer = new Tracer({
    clock,
    log,
    service: { name: configuration.OTEL_SERVICE_NAME, version },
    share: configuration.OTEL_TRACES_SAMPLER_ARG,
    send: traceSender({ endpoint, headers: headersOf(configuration.OTEL_EXPORTER_OTLP_HEADERS) }),
  });
  opened.defer(() => tracer.close());
  metrics.gauge('pilvi_spans_dropped', 'Spans that no collector took since the start.', () => [
    { owner: 'server', labels: {}, value: tracer.droppedCount },
  ]);
  return (observed) => {
    measure(observed);
    const { operation, status, requestId, laps, traceparent } = observed;
    const method = operation.method.toUpperCase();
    const route = operation.isProtocol ? operation.path : `/api/v1${operation.path}`;
    tracer.record({ name: `${method} ${route}`, method, route, status, requestId, laps }, traceparent);
  };
}

/** Serves the metrics to whoever may read endpoints. */
export function serveMetrics(app: Pick<Hono, 'get'>, options: AppOptions): void {
  const { gate, services } = options;
  app.get('/metrics', async (http) => {
    const { actor, workspaceId, projectId } = await gate.admit(factsOf(http, options), 'endpoint:read');
    const isOperator = actor.id === operatorKeyId;
    const text = services.metrics.text((owner) =>
      owner === 'server'
        ? isOperator
        : owner.workspaceId === workspaceId && (projectId === null || owner.projectId === projectId),
    );
    return http.body(text, 200, { 'Content-Type': 'text/plain; version=0.0.4; charset=utf-8' });
  });
}

function measureRequests(metrics: Metrics): (observed: Observed) => void {
  const requests = metrics.counter('pilvi_http_requests_total', 'Requests by operation and status.');
  const durations = metrics.histogram(
    'pilvi_http_request_duration_seconds',
    'From the headers being read to the answer being made, by operation.',
  );
  const counts = new Map<ObservedOperation, Map<number, { count: number }>>();
  const histograms = new Map<ObservedOperation, Durations>();
  return ({ operation, status, laps }) => {
    const { operationId } = operation;
    const byStatus = counts.get(operation) ?? new Map<number, { count: number }>();
    counts.set(operation, byStatus);
    let series = byStatus.get(status);
    if (!series) {
      series = requests.of('server', { operation: operationId, status: String(status) });
      byStatus.set(status, series);
    }
    series.count++;
    let taken = histograms.get(operation);
    if (!taken) {
      taken = durations.of('server', { operation: operationId });
      histograms.set(operation, taken);
    }
    taken.add((laps.endMs - laps.startMs) / secondMs);
  };
}

function addProcessGauges(metrics: Metrics): void {
  const own = (read: () => number) => () => [{ owner: 'server' as const, labels: {}, value: read() }];
  metrics.gauge(
    'process_resident_memory_bytes',
    'Memory of this process.',
    own(() => process.memoryUsage.rss()),
  );
  metrics.gauge(
    'process_cpu_seconds',
    'Processor time of this process since its start.',
    own(() => {
      const { user, system } = process.cpuUsage();
      return (user + system) / 1_000_000;
    }),
  );
}

function headersOf(pairs: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const [name, ...value] = pair.split('=');
      return [name!.trim(), decodeURIComponent(value.join('=').trim())];
    }),
  );
}
