// Arrays of numbers.

type Numbers = Float64Array | Float32Array | Int32Array;

/** The numbers of all parts, one part behind the other. */
export function concatenate<Kind extends Numbers>(
  kind: new (length: number) => Kind,
  parts: readonly Kind[],
): Kind {
  const all = new kind(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
