// What is told of a process, without a server: the text of metrics, whose they are, parts of requests, and spans in the
// form of OTLP. How requests are measured and traced from outside is test/observability.test.ts.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Clock } from '../../base/time.ts';
import { openLog } from '../drivers/log.ts';
import { Laps } from './laps.ts';
import { durationBounds, Metrics } from './metrics.ts';
import { exportRequest, spansOf, traceContextOf } from './traces.ts';
import { Tracer } from './tracer.ts';

function clockAt(wallMs: number): Clock & { advance(ms: number): void } {
  let elapsedMs = 0;
  return {
    nowMs: () => wallMs + elapsedMs,
    monotonicMs: () => elapsedMs,
    advance: (ms) => void (elapsedMs += ms),
  };
}

const ours = { workspaceId: 'ws_a', projectId: 'prj_a' };

test('metrics are written as Prometheus reads them', () => {
  const metrics = new Metrics();
  const asked = metrics.counter('asked_total', 'Requests.');
  asked.of(ours, { endpoint: 'ep_1', code: 'a "quoted" \\ name\n' }).count += 2;
  metrics.gauge('open', 'Open models.', () => [{ owner: 'server', labels: {}, value: 3 }]);
  assert.equal(
    metrics.text(() => true),
    [
      '# HELP asked_total Requests.',
      '# TYPE asked_total counter',
      String.raw`asked_total{endpoint="ep_1",code="a \"quoted\" \\ name\n"} 2`,
      '# HELP open Open models.',
      '# TYPE open gauge',
      'open 3',
      '',
    ].join('\n'),
  );
});

test('a reader sees its own series alone', () => {
  const metrics = new Metrics();
  const asked = metrics.counter('asked_total', 'Requests.');
  asked.of(ours, { endpoint: 'ep_ours' }).count++;
  asked.of({ workspaceId: 'ws_b', projectId: 'prj_b' }, { endpoint: 'ep_theirs' }).count++;
  asked.of('server', { endpoint: 'none' }).count++;
  const text = metrics.text((owner) => owner !== 'server' && owner.workspaceId === 'ws_a');
  assert.match(text, /ep_ours/);
  assert.doesNotMatch(text, /ep_theirs|none/);
  assert.equal(
    metrics.text(() => false),
    '',
  );
});

test('a histogram counts every duration once, in every bucket above it', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0, max: 30, noNaN: true }), { maxLength: 50 }), (seconds) => {
      const metrics = new Metrics();
      const durations = metrics.histogram('taken_seconds', 'Taken.').of('server', {});
      for (const one of seconds) durations.add(one);
      const text = metrics.text(() => true);
      const counts = [...text.matchAll(/_bucket\{le="([^"]+)"\} (\d+)/g)];
      assert.equal(counts.length, durationBounds.length + 1);
      for (const [, bound, count] of counts) {
        const atMost = bound === '+Inf' ? Infinity : Number(bound);
        assert.equal(Number(count), seconds.filter((one) => one <= atMost).length);
      }
      assert.match(text, new RegExp(`taken_seconds_count ${seconds.length}\\n`));
    }),
  );
});

test('series are bounded', () => {
  const metrics = new Metrics();
  const asked = metrics.counter('asked_total', 'Requests.');
  for (let index = 0; index < 10_050; index++) asked.of('server', { endpoint: `ep_${index}` }).count++;
  const text = metrics.text(() => true);
  assert.equal(text.split('\n').length, 10_003);
  assert.doesNotMatch(text, /"ep_0"/);
  assert.match(text, /"ep_10049"/);
});

test('parts of a request add up to all of it', () => {
  const clock = clockAt(0);
  const laps = new Laps(clock);
  for (const [name, ms] of [
    ['gate', 0.25],
    ['model', 1.5],
    ['log', 0],
  ] as const) {
    clock.advance(ms);
    laps.end(name);
  }
  assert.equal(laps.serverTiming(), 'gate;dur=0.25, model;dur=1.5, log;dur=0, total;dur=1.75');
});

const hex = (digits: number): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: digits, maxLength: digits });

