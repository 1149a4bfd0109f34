// Which encoding a text is in, from its first bytes: a byte order mark, the pattern of zero bytes that UTF-16 has for
// Latin letters, valid UTF-8, else windows-1252 (what HTML readers assume: encoding.spec.whatwg.org).
// Whether bytes are text at all is decided here too.
import { isUtf8 } from 'node:buffer';
import { Problem } from '../../../base/problems.ts';
import type { ImportOptions } from '../../../contract/dataset.ts';

export type Encoding = NonNullable<ImportOptions['encoding']>;

/** Control characters that texts have: tab, line feed, form feed, carriage return, the old end-of-file mark, escape, separators. */
const textControls: ReadonlySet<number> = new Set([
  0x09, 0x0a, 0x0c, 0x0d, 0x1a, 0x1b, 0x1c, 0x1d, 0x1e, 0x1f,
]);
/** 1 for the bytes that are other control characters: quick to sum over megabytes. */
const controlCounts = Uint8Array.from({ length: 256 }, (_, byte) => (isControl(byte) ? 1 : 0));
/** A share of control characters that no text has. */
const maxControlShare = 0.01;

/**
 * The encoding of the text that begins with `head`.
 * @throws Problem `file-unreadable` when it is no text, saying where that shows
 */
export function detectEncoding(head: Uint8Array): Encoding {
  const marked = encodingOfMark(head);
  if (marked) return marked;
  if (head.includes(0)) {
    const wide = detectUtf16(head);
    if (wide) return wide;
  }
  refuseBinary(head);
  return isUtf8Head(head) ? 'utf-8' : 'windows-1252';
}

/** Turns bytes, a piece at a time, into text; byte order marks and bytes cut between pieces are taken care of. */
export interface Decoder {
  decode(bytes: Uint8Array): string;
  /** What is left when there are no more bytes. */
  end(): string;
}

/** A decoder that loses no byte: every byte of the one-byte encodings becomes one character. */
export function decoderFor(encoding: Encoding): Decoder {
  switch (encoding) {
    case 'utf-8':
    case 'utf-16le':
    case 'utf-16be': {
      const decoder = new TextDecoder(encoding);
      return { decode: (bytes) => decoder.decode(bytes, { stream: true }), end: () => decoder.decode() };
    }
    case 'iso-8859-1':
      return { decode: latin1, end: () => '' };
    case 'windows-1252':
      return { decode: (bytes) => latin1(bytes).replace(/[\x80-\x9f]/g, windowsCharacter), end: () => '' };
    default:
      return encoding satisfies never;
  }
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}

/** windows-1252 from 0x80 to 0x9F (encoding.spec.whatwg.org/index-windows-1252.txt); a blank stays the control it is. */
const windowsCharacters =
  '\u20AC \u201A\u0192\u201E\u2026\u2020\u2021\u02C6\u2030\u0160\u2039\u0152 \u017D  \u2018\u2019\u201C\u201D\u2022\u2013\u2014\u02DC\u2122\u0161\u203A\u0153 \u017E\u0178';

function windowsCharacter(character: string): string {
  const mapped = windowsCharacters[character.charCodeAt(0) - 0x80]!;
  return mapped === ' ' ? character : mapped;
}

function encodingOfMark(head: Uint8Array): Encoding | undefined {
  if (head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf) return 'utf-8';
  if (head[0] === 0xff && head[1] === 0xfe) return 'utf-16le';
  if (head[0] === 0xfe && head[1] === 0xff) return 'utf-16be';
  return undefined;
}

/** UTF-16 without a mark: nearly every second byte is zero, always on the same side. */
function detectUtf16(head: Uint8Array): Encoding | undefined {
  const pairs = Math.floor(head.length / 2);
  if (pairs < 4) return undefined;
  let evenZeros = 0;
  let oddZeros = 0;
  for (let index = 0; index < pairs * 2; index += 2) {
    if (head[index] === 0) evenZeros++;
    if (head[index + 1] === 0) oddZeros++;
  }
  if (oddZeros > pairs * 0.4 && evenZeros < pairs * 0.05) return 'utf-16le';
  if (evenZeros > pairs * 0.4 && oddZeros < pairs * 0.05) return 'utf-16be';
  return undefined;
}

/** Whether `head` is UTF-8, but for a character that its end may cut. */
function isUtf8Head(head: Uint8Array): boolean {
  for (let cut = 0; cut <= 3; cut++) {
    if (isUtf8(head.subarray(0, head.length - cut))) return true;
  }
  return false;
}

function refuseBinary(head: Uint8Array): void {
  const zero = head.indexOf(0);
  if (zero >= 0) {
    throw new Problem(
      'file-unreadable',
      `The file does not look like text: byte ${zero + 1} is zero. If it is UTF-16, name its encoding.`,
    );
  }
  let controls = 0;
  for (let at = 0; at < head.length; at++) controls += controlCounts[head[at]!]!;
  if (controls > Math.max(1, head.length * maxControlShare)) {
    throw new Problem(
      'file-unreadable',
      `The file does not look like text: ${controls} of its first ${head.length} bytes are control characters.`,
    );
  }
}

function isControl(byte: number): boolean {
  return (byte < 0x20 && !textControls.has(byte)) || byte === 0x7f;
}
