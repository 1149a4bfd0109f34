// Model files as an attacker would make them: bytes changed, cut and added; values of the description replaced, removed and
// moved; sections swapped, resized and filled with wild numbers; checksums, and now and then the signature, made to fit, so
// that the change reaches the readers behind them. The same seed makes the same file.
import { seededRandom, type Random } from '../../../base/random.ts';
import { readContainer, writeContainer, type SectionArray } from '../container.ts';
import type { Signer } from '../header.ts';
import { mended, signed } from './mend.ts';

/** A file taken apart, so that many others can be made of it. */
export interface Source {
  file: Uint8Array;
  document: unknown;
  sections: ReadonlyMap<string, SectionArray>;
  places: readonly Path[];
}

type Path = readonly (string | number)[];
type Sections = Map<string, SectionArray>;

export interface Mutant {
  file: Uint8Array;
  /** The checksum was made to fit: the file may be a valid one. */
  isMended: boolean;
}

const words =
  'softmax identity share logistic exponential trees network neighbours constant linear naive-bayes text category number date difference ranking regression multiclass binary';
const wildValues: readonly unknown[] = [
  ...words.split(' '),
  null,
  true,
  -1,
  0,
  1.5,
  1e308,
  -1e308,
  5e-324,
  2 ** 31,
  2 ** 53,
  '',
  '__proto__',
  'constructor',
  [],
  {},
  [[[[]]]],
  'x'.repeat(1000),
];
const wildNumbers = [NaN, Infinity, -Infinity, -1, 0, 1, 255, 65_535, 2 ** 31 - 1, -(2 ** 31), 1e308, 5e-324];

/** Takes a valid file apart. */
export async function sourceOf(file: Uint8Array): Promise<Source> {
  const { document, sections } = await readContainer(file);
  return { file, document, sections, places: placesOf(document) };
}

/** The file that `seed` makes of `source`. */
export async function mutant(source: Source, seed: number, signer: Signer): Promise<Mutant> {
  const random = seededRandom(seed);
  const kind = random.next();
  if (kind < 0.2) return { file: changedBytes(source.file, random), isMended: false };
  const file =
    kind < 0.35
      ? await mended(changedBytes(source.file, random))
      : await rebuilt(source, random, kind < 0.7 ? 'document' : 'sections');
  return { file: random.next() < 0.05 ? await signed(file, signer) : file, isMended: true };
}

function changedBytes(file: Uint8Array, random: Random): Uint8Array {
  const length = random.next() < 0.2 ? 144 + random.below(file.length) : file.length;
  const changed = new Uint8Array(length);
  changed.set(file.subarray(0, length));
  const count = 1 + random.below(8);
  // Half of them where the head and the description lie, which decide about the rest.
  const within = random.next() < 0.5 ? Math.min(length, 4000) : length;
  for (let change = 0; change < count; change++) {
    const at = random.below(within);
    changed[at] = random.next() < 0.5 ? changed[at]! ^ (1 << random.below(8)) : random.below(256);
  }
  return changed;
}

async function rebuilt(source: Source, random: Random, what: 'document' | 'sections'): Promise<Uint8Array> {
  const document: unknown = what === 'document' ? structuredClone(source.document) : source.document;
  const sections = new Map(source.sections);
  const changes = 1 + random.below(3);
  for (let change = 0; change < changes; change++) {
    if (what === 'document') changeDocument(document, source.places, random);
    else if (sections.size > 0) changeSection(sections, random);
  }
  return await writeContainer(document, sections);
}

function changeDocument(document: unknown, places: readonly Path[], random: Random): void {
  const place = places[random.below(places.length)]!;
  const parent = valueAt(document, place.slice(0, -1)) as Record<string | number, unknown> | undefined;
  const key = place.at(-1)!;
  if (parent === null || typeof parent !== 'object') return;
  const how = random.next();
  if (how < 0.1) delete parent[key];
  else if (how < 0.2 && Array.isArray(parent)) parent.push(...parent.slice(0, 50));
  else if (how < 0.35) parent[key] = structuredClone(valueAt(document, places[random.below(places.length)]!));
  else if (how < 0.65 && typeof parent[key] === 'number') parent[key] = parent[key] + random.below(5) - 2;
  else if (how < 0.75) parent[key] = random.below(300) - 5;
  else parent[key] = structuredClone(wildValues[random.below(wildValues.length)]);
}

function changeSection(sections: Sections, random: Random): void {
  const names = [...sections.keys()];
  const pick = (): string => names[random.below(names.length)]!;
  const [name, other] = [pick(), pick()];
  const array = sections.get(name)!.slice() as SectionArray;
  const how = random.next();
  if (how < 0.1) {
    sections.set(name, sections.get(other)!);
    sections.set(other, array);
  } else if (how < 0.15) sections.delete(name);
  else if (how < 0.25) sections.set(name, array.slice(0, random.below(array.length + 1)) as SectionArray);
  else {
    const count = array.length === 0 ? 0 : 1 + random.below(4);
    for (let change = 0; change < count; change++) {
      const at = random.below(array.length);
      array[at] =
        random.next() < 0.5
          ? wildNumbers[random.below(wildNumbers.length)]!
          : array[at]! + random.below(9) - 4;
    }
    sections.set(name, array);
  }
}

/** Paths of every value in a document but the whole. */
function placesOf(value: unknown, path: Path = []): Path[] {
  const own = path.length > 0 ? [path] : [];
  if (value === null || typeof value !== 'object') return own;
  return [
    ...own,
    ...Object.entries(value).flatMap(([key, item]) =>
      placesOf(item, [...path, Array.isArray(value) ? Number(key) : key]),
    ),
  ];
}

function valueAt(document: unknown, path: Path): unknown {
  let at = document;
  for (const key of path) at = (at as Record<string | number, unknown> | null | undefined)?.[key];
  return at;
}
