// Alerts: when they open and close, what they say, and messages that a receiver can check.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, suite, test } from 'node:test';
import fc from 'fast-check';
import { fromHex } from '../../base/hash.ts';
import { openEgress } from '../../platform/drivers/egress.ts';
import type { MailMessage } from '../../platform/ports/mail.ts';
import { openTestServices, type TestServices } from '../../platform/testing.ts';
import { defaultRules, nextState } from './alert-rules.ts';
import { sendAlert } from './alerts.ts';
import { addAlert, type AlertRule, type Details, type Summary } from './rows.ts';
import { summarise } from './summary.ts';

const rule: AlertRule = { measure: 'quality', opensFrom: 0.2, closesBelow: 0.1, windowCount: 2 };

function summaryOf(worstQualityShare: number, level: Summary['level'] = 'same'): Summary {
  return {
    headline: '',
    level,
    rowCount: 100,
    movedLittleCount: 0,
    movedLotCount: 0,
    largestPsi: 0,
    answersLevel: 'same',
    answersPsi: 0,
    attributionsLevel: 'same',
    attributionsDistance: 0,
    worstQualityShare,
    score: null,
    scoreLoss: null,
    expectedAccuracy: null,
    coverage: null,
    coverageGap: null,
  };
}

suite('hysteresis', () => {
  const change = (isOpen: boolean, ...newestFirst: Summary[]): string =>
    nextState(rule, isOpen, newestFirst).change;

  test('opens after as many windows as it says, and not before', () => {
    assert.equal(change(false, summaryOf(0.5)), 'stays');
    assert.equal(change(false, summaryOf(0.5), summaryOf(0.19)), 'stays');
    assert.equal(change(false, summaryOf(0.2), summaryOf(0.2)), 'opens');
  });

  test('windows that say nothing neither count nor break a row', () => {
    const unclear = summaryOf(0.9, 'unclear');
    assert.equal(change(false, unclear, summaryOf(0.5), summaryOf(0.5)), 'stays');
    assert.equal(change(false, summaryOf(0.5), unclear, summaryOf(0.5)), 'opens');
    assert.equal(change(true, unclear), 'stays');
    assert.equal(change(false), 'stays');
  });

  test('between the lines nothing changes', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0.1, max: 0.19, noNaN: true }), { minLength: 1 }),
        fc.boolean(),
        (values, isOpen) => {
          assert.equal(change(isOpen, ...values.map((value) => summaryOf(value))), 'stays');
        },
      ),
    );
    assert.equal(change(true, summaryOf(0.09)), 'closes');
  });

  test('of answers that only chance has moved there is none', () => {
    const answers = defaultRules.find(({ measure }) => measure === 'answers')!;
    const lucky = { ...summaryOf(0), answersPsi: 0.9 };
    assert.deepEqual(nextState(answers, false, [lucky]), { change: 'stays', value: 0 });
  });
});

suite('summaries', () => {
  const details = (change: Partial<Details>): Details => ({
    comparedWith: { kind: 'training', rowCount: 1000, why: null },
    columns: [],
    answers: null,
    confidence: null,
    attributions: null,
    expectedAccuracy: null,
    performance: null,
    coverage: null,
    ...change,
  });
  const estimate = (value: number): { value: number; lower: number; upper: number } => ({
    value,
    lower: value - 0.02,
    upper: value + 0.02,
  });
  const performance = (value: number): Details['performance'] => ({
    outcomeCount: 500,
    metric: 'auc',
    greaterIsBetter: true,
    score: estimate(value),
    trainedScore: 0.9,
    errorMeasure: 'mistakes',
    error: estimate(0.1),
    slices: [],
  });

  test('few rows say nothing, unless their outcomes do', () => {
    assert.equal(
      summarise(details({}), 0, new Set()).headline,
      'Nobody asked for a prediction in this time.',
    );
    assert.equal(summarise(details({}), 12, new Set()).level, 'unclear');
    assert.equal(summarise(details({ performance: performance(0.7) }), 500, new Set()).level, 'lot');
  });

  test('worse only where the interval leaves no doubt', () => {
    assert.equal(summarise(details({ performance: performance(0.89) }), 500, new Set()).scoreLoss, 0);
    const { scoreLoss, headline } = summarise(details({ performance: performance(0.7) }), 500, new Set());
    assert.ok(Math.abs(scoreLoss! - 0.2) < 1e-9);
    assert.equal(headline, 'The answers are worse than when the model was trained.');
  });
});

