// Arrays out of the sections of a model file, each of the type and length that it must have.
import { demand } from './checks.ts';
import type { SectionArray } from './container.ts';
import { invalid } from './header.ts';

/** The sections of one row model: those whose names begin with its prefix. */
export interface ArraySource {
  prefix: string;
  sections: ReadonlyMap<string, SectionArray>;
}

type Constructor<T> = abstract new (...input: never[]) => T;

/** @throws Problem `model-file-invalid` */
export function array<T extends SectionArray>(
  { prefix, sections }: ArraySource,
  name: string,
  type: Constructor<T>,
  length?: number,
): T {
  const found = sections.get(`${prefix}/${name}`);
  demand(found instanceof type, `section "${prefix}/${name}" is missing or of another type`);
  demand(
    length === undefined || found.length === length,
    `section "${prefix}/${name}" has another length than it must`,
  );
  return found;
}

/** Finite float64 numbers. @throws Problem `model-file-invalid` */
export function doubles(source: ArraySource, name: string, length?: number): Float64Array {
  const found = array(source, name, Float64Array, length);
  checkFinite(found, source, name);
  return found;
}

/** Finite float32 numbers. @throws Problem `model-file-invalid` */
export function floats(source: ArraySource, name: string, length: number): Float32Array {
  const found = array(source, name, Float32Array, length);
  checkFinite(found, source, name);
  return found;
}

/** In plain steps: there may be millions, and words are for faults alone. */
function checkFinite(values: Float64Array | Float32Array, { prefix }: ArraySource, name: string): void {
  for (let index = 0; index < values.length; index++)
    if (!Number.isFinite(values[index]))
      throw invalid(`section "${prefix}/${name}" has what is not a number`);
}

/** Features that are numbers. @throws Problem `model-file-invalid` */
export function numberFeatures(
  source: ArraySource,
  name: string,
  levelCounts: readonly number[],
): Uint16Array {
  const features = array(source, name, Uint16Array);
  features.forEach((feature) =>
    demand(levelCounts[feature] === 0, `${source.prefix} uses a number that is not there`),
  );
  return features;
}

/** Features that are categories, and where the levels of each begin. @throws Problem `model-file-invalid` */
export function categoryFeatures(
  source: ArraySource,
  levelCounts: readonly number[],
): { categoryFeature: Uint16Array; levelOffsets: Int32Array } {
  const categoryFeature = array(source, 'categoryFeature', Uint16Array);
  const levelOffsets = array(source, 'levelOffsets', Int32Array, categoryFeature.length + 1);
  demand(levelOffsets[0] === 0, `${source.prefix} has levels of no column`);
  categoryFeature.forEach((feature, term) => {
    const levelCount = levelCounts[feature] ?? 0;
    const isWhole = levelCount > 0 && levelOffsets[term + 1]! - levelOffsets[term]! === levelCount + 1;
    demand(isWhole, `${source.prefix} uses a category that is not there`);
  });
  return { categoryFeature, levelOffsets };
}
