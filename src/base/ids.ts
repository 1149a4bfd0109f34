// Ids: a prefix that says what it names, then a time-ordered 128-bit number (UUIDv7's layout, RFC 9562)
// in Crockford's base 32, lower case: `ds_01jd3k...`. They sort by creation time and carry no secret.
import { systemClock, type Clock } from './time.ts';

/** Prefix of each kind of id. A new kind of thing is added here and nowhere else. */
export const idPrefixes = {
  workspace: 'ws',
  project: 'prj',
  user: 'usr',
  session: 'ses',
  key: 'key',
  dataset: 'ds',
  datasetVersion: 'dsv',
  upload: 'upl',
  training: 'trn',
  trial: 'trl',
  model: 'mdl',
  modelVersion: 'mdv',
  endpoint: 'ep',
  deployment: 'dep',
  batch: 'bat',
  logPart: 'prt',
  monitor: 'mon',
  monitorReport: 'rpt',
  alert: 'alr',
  job: 'job',
  event: 'evt',
  budget: 'bdg',
  reservation: 'rsv',
  charge: 'chg',
  request: 'req',
} as const;

export type IdKind = keyof typeof idPrefixes;

const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';

/** Where ids come from; handed in so that tests can predict them. */
export type NewId = (kind: IdKind) => string;

/** Makes ids from `clock` and the runtime's secure random numbers. */
export function idSource(clock: Clock = systemClock): NewId {
  return (kind) => `${idPrefixes[kind]}_${encode(clock.nowMs())}`;
}

/** Whether `text` has the form of an id of this kind. */
export function isId(kind: IdKind, text: string): boolean {
  return new RegExp(`^${idPrefixes[kind]}_[${alphabet}]{26}$`).test(text);
}

function encode(timeMs: number): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  for (let index = 5, rest = timeMs; index >= 0; index--, rest = Math.floor(rest / 256))
    bytes[index] = rest % 256;
  bytes[6] = (bytes[6]! & 0x0f) | 0x70;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  let bits = 0n;
  for (const byte of bytes) bits = (bits << 8n) | BigInt(byte);
  let text = '';
  for (let digit = 0; digit < 26; digit++, bits >>= 5n) text = alphabet[Number(bits & 31n)]! + text;
  return text;
}
