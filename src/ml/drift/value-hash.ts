// Two hashes of 32 bits of a value, the same in every runtime: FNV-1a from two starts, finished by MurmurHash3's mixer
// (Appleby, public domain), without which FNV's bits lean on the last characters. Never for security.

/** Where the hashes of the last value lie: first, second. Written over by the next call. */
export const hashes: Uint32Array = new Uint32Array(2);

/** Hashes UTF-16 code units into {@link hashes}. */
export function hashText(text: string): void {
  let first = 0x811c9dc5;
  let second = 0x9747b28c;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    first = Math.imul(first ^ unit, 0x01000193);
    second = Math.imul(second ^ unit, 0x01000193);
  }
  hashes[0] = mixed(first);
  hashes[1] = mixed(second ^ 0x5bd1e995);
}

const double = new Float64Array(1);
const words = new Uint32Array(double.buffer);

/** Hashes a number into {@link hashes}; 0 and -0 are the same. */
export function hashNumber(value: number): void {
  double[0] = value + 0;
  const low = mixed(words[0]!);
  const high = mixed(words[1]! ^ 0x9e3779b9);
  hashes[0] = mixed(low ^ Math.imul(high, 0x85ebca6b));
  hashes[1] = mixed(high + Math.imul(low, 0xc2b2ae35));
}

function mixed(value: number): number {
  let hash = value;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
