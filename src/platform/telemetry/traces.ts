// Traces: one span for a request, and one below it for each of its parts (laps.ts), in the form of OpenTelemetry's
// protocol as JSON over HTTP (https://opentelemetry.io/docs/specs/otlp/). A caller that is traced says so in
// `traceparent` (https://www.w3.org/TR/trace-context/): its trace goes on here, sampled or not as it decided.
//
// Written here, not taken from @opentelemetry/*: the SDK with its exporter is 40 packages for three formats, all of
// which are on this page; it wants an AsyncLocalStorage around every request, and it takes longer to load than the
// server takes to start.
import { randomBytes } from 'node:crypto';
import type { Clock } from '../../base/time.ts';
import type { Laps } from './laps.ts';

/** Where spans come from: what the caller said, or a new trace. */
export interface TraceContext {
  /** 32 hexadecimal digits. */
  traceId: string;
  /** 16 hexadecimal digits; undefined where the trace begins here. */
  parentSpanId: string | undefined;
  isSampled: boolean;
}

/** A request that was answered. */
export interface TracedRequest {
  context: TraceContext;
  /** Such as `POST /api/v1/endpoints/{endpointId}/predictions`. */
  name: string;
  method: string;
  route: string;
  status: number;
  requestId: string;
  laps: Laps;
}

type Attribute = { key: string; value: { stringValue: string } | { intValue: string } };

/** One span as OTLP has it in JSON: ids in hexadecimal, 64-bit numbers as text. */
export interface Span {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  /** 1: internal, 2: server. */
  kind: 1 | 2;
  startTimeUnixNano: string;
  endTimeUnixNano: string;
  attributes: Attribute[];
  /** 0: unset, 2: error. */
  status: { code: 0 | 2 };
}

const traceparent = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

/**
 * The trace that a request belongs to. Without a valid `header` a new one begins, which is sampled with the probability
 * `share`.
 */
export function traceContextOf(header: string | undefined, share: number): TraceContext {
  const match = header === undefined ? null : traceparent.exec(header.trim().toLowerCase());
  if (match) {
    const [, version, traceId, parentSpanId, flags, more] = match;
    const isValid =
      version !== 'ff' &&
      (version !== '00' || more === undefined) &&
      !/^0+$/.test(traceId!) &&
      !/^0+$/.test(parentSpanId!);
    if (isValid) {
      return {
        traceId: traceId!,
        parentSpanId: parentSpanId!,
        isSampled: (Number.parseInt(flags!, 16) & 1) === 1,
      };
    }
  }
  const bytes = randomBytes(16);
  // As OpenTelemetry's ratio sampler does: the last bytes of the id decide, so that all who see it decide alike.
  const isSampled = bytes.readUInt32BE(12) < share * 4_294_967_296;
  return { traceId: bytes.toString('hex'), parentSpanId: undefined, isSampled };
}

/** The spans of a request: its own, then one for each part. */
export function spansOf(request: TracedRequest, clock: Clock): Span[] {
  const { context, laps, status } = request;
  const { traceId, parentSpanId } = context;
  const spanId = newSpanId();
  // Monotonic times as wall-clock times.
  const offsetMs = clock.nowMs() - clock.monotonicMs();
  const at = (monotonicMs: number): string =>
    String(BigInt(Math.round((offsetMs + monotonicMs) * 1000)) * 1000n);
  const own: Span = {
    traceId,
    spanId,
    ...(parentSpanId !== undefined && { parentSpanId }),
    name: request.name,
    kind: 2,
    startTimeUnixNano: at(laps.startMs),
    endTimeUnixNano: at(laps.endMs),
    attributes: attributes({
      'http.request.method': request.method,
      'http.route': request.route,
      'http.response.status_code': status,
      'pilvi.request_id': request.requestId,
      ...laps.notes,
    }),
    status: { code: status >= 500 ? 2 : 0 },
  };
  let beganMs = laps.startMs;
  const parts = laps.parts.map(({ name, endMs }): Span => {
    const span: Span = {
      traceId,
      spanId: newSpanId(),
      parentSpanId: spanId,
      name,
      kind: 1,
      startTimeUnixNano: at(beganMs),
      endTimeUnixNano: at(endMs),
      attributes: [],
      status: { code: 0 },
    };
    beganMs = endMs;
    return span;
  });
  return [own, ...parts];
}

/** An `ExportTraceServiceRequest` in JSON. */
export function exportRequest(spans: readonly Span[], service: { name: string; version: string }): object {
  return {
    resourceSpans: [
      {
        resource: {
          attributes: attributes({ 'service.name': service.name, 'service.version': service.version }),
        },
        scopeSpans: [{ scope: { name: 'pilvi', version: service.version }, spans }],
      },
    ],
  };
}

function newSpanId(): string {
  return randomBytes(8).toString('hex');
}

function attributes(values: Readonly<Record<string, string | number>>): Attribute[] {
  return Object.entries(values).map(([key, value]) => ({
    key,
    value: typeof value === 'number' ? { intValue: String(value) } : { stringValue: value },
  }));
}
