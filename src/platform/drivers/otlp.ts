// Sends OTLP requests as JSON to the collector that the operator named (https://opentelemetry.io/docs/specs/otlp/#otlphttp).
// The address is the operator's own, not a caller's: it may be on this machine, which the egress client would refuse.
import { secondMs } from '../../base/time.ts';

const timeoutMs = 10 * secondMs;

export interface CollectorOptions {
  /** Base address, such as `http://localhost:4318`; `/v1/traces` is added. */
  endpoint: string;
  headers: Readonly<Record<string, string>>;
}

/** A function that sends one `ExportTraceServiceRequest`; it throws when the collector does not take it. */
export function traceSender({ endpoint, headers }: CollectorOptions): (request: object) => Promise<void> {
  const url = `${endpoint.replace(/\/+$/, '')}/v1/traces`;
  return async (request) => {
    const response = await fetch(url, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body: JSON.stringify(request),
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
    });
    await response.body?.cancel();
    if (!response.ok) throw new Error(`the collector answered ${response.status}`);
  };
}
