// Seeded randomness: sfc32 (Chris Doty-Humphrey, PractRand), seeded through splitmix32.
// Same seed, same numbers, in every runtime. Never for secrets.

/** A stream of reproducible random numbers. */
export interface Random {
  /** Uniform in [0, 1), 32 random bits. */
  next(): number;
  /** Uniform whole number in [0, bound), `bound` <= 2^32. */
  below(bound: number): number;
  /** A stream of its own for `label`, independent of how much of this one was used. */
  fork(label: number): Random;
}

/** A {@link Random} for `seed` (its low 32 bits count). */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  const splitmix = (): number => {
    state = (state + 0x9e3779b9) >>> 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return (z ^ (z >>> 15)) >>> 0;
  };
  let a = splitmix(),
    b = splitmix(),
    c = splitmix(),
    counter = 1;
  const next32 = (): number => {
    const result = (a + b + counter) >>> 0;
    counter = (counter + 1) >>> 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) >>> 0;
    c = ((c << 21) | (c >>> 11)) >>> 0;
    c = (c + result) >>> 0;
    return result;
  };
  for (let round = 0; round < 12; round++) next32();
  return {
    next: () => next32() / 4_294_967_296,
    below: (bound) => Math.floor((next32() / 4_294_967_296) * bound),
    fork: (label) =>
      seededRandom((Math.imul(seed ^ 0x85ebca6b, 0xc2b2ae35) ^ Math.imul(label + 1, 0x27d4eb2f)) >>> 0),
  };
}

/** Fisher-Yates in place; returns the same array. */
export function shuffle<T extends { length: number; [index: number]: unknown }>(items: T, random: Random): T {
  for (let last = items.length - 1; last > 0; last--) {
    const other = random.below(last + 1);
    const kept = items[last];
    items[last] = items[other];
    items[other] = kept;
  }
  return items;
}
