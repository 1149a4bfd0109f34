// Messages to programs of somebody's, as Standard Webhooks has them (standardwebhooks.com): JSON, with an id that is the same
// in every try, the time, and a signature over both and the body, so that nobody else can send one, change one, or send an
// old one again. Signed with a secret that both sides know (HMAC with SHA-256, `v1`), or with the installation's key,
// which receivers find at `GET /api/v1/signing-keys` (Ed25519, `v1a`).
import { createHmac } from 'node:crypto';
import { secondMs } from '../base/time.ts';
import type { Context } from './context.ts';

export interface Webhook {
  url: string;
  /** The same in every try. */
  id: string;
  body: string;
  /** Not at all, where the receiver would not know what to do with it. */
  signedBy: { secret: string } | 'installation' | 'nobody';
}

const timeoutMs = 20 * secondMs;
/** Nothing of the answer is read. */
const maxAnswerBytes = 65_536;
/** Secrets that begin so hold base64; others are taken as they are. */
const encodedPrefix = 'whsec_';

/**
 * Sends a message once.
 * @returns the status of the answer
 * @throws Problem `address-forbidden` and others of egress when there was none
 */
export async function sendWebhook(context: Context, { url, id, body, signedBy }: Webhook): Promise<number> {
  const timestamp = String(Math.floor(context.clock.nowMs() / secondMs));
  const signature = await signatureOf(context, signedBy, `${id}.${timestamp}.${body}`);
  const response = await context.egress.fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'webhook-id': id,
      'webhook-timestamp': timestamp,
      ...(signature !== undefined && { 'webhook-signature': signature }),
    },
    body,
    maxBytes: maxAnswerBytes,
    timeoutMs,
    signal: context.signal,
  });
  response.body.destroy();
  return response.status;
}

async function signatureOf(
  { signer }: Context,
  signedBy: Webhook['signedBy'],
  text: string,
): Promise<string | undefined> {
  if (signedBy === 'nobody') return undefined;
  if (signedBy === 'installation') {
    const signature = await signer.sign(new TextEncoder().encode(text));
    return `v1a,${Buffer.from(signature).toString('base64')}`;
  }
  const { secret } = signedBy;
  const key = secret.startsWith(encodedPrefix)
    ? Buffer.from(secret.slice(encodedPrefix.length), 'base64')
    : Buffer.from(secret);
  return `v1,${createHmac('sha256', key).update(text).digest('base64')}`;
}
