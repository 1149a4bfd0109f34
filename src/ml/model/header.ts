// The head of a model file: what it is, how long, the digest of its content, and who vouches for it. It knows nothing of
// what the content means. Format 2:
//
//   0    "PILVI" 0            magic
//   6    uint16               format
//   8    uint32               bytes of the JSON document
//   12   uint32               bytes of the whole file
//   16   32 bytes             digest: SHA-256 of the SHA-256s of each 4 MiB of the content, 144 to the end
//   48   32 bytes             public key (Ed25519) of the signer; zeros: unsigned
//   80   64 bytes             signature (RFC 8032) of bytes 0 to 79; zeros: unsigned
//   144                       the content (container.ts)
//
// Because the signature covers the digest and the digest everything else, a file is signed by changing its head alone.
// Format 1 had no signature: its content begins at 48, and its digest is one SHA-256 of it.
import { fromHex, sha256, toHex } from '../../base/hash.ts';
import { Problem } from '../../base/problems.ts';

export const formatVersion = 2;
/** Largest file that is written or read. */
export const maximumFileBytes = 1_000_000_000;
/** Bytes before the content, in the present format. */
export const headBytes = 144;

const magic = [0x50, 0x49, 0x4c, 0x56, 0x49, 0];
const digestAt = 16;
const digestBytes = 32;
const keyAt = 48;
const signatureAt = 80;
/** Large enough that hashing is all it does, small enough that WebCrypto's copies are small. */
const blockBytes = 4_194_304;

/** A public key for Ed25519, 32 bytes as 64 hexadecimal digits. */
export type PublicKey = string;

/** Who signs; the private key stays inside. */
export interface Signer {
  publicKey: PublicKey;
  /** An Ed25519 signature, 64 bytes. */
  sign: (message: Uint8Array<ArrayBuffer>) => Promise<Uint8Array>;
}

/** Whose files are opened. */
export interface Trust {
  /** Public keys: a file that none of them signed is refused. Left out: any file, signed or not. */
  trusted?: readonly PublicKey[];
}

/** Where the parts of a file lie. */
export interface Extent {
  documentBytes: number;
  contentAt: number;
}

interface Format {
  contentAt: number;
  digestOf: (content: Uint8Array) => Promise<Uint8Array>;
}

const formats: Readonly<Record<number, Format>> = {
  1: { contentAt: keyAt, digestOf: async (content) => fromHex(await sha256(content)) },
  2: { contentAt: headBytes, digestOf: digestOfBlocks },
};

/** Writes the head into `file`, whose content is there; unsigned. */
export async function writeHead(file: Uint8Array, documentBytes: number): Promise<void> {
  file.set(magic);
  const view = new DataView(file.buffer, file.byteOffset);
  view.setUint16(6, formatVersion, true);
  view.setUint32(8, documentBytes, true);
  view.setUint32(12, file.length, true);
  file.set(await digestOfBlocks(file.subarray(headBytes)), digestAt);
}

/**
 * Checks the head, the digest and the signature.
 * @throws Problem `model-file-invalid`, `model-file-too-new`, or `model-file-untrusted`
 */
export async function checkHead(file: Uint8Array, { trusted }: Trust): Promise<Extent> {
  const { contentAt, digestOf } = formatOf(file);
  const view = new DataView(file.buffer, file.byteOffset, file.length);
  const documentBytes = view.getUint32(8, true);
  const total = view.getUint32(12, true);
  if (file.length > maximumFileBytes) throw invalid(`it is larger than ${maximumFileBytes / 1e6} MB`);
  if (total !== file.length)
    throw invalid(`it should have ${total} bytes and has ${file.length}: it was cut short or added to`);
  if (contentAt + documentBytes > total) throw invalid('its description lies outside the file');
  // Whose file it is costs little to ask, and decides whether the rest is worth reading.
  await checkSignature(file, trusted);
  if (!isSame(await digestOf(file.subarray(contentAt)), file.subarray(digestAt, keyAt)))
    throw invalid('its checksum does not fit its content');
  return { documentBytes, contentAt };
}

/** The key that a file says it was signed with; opening checks it. Undefined: unsigned. @throws Problem as opening does */
export function signerOf(file: Uint8Array): PublicKey | undefined {
  if (formatOf(file).contentAt < headBytes) return undefined;
  const mark = file.subarray(keyAt, headBytes);
  return mark.every((byte) => byte === 0) ? undefined : toHex(mark.subarray(0, signatureAt - keyAt));
}

/** The first 144 bytes of a file, signed. @throws Problem for what is not the head of a file, or one of format 1 */
export async function signedHead(head: Uint8Array, signer: Signer): Promise<Uint8Array> {
  if (formatOf(head).contentAt !== headBytes) throw invalid('its format has no place for a signature');
  const signed = new Uint8Array(headBytes);
  signed.set(head.subarray(0, keyAt));
  signed.set(fromHex(signer.publicKey), keyAt);
  signed.set(await signer.sign(signed.slice(0, signatureAt)), signatureAt);
  return signed;
}

/** The problem of a file that is not what it should be. */
export function invalid(what: string, cause?: unknown): Problem {
  return new Problem(
    'model-file-invalid',
    `The model file cannot be used: ${what}.`,
    cause === undefined ? {} : { cause },
  );
}

function formatOf(file: Uint8Array): Format {
  if (file.length < headBytes || !magic.every((byte, index) => file[index] === byte))
    throw invalid('it does not begin as a model file does');
  const version = file[6]! + file[7]! * 256;
  if (version > formatVersion)
    throw new Problem(
      'model-file-too-new',
      `The model file has format ${version}; this Pilvi reads up to format ${formatVersion}.`,
    );
  const format = formats[version];
  if (!format) throw invalid(`there is no format ${version}`);
  return format;
}

async function checkSignature(file: Uint8Array, trusted: readonly PublicKey[] | undefined): Promise<void> {
  const publicKey = signerOf(file);
  if (trusted && (publicKey === undefined || !trusted.includes(publicKey)))
    throw new Problem(
      'model-file-untrusted',
      publicKey === undefined
        ? 'The model file is not signed, and only files that were signed with a trusted key may be used here.'
        : `The model file was signed with the key ${publicKey}, which is not among the trusted ones.`,
    );
  if (publicKey === undefined) return;
  const [message, signature] = [file.slice(0, signatureAt), file.slice(signatureAt, headBytes)];
  if (!(await isSignature(publicKey, signature, message)))
    throw invalid('its signature does not fit its content: it was changed after it was signed');
}

type Bytes = Uint8Array<ArrayBuffer>;

async function isSignature(publicKey: PublicKey, signature: Bytes, message: Bytes): Promise<boolean> {
  try {
    const key = await crypto.subtle.importKey('raw', fromHex(publicKey), 'Ed25519', false, ['verify']);
    return await crypto.subtle.verify('Ed25519', key, signature, message);
  } catch (error) {
    if ((error as Error).name === 'NotSupportedError')
      throw invalid('its signature cannot be checked: this runtime has no Ed25519 in WebCrypto', error);
    // Bytes that are no key at all.
    return false;
  }
}

async function digestOfBlocks(content: Uint8Array): Promise<Uint8Array> {
  const digests = new Uint8Array(Math.ceil(content.length / blockBytes) * digestBytes);
  for (let block = 0; block * blockBytes < content.length; block++) {
    const digest = await sha256(content.subarray(block * blockBytes, (block + 1) * blockBytes));
    digests.set(fromHex(digest), block * digestBytes);
  }
  return fromHex(await sha256(digests));
}

function isSame(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, index) => byte === other[index]);
}