test('a trace of the caller goes on as it decided', () => {
  fc.assert(
    fc.property(hex(32), hex(16), hex(2), (traceId, spanId, flags) => {
      fc.pre(!/^0+$/.test(traceId) && !/^0+$/.test(spanId));
      const context = traceContextOf(`00-${traceId}-${spanId}-${flags}`, 0);
      const isSampled = Number.parseInt(flags, 16) % 2 === 1;
      assert.deepEqual(context, { traceId, parentSpanId: spanId, isSampled });
    }),
  );
  const later = `cc-${'a'.repeat(32)}-${'b'.repeat(16)}-01-what-comes-later`;
  assert.equal(traceContextOf(later, 0).traceId, 'a'.repeat(32), 'later versions may say more');
});

test('what is no trace begins a new one', () => {
  const [traceId, spanId] = ['a'.repeat(32), 'b'.repeat(16)];
  for (const header of [
    undefined,
    '',
    'nonsense',
    `ff-${traceId}-${spanId}-01`,
    `00-${'0'.repeat(32)}-${spanId}-01`,
    `00-${traceId}-${'0'.repeat(16)}-01`,
    `00-${traceId}-${spanId}-01-more`,
    `00-${traceId.slice(1)}-${spanId}-01`,
    `00-${traceId}-${spanId}-01`.replace('a', 'x'),
    '0'.repeat(100_000),
  ]) {
    const context = traceContextOf(header, 1);
    assert.match(context.traceId, /^[0-9a-f]{32}$/);
    assert.notEqual(context.traceId, traceId);
    assert.equal(context.parentSpanId, undefined);
    assert.equal(context.isSampled, true);
    assert.equal(traceContextOf(header, 0).isSampled, false);
  }
});

function tracedRequest(clock: ReturnType<typeof clockAt>) {
  const laps = new Laps(clock);
  clock.advance(2);
  laps.end('gate');
  clock.advance(0.5);
  laps.end('model');
  const route = '/api/v1/endpoints/{endpointId}/predictions';
  return { name: `POST ${route}`, method: 'POST', route, status: 200, requestId: 'req_1', laps };
}

test('spans lie within their request, in wall-clock time', () => {
  const clock = clockAt(1_795_000_000_000);
  const context = { traceId: 'a'.repeat(32), parentSpanId: 'b'.repeat(16), isSampled: true };
  const [own, gate, model] = spansOf({ ...tracedRequest(clock), context }, clock);
  assert.deepEqual(
    [own!.startTimeUnixNano, own!.endTimeUnixNano],
    ['1795000000000000000', '1795000000002500000'],
  );
  assert.equal(gate!.endTimeUnixNano, model!.startTimeUnixNano);
  assert.deepEqual([gate!.parentSpanId, model!.parentSpanId], [own!.spanId, own!.spanId]);
  assert.equal(new Set([own, gate, model].map((span) => span!.spanId)).size, 3);
});

test('a collector that is down costs bounded memory and nobody any waiting', async () => {
  const clock = clockAt(0);
  let isDown = true;
  const sent: object[] = [];
  const tracer = new Tracer({
    clock,
    log: openLog({ level: 'silent' }),
    service: { name: 'pilvi', version: '1' },
    share: 1,
    send: async (request) => {
      if (isDown) throw new Error('down');
      sent.push(request);
    },
  });
  for (let index = 0; index < 5_000; index++) tracer.record(tracedRequest(clock), undefined);
  assert.equal(tracer.droppedCount, 15_000 - 8_190);
  await tracer.flush();
  assert.ok(tracer.droppedCount > 15_000 - 8_190);
  isDown = false;
  await tracer.close();
  const count = sent.reduce((sum, request) => sum + JSON.stringify(request).split('"spanId"').length - 1, 0);
  assert.equal(count + tracer.droppedCount, 15_000, 'every span was sent or counted as dropped');
});

test('an export request names the service', () => {
  assert.deepEqual(exportRequest([], { name: 'lab', version: '2' }), {
    resourceSpans: [
      {
        resource: {
          attributes: [
            { key: 'service.name', value: { stringValue: 'lab' } },
            { key: 'service.version', value: { stringValue: '2' } },
          ],
        },
        scopeSpans: [{ scope: { name: 'pilvi', version: '2' }, spans: [] }],
      },
    ],
  });
});
