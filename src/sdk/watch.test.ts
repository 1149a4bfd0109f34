import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { PilviError } from './pilvi-error.ts';
import { answerJson, answerProblem, serve } from './testing.ts';
import { waitForJob } from './wait-for-job.ts';
import { eventParser } from './watch.ts';

const stateEvent = (sequence: number, state: string) =>
  `id: ${sequence}\nevent: state\ndata: ${JSON.stringify({ sequence, at: '', name: 'state', data: { state } })}\n\n`;
const progressEvent = (sequence: number) =>
  `id: ${sequence}\nevent: progress\ndata: ${JSON.stringify({ sequence, at: '', name: 'progress', data: {} })}\n\n`;

test('goes on after a cut with the last event it gave out, and ends after the final state', async () => {
  await using server = await serve((_, response, count) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    if (count === 1) {
      // The second event is cut in the middle, so it must come again.
      response.write(`: hello\n\n${stateEvent(1, 'running')}${progressEvent(2).slice(0, 12)}`);
      return void setTimeout(() => response.destroy(), 5);
    }
    if (count === 2) return void response.end(progressEvent(2));
    response.write(stateEvent(3, 'succeeded'));
  });
  const seen: number[] = [];
  for await (const event of server.client.watchJob({ jobId: 'job_1' })) seen.push(event.sequence);
  assert.deepEqual(seen, [1, 2, 3]);
  assert.deepEqual(
    server.requests.map(({ headers }) => headers['last-event-id']),
    [undefined, '1', '2'],
  );
});

test('a stream that brings nothing more has ended', async () => {
  await using server = await serve((_, response) =>
    response.writeHead(200, { 'content-type': 'text/event-stream' }).end(),
  );
  for await (const event of server.client.watchJob({ jobId: 'job_1' }))
    assert.fail(`unexpected ${event.name}`);
  assert.ok(server.requests.length > 1 && server.requests.length < 10);
});

test('a caller may stop looking, by leaving the loop or by a signal', async () => {
  let open = 0;
  await using server = await serve((_, response) => {
    open++;
    response.on('close', () => open--);
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(progressEvent(1));
  });
  for await (const event of server.client.watchJob({ jobId: 'job_1' })) {
    assert.equal(event.sequence, 1);
    break;
  }
  const stop = new AbortController();
  const watching = (async () => {
    for await (const _ of server.client.watchJob({ jobId: 'job_1' }, { signal: stop.signal }))
      stop.abort(new Error('enough'));
  })();
  await assert.rejects(watching, /enough/);
  while (open > 0) await new Promise((resolve) => setTimeout(resolve, 1));
});

test('a problem at the start is thrown', async () => {
  await using server = await serve((_, response) => answerProblem(response, 'not-found'));
  await assert.rejects(async () => {
    for await (const _ of server.client.watchTraining({ trainingId: 'trn_1' }));
  }, PilviError);
});

test('waitForJob returns the job that succeeded and throws the problem of one that did not', async () => {
  const problem = {
    type: '',
    code: 'time-limit',
    title: '',
    status: 504,
    detail: 'It ran 60 s.',
    remedy: '',
    retryable: false,
  };
  await using server = await serve((request, response) => {
    const failed = request.url.includes('job_bad');
    const state = failed ? 'failed' : 'succeeded';
    if (!request.url.endsWith('/events'))
      return answerJson(response, { id: 'job', state, problem: failed ? problem : null });
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write(stateEvent(1, state));
  });
  const seen: string[] = [];
  const job = await waitForJob(server.client, 'job_good', { onEvent: ({ name }) => seen.push(name) });
  assert.equal(job.state, 'succeeded');
  assert.deepEqual(seen, ['state']);
  await assert.rejects(waitForJob(server.client, 'job_bad'), { code: 'time-limit', message: 'It ran 60 s.' });
});

test('events are the same wherever the stream is cut into pieces', () => {
  const line = fc.string({ unit: 'grapheme' }).map((text) => text.replaceAll(/[\r\n\0]/g, ' '));
  const event = fc.record({ id: line, data: fc.array(line, { minLength: 1, maxLength: 3 }) });
  const lineEnd = fc.constantFrom('\n', '\r\n', '\r');
  fc.assert(
    fc.property(fc.array(event), lineEnd, fc.array(fc.nat(500)), (events, end, cuts) => {
      const text = events
        .map(({ id, data }) =>
          [`id: ${id}`, ': comment', ...data.map((part) => `data: ${part}`), '', ''].join(end),
        )
        .join('');
      const parse = eventParser();
      const places = [0, ...cuts.map((cut) => cut % (text.length + 1)), text.length].sort((a, b) => a - b);
      const pieces = places.slice(1).map((place, index) => text.slice(places[index], place));
      // A last line end of "\r" waits for what follows it.
      const parsed = [...pieces, '\n'].flatMap(parse);
      assert.deepEqual(
        parsed,
        events.map(({ id, data }) => ({ id, data: data.join('\n') })),
      );
    }),
  );
});
