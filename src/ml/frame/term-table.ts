// Numbers for terms: a hash table of hashes (open addressing, linear probing), because reading texts is nothing but
// looking terms up, and a Map takes several times as long for keys of 32 bits.

export interface TermTable {
  /** The number of a term, from 0 in the order of adding; -1 when it is not in the table. */
  placeOf: (hash: number) => number;
  /** The same, after adding it where it is new. */
  add: (hash: number) => number;
  /** The terms in the order of adding. */
  hashes: Uint32Array;
  size: () => number;
}

/** A table with room for `capacity` terms; more are not to be added. */
export function termTable(capacity: number): TermTable {
  let slotCount = 16;
  while (slotCount < capacity * 2) slotCount *= 2;
  const mask = slotCount - 1;
  // 0 is empty, else the number of the term and one.
  const slots = new Int32Array(slotCount);
  const hashes = new Uint32Array(capacity);
  let size = 0;
  /** The slot that holds the term, or the empty one where it belongs. */
  const slotOf = (hash: number): number => {
    let slot = hash & mask;
    while (slots[slot]! > 0 && hashes[slots[slot]! - 1] !== hash) slot = (slot + 1) & mask;
    return slot;
  };
  return {
    hashes,
    size: () => size,
    placeOf: (hash) => slots[slotOf(hash)]! - 1,
    add: (hash) => {
      const slot = slotOf(hash);
      if (slots[slot] === 0) {
        hashes[size++] = hash;
        slots[slot] = size;
      }
      return slots[slot]! - 1;
    },
  };
}
