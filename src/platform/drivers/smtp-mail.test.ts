// Mail by a real SMTP server: what arrives, what is refused, and what nobody may smuggle in.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { SMTPServer } from 'smtp-server';
import type { MailMessage } from '../ports/mail.ts';
import { openSmtpMail } from './smtp-mail.ts';

interface Letter {
  recipients: string[];
  source: string;
}

const letters: Letter[] = [];
let server: SMTPServer;
let port: number;

before(async () => {
  server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onAuth: ({ username, password }, _session, done) =>
      username === 'pilvi' && password === 'right'
        ? done(null, { user: username })
        : done(new Error('unknown name or password')),
    onRcptTo: ({ address }, _session, done) =>
      done(address.startsWith('nobody@') ? new Error('there is nobody') : undefined),
    onData: (stream, { envelope }, done) => {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        const recipients = envelope.rcptTo.map(({ address }) => address);
        letters.push({ recipients, source: Buffer.concat(chunks).toString() });
        done();
      });
    },
  });
  server.listen(0, '127.0.0.1');
  await once(server.server, 'listening');
  port = (server.server.address() as AddressInfo).port;
});
after(() => new Promise<void>((resolve) => server.close(resolve)));

const send = (message: Partial<MailMessage>, login = ''): Promise<void> =>
  openSmtpMail({ url: `smtp://${login}127.0.0.1:${port}`, from: 'Pilvi <pilvi@example.org>' }).send({
    to: 'ann@example.org',
    subject: 'Alert',
    text: 'odd\n',
    id: 'evt_1',
    ...message,
  });

test('a message arrives as it was given', async () => {
  await send({ subject: 'Alert: “größe” moved', text: 'line one\n.\nline three\n' }, 'pilvi:right@');
  const { recipients, source } = letters.pop()!;
  assert.deepEqual(recipients, ['ann@example.org']);
  assert.match(source, /^From: Pilvi <pilvi@example\.org>\r$/m);
  assert.match(source, /^To: ann@example\.org\r$/m);
  assert.match(source, /^Message-ID: <evt_1@pilvi>\r$/im);
  assert.match(source, /^Subject: =\?UTF-8\?/m);
  assert.ok(source.endsWith('line one\r\n.\r\nline three\r\n'), source);
});

test('what the server refuses is a problem that tells nothing of the server', async () => {
  const refused = { code: 'source-failed', message: 'The mail server did not take the message.' };
  await assert.rejects(send({ to: 'nobody@example.org' }), refused);
  await assert.rejects(send({}, 'pilvi:wrong@'), refused);
  await assert.rejects(
    openSmtpMail({ url: 'smtp://127.0.0.1:1', from: 'a@example.org' }).send({
      to: 'ann@example.org',
      subject: '',
      text: '',
      id: 'evt_1',
    }),
    refused,
  );
  assert.equal(letters.length, 0);
});

test('a name of a column cannot add headers or recipients', async () => {
  await send({
    to: 'ann@example.org',
    subject: 'odd\r\nBcc: eve@example.org',
    text: 'a\r\n.\r\nMAIL FROM:<eve@example.org>\r\n',
  });
  const { recipients, source } = letters.pop()!;
  assert.deepEqual(recipients, ['ann@example.org']);
  assert.doesNotMatch(source, /^Bcc:/im);
  assert.equal(letters.length, 0);
});