suite('messages', () => {
  let opened: TestServices;
  const letters: MailMessage[] = [];
  const received: { headers: IncomingHttpHeaders; body: string }[] = [];
  let status = 200;
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => (body += chunk));
    request.on('end', () => {
      received.push({ headers: request.headers, body });
      response.writeHead(status).end();
    });
  });
  before(async () => {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    opened = await openTestServices({
      egress: openEgress({ allowedAddresses: ['127.0.0.1'], allowedPorts: [port] }),
      // The way through a mail server is tested with its driver.
      mail: { isOn: true, send: async (message) => void letters.push(message) },
    });
  });
  after(async () => {
    server.close();
    await opened.close();
  });

  test('a webhook can check who sent it, Slack gets text, and what fails is tried again', async () => {
    const context = opened.contextFor();
    const alert = await context.transaction((transaction) =>
      addAlert(transaction, {
        id: context.newId('alert'),
        workspaceId: context.workspaceId,
        projectId: context.newId('project'),
        endpointId: context.newId('endpoint'),
        reportId: context.newId('monitorReport'),
        rule,
        state: 'open',
        value: 0.5,
        message: '“a <b> & c”: odd.',
        createdAt: new Date(0),
      }),
    );
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
    const eventId = 'evt_one';
    await sendAlert(context, { alertId: alert.id, state: 'open', kind: 'webhook', address: url, eventId });
    const [{ headers, body } = { headers: {}, body: '' }] = received;
    assert.equal(JSON.parse(body).message, alert.message);
    const key = await crypto.subtle.importKey(
      'raw',
      fromHex(opened.services.signer.publicKey),
      'Ed25519',
      false,
      ['verify'],
    );
    const [version, signature] = String(headers['webhook-signature']).split(',');
    assert.equal(version, 'v1a');
    const signed = (text: string): Promise<boolean> =>
      crypto.subtle.verify(
        'Ed25519',
        key,
        Buffer.from(signature!, 'base64'),
        new TextEncoder().encode(`${eventId}.${headers['webhook-timestamp']}.${text}`),
      );
    assert.equal(headers['webhook-id'], eventId);
    assert.equal(await signed(body), true);
    assert.equal(await signed(`${body} `), false);

    await sendAlert(context, { alertId: alert.id, state: 'closed', kind: 'slack', address: url, eventId });
    assert.deepEqual(JSON.parse(received[1]!.body), { text: 'No longer: “a &lt;b&gt; &amp; c”: odd.' });
    assert.equal(received[1]!.headers['webhook-signature'], undefined);

    const to = { kind: 'mail' as const, address: 'ann@example.org' };
    await sendAlert(context, { alertId: alert.id, state: 'closed', ...to, eventId });
    const [letter] = letters;
    assert.equal(letter?.to, to.address);
    assert.equal(letter?.id, eventId);
    assert.equal(letter?.subject, 'No longer: “a <b> & c”: odd.');
    assert.match(letter?.text ?? '', /from 1970-01-01T00:00:00\.000Z on/);
    assert.equal(received.length, 2);

    status = 500;
    await assert.rejects(
      sendAlert(context, { alertId: alert.id, state: 'open', kind: 'slack', address: url, eventId }),
      {
        code: 'source-failed',
      },
    );
    await sendAlert(context, { alertId: 'alr_gone', state: 'open', kind: 'slack', address: url, eventId });
    assert.equal(received.length, 3);
  });

  test('addresses inside are not reached', async () => {
    const context = opened.contextFor();
    const alert = await context.transaction((transaction) =>
      addAlert(transaction, {
        id: context.newId('alert'),
        workspaceId: context.workspaceId,
        projectId: context.newId('project'),
        endpointId: context.newId('endpoint'),
        reportId: context.newId('monitorReport'),
        rule,
        state: 'open',
        value: 0.5,
        message: 'odd',
        createdAt: new Date(0),
      }),
    );
    const url = 'http://169.254.169.254/latest';
    await assert.rejects(
      sendAlert(context, {
        alertId: alert.id,
        state: 'open',
        kind: 'slack',
        address: url,
        eventId: 'evt_one',
      }),
      {
        code: 'address-forbidden',
      },
    );
  });
});
