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
  release: 'rel',
  releaseLine: 'rln',
  gateRule: 'gat',
  comparison: 'cmp',
  comparisonFlip: 'flp',
  updatePolicy: 'upp',
  update: 'upd',
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
  const bytes = randomBytes();
  for (let index = 5, rest = timeMs; index >= 0; index--, rest = Math.floor(rest / 256))
    bytes[index] = rest % 256;
  bytes[6] = (bytes[6]! & 0x0f) | 0x70;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  let text = '';
  let held = 0;
  let heldBits = 0;
  // From the last bit on, five at a time; three are left for the first digit.
  for (let index = idBytes - 1; index >= 0; index--) {
    held |= bytes[index]! << heldBits;
    heldBits += 8;
    for (; heldBits >= 5; heldBits -= 5, held >>= 5) text = alphabet[held & 31]! + text;
  }
  return alphabet[held]! + text;
}

const idBytes = 16;
/** Random numbers are asked for in bulk: asking costs more than a few of them. None is used twice. */
const pool = new Uint8Array(256 * idBytes);
let usedBytes = pool.length;

function randomBytes(): Uint8Array {
  if (usedBytes === pool.length) {
    crypto.getRandomValues(pool);
    usedBytes = 0;
  }
  return pool.subarray(usedBytes, (usedBytes += idBytes));
}
