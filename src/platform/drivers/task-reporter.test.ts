import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createReporter, eventIntervalMs, type Report } from './task-reporter.ts';

const anyEvent = fc.record(
  {
    name: fc.constantFrom('progress', 'trial', 'curve'),
    key: fc.constantFrom('1', '2'),
    stepMs: fc.nat(200),
  },
  { requiredKeys: ['name', 'stepMs'] },
);

test('of each name and key the newest arrives, in order, and not more often than agreed', () => {
  fc.assert(
    fc.property(fc.array(anyEvent, { maxLength: 60 }), (events) => {
      let nowMs = 0;
      const sent: (Report & { atMs: number })[] = [];
      const reporter = createReporter(
        (report) => sent.push({ ...report, atMs: nowMs }),
        () => nowMs,
      );
      const placeOf = ({ name, key }: { name: string; key?: string }): string => `${name} ${key ?? ''}`;
      const newest = new Map<string, string>();
      events.forEach(({ name, key, stepMs }, index) => {
        nowMs += stepMs;
        const event = { name, ...(key !== undefined && { key }), data: { index } };
        reporter.report(event);
        newest.set(placeOf(event), JSON.stringify(event.data));
      });
      const beforeEnd = sent.length;
      reporter.end();
      for (const [place, json] of newest) {
        const ofPlace = sent.filter((report) => report.type === 'event' && placeOf(report) === place);
        assert.equal((ofPlace.at(-1) as { json: string }).json, json);
        const times = ofPlace.filter((report) => sent.indexOf(report) < beforeEnd).map(({ atMs }) => atMs);
        assert.ok(times.every((atMs, index) => index === 0 || atMs - times[index - 1]! >= eventIntervalMs));
      }
    }),
  );
});

test('any number of names takes a bounded number of places', () => {
  const sent: Report[] = [];
  const reporter = createReporter(
    (report) => sent.push(report),
    () => 0,
  );
  for (let index = 0; index < 100_000; index++) reporter.report({ name: `name-${index}`, data: { index } });
  reporter.end();
  assert.ok(sent.length <= 260, `${sent.length}`);
  assert.equal((sent.at(-1) as { json: string }).json, '{"index":99999}');
});

test('nothing is reported after the end', () => {
  const sent: Report[] = [];
  const reporter = createReporter((report) => sent.push(report));
  reporter.end();
  reporter.report({ name: 'late', data: {} });
  assert.deepEqual(sent, []);
});
