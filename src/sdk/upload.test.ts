import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { answerJson, answerProblem, serve } from './testing.ts';
import { uploadFile } from './upload.ts';

type Mishap = 'none' | 'refused' | 'cut-before' | 'cut-after' | 'half';

/** A server that keeps an upload as Pilvi does and has the given mishaps, one for each part that is sent. */
function uploadServer(sizeBytes: number, mishaps: Mishap[]) {
  let kept = '';
  const state = () => ({
    id: 'upl_1',
    fileName: 'a.csv',
    receivedBytes: kept.length,
    sizeBytes,
    state: kept.length === sizeBytes ? 'complete' : 'receiving',
    expiresAt: '',
  });
  return {
    content: () => kept,
    serving: serve((request, response) => {
      if (request.method !== 'PUT') return answerJson(response, state());
      const offset = Number(new URL(request.url, 'http://x').searchParams.get('offset'));
      if (offset !== kept.length) return answerProblem(response, 'wrong-state');
      const mishap = mishaps.shift() ?? 'none';
      if (mishap === 'refused') return answerProblem(response, 'unavailable', { 'retry-after': '0' });
      if (mishap === 'cut-before') return response.destroy();
      kept += mishap === 'half' ? request.body.slice(0, Math.ceil(request.body.length / 2)) : request.body;
      if (mishap !== 'none') return response.destroy();
      answerJson(response, state());
    }),
  };
}

test('whatever goes wrong on the way, the file arrives whole', async () => {
  const mishap = fc.constantFrom<Mishap>('none', 'refused', 'cut-before', 'cut-after', 'half');
  await fc.assert(
    fc.asyncProperty(
      fc.nat(40),
      fc.integer({ min: 1, max: 20 }),
      fc.array(mishap, { maxLength: 5 }),
      async (size, partBytes, mishaps) => {
        const text = Array.from({ length: size }, (_, index) => String.fromCharCode(97 + (index % 26))).join(
          '',
        );
        const { content, serving } = uploadServer(size, [...mishaps]);
        await using server = await serving;
        const sent: number[] = [];
        const upload = await uploadFile(server.client, {
          projectId: 'prj_1',
          file: new File([text], 'a.csv'),
          partBytes,
          retryDelayMs: 1,
          onProgress: ({ sentBytes }) => sent.push(sentBytes),
        });
        assert.equal(upload.state, 'complete');
        assert.equal(content(), text);
        assert.deepEqual(
          sent,
          sent.toSorted((a, b) => a - b),
        );
        assert.equal(sent.at(-1), size);
        assert.deepEqual(JSON.parse(server.requests[0]!.body), { fileName: 'a.csv', sizeBytes: size });
      },
    ),
    { numRuns: 40 },
  );
});

test('goes on with an upload that was begun earlier', async () => {
  const { content, serving } = uploadServer(6, []);
  await using server = await serving;
  await server.client.appendUpload({ uploadId: 'upl_1', stream: new Blob(['abc']) });
  await uploadFile(server.client, { projectId: 'prj_1', file: new Blob(['abcdef']), uploadId: 'upl_1' });
  assert.equal(content(), 'abcdef');
  assert.equal(
    server.requests.some(({ method }) => method === 'POST'),
    false,
  );
});

test('what waiting does not mend is thrown', async () => {
  await using full = await serve((request, response) =>
    request.method === 'POST'
      ? answerJson(response, { id: 'upl_1', receivedBytes: 0, state: 'receiving' })
      : answerProblem(response, 'body-too-large'),
  );
  const options = { projectId: 'prj_1', file: new Blob(['abc']), retryDelayMs: 1 };
  await assert.rejects(uploadFile(full.client, options), { code: 'body-too-large' });
  await using deaf = await serve((_, response) =>
    answerJson(response, { id: 'upl_1', receivedBytes: 0, state: 'receiving' }),
  );
  await assert.rejects(uploadFile(deaf.client, options), { code: 'unavailable', message: /kept none/ });
});
