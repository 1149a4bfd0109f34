// Row models out of a model file, checked so that running them is safe and ends: every index in range, every tree a
// tree (children behind their parents, inside their own tree), every number finite.
import { type Fields, demand, numberAt, objectAt, textAt, wordAt } from './checks.ts';
import type { SectionArray } from './container.ts';
import type { LinearModel } from './linear.ts';
import { links, type Link, type RowModel } from './row-model.ts';
import { categoricalFlag, missingLeftFlag, wordsPerSet, type TreesModel } from './trees.ts';

/** What a row model must fit. */
export interface PartContext {
  sections: ReadonlyMap<string, SectionArray>;
  /** Level count of each feature; 0 for numbers. */
  levelCounts: readonly number[];
  outputCount: number;
}

/** Twice what the learner makes. */
const maximumDepth = 128;

const arrayNames = {
  constant: ['values'],
  trees: [
    'base',
    'roots',
    'feature',
    'threshold',
    'sets',
    'left',
    'right',
    'flags',
    'categorySets',
    'leafValues',
    'leafRowCounts',
  ],
  linear: [
    'base',
    'numberFeature',
    'centre',
    'inverseSpread',
    'numberWeights',
    'missingWeights',
    'categoryFeature',
    'levelOffsets',
    'levelWeights',
  ],
} as const;

/** A row model's JSON part and its arrays by section name. */
export function writePart(
  model: RowModel,
  prefix: string,
  sections: Map<string, SectionArray>,
): Record<string, string> {
  const arrays = model as unknown as Record<string, SectionArray>;
  for (const name of arrayNames[model.kind]) sections.set(`${prefix}/${name}`, arrays[name]!);
  return { kind: model.kind, prefix, ...(model.kind === 'constant' ? {} : { link: model.link }) };
}

/** @throws Problem `model-file-invalid` */
export function readPart(value: unknown, place: string, context: PartContext): RowModel {
  const fields = objectAt(value, place);
  const kind = wordAt(fields['kind'], `${place}.kind`, ['constant', 'linear', 'trees'] as const);
  const prefix = textAt(fields['prefix'], `${place}.prefix`);
  const source: ArraySource = { prefix, sections: context.sections };
  if (kind === 'constant') {
    const values = doubles(source, 'values', context.outputCount);
    return { kind, values };
  }
  const link = readLink(fields, place, context.outputCount);
  const rawCount =
    context.outputCount === 2 && link !== 'softmax' && link !== 'identity' ? 1 : context.outputCount;
  return kind === 'trees'
    ? readTrees(source, { link, rawCount }, context)
    : readLinear(source, { link, rawCount }, context);
}

interface ArraySource {
  prefix: string;
  sections: ReadonlyMap<string, SectionArray>;
}

interface Shape {
  link: Link;
  rawCount: number;
}

/** Regression has one output, plain or as a logarithm; classes have the other links. */
function readLink(fields: Fields, place: string, outputCount: number): Link {
  const link = wordAt(fields['link'], `${place}.link`, links);
  const fits =
    outputCount === 1
      ? link === 'identity' || link === 'exponential'
      : link === 'share' || link === (outputCount === 2 ? 'logistic' : 'softmax');
  demand(fits, `${place}.link does not fit the task`);
  return link;
}

function readTrees(source: ArraySource, { link, rawCount }: Shape, context: PartContext): TreesModel {
  const feature = array(source, 'feature', Uint16Array);
  const nodeCount = feature.length;
  const leafValues = doubles(source, 'leafValues');
  const model: TreesModel = {
    kind: 'trees',
    link,
    base: doubles(source, 'base', rawCount),
    roots: array(source, 'roots', Int32Array),
    feature,
    threshold: array(source, 'threshold', Float64Array, nodeCount),
    sets: array(source, 'sets', Int32Array, nodeCount),
    left: array(source, 'left', Int32Array, nodeCount),
    right: array(source, 'right', Int32Array, nodeCount),
    flags: array(source, 'flags', Uint8Array, nodeCount),
    categorySets: array(source, 'categorySets', Uint32Array),
    leafValues,
    leafRowCounts: array(source, 'leafRowCounts', Int32Array, leafValues.length),
  };
  demand(model.roots.length % rawCount === 0, `${source.prefix} has trees that belong to no output`);
  demand(model.categorySets.length % wordsPerSet === 0, `${source.prefix} has half a set of categories`);
  demand(
    model.leafRowCounts.every((count) => count >= 1),
    `${source.prefix} has leaves without rows`,
  );
  checkNodes(model, source.prefix, context.levelCounts);
  return model;
}

/** Trees lie one after another: the nodes from a root to the next root are its own, so walks are short and few. */
function checkNodes(model: TreesModel, prefix: string, levelCounts: readonly number[]): void {
  const { roots, feature, threshold, sets, left, right, flags, categorySets, leafValues } = model;
  const setCount = categorySets.length / wordsPerSet;
  const isLeaf = (child: number): boolean => ~child < leafValues.length;
  const ends = endsOfTrees(roots, feature.length);
  const depths = new Int32Array(feature.length);
  let nextNode = 0;
  for (let tree = 0; tree < roots.length; tree++) {
    const root = roots[tree]!;
    if (root < 0) {
      demand(isLeaf(root), `${prefix}: tree ${tree} has no leaf`);
      continue;
    }
    demand(root === nextNode, `${prefix}: tree ${tree} does not begin where the one before ends`);
    const end = ends[tree]!;
    demand(end > root && end <= feature.length, `${prefix}: tree ${tree} has no nodes`);
    for (let node = root; node < end; node++) {
      const isInTree = (child: number): boolean => (child < 0 ? isLeaf(child) : child > node && child < end);
      demand(
        isInTree(left[node]!) && isInTree(right[node]!),
        `${prefix}: node ${node} points outside its tree`,
      );
      demand(depths[node]! < maximumDepth, `${prefix}: tree ${tree} is too deep`);
      for (const child of [left[node]!, right[node]!])
        if (child >= 0) depths[child] = Math.max(depths[child]!, depths[node]! + 1);
      const levelCount = levelCounts[feature[node]!];
      const isCategorical = (flags[node]! & categoricalFlag) !== 0;
      demand(
        levelCount !== undefined && levelCount > 0 === isCategorical,
        `${prefix}: node ${node} asks a feature that is not there`,
      );
      demand(
        flags[node]! <= (categoricalFlag | missingLeftFlag),
        `${prefix}: node ${node} has unknown flags`,
      );
      const limit = threshold[node]!;
      const isValid = isCategorical
        ? limit !== limit && sets[node]! >= 0 && sets[node]! < setCount
        : limit > -Infinity;
      demand(isValid, `${prefix}: node ${node} has no valid threshold`);
    }
    nextNode = end;
  }
  demand(nextNode === feature.length, `${prefix} has nodes of no tree`);
}

/** Where the nodes of each tree end: at the next tree that has nodes. */
function endsOfTrees(roots: Int32Array, nodeCount: number): Int32Array {
  const ends = new Int32Array(roots.length);
  let end = nodeCount;
  for (let tree = roots.length - 1; tree >= 0; tree--) {
    ends[tree] = end;
    if (roots[tree]! >= 0) end = roots[tree]!;
  }
  return ends;
}

function readLinear(source: ArraySource, { link, rawCount }: Shape, context: PartContext): LinearModel {
  const numberFeature = array(source, 'numberFeature', Uint16Array);
  const categoryFeature = array(source, 'categoryFeature', Uint16Array);
  const levelOffsets = array(source, 'levelOffsets', Int32Array, categoryFeature.length + 1);
  const numberCount = numberFeature.length;
  numberFeature.forEach((feature) =>
    demand(context.levelCounts[feature] === 0, `${source.prefix} uses a number that is not there`),
  );
  demand(levelOffsets[0] === 0, `${source.prefix} has levels of no column`);
  categoryFeature.forEach((feature, term) => {
    const levelCount = context.levelCounts[feature] ?? 0;
    const isWhole = levelCount > 0 && levelOffsets[term + 1]! - levelOffsets[term]! === levelCount + 1;
    demand(isWhole, `${source.prefix} uses a category that is not there`);
  });
  return {
    kind: 'linear',
    link,
    base: doubles(source, 'base', rawCount),
    numberFeature,
    centre: doubles(source, 'centre', numberCount),
    inverseSpread: doubles(source, 'inverseSpread', numberCount),
    numberWeights: doubles(source, 'numberWeights', numberCount * rawCount),
    missingWeights: doubles(source, 'missingWeights', numberCount * rawCount),
    categoryFeature,
    levelOffsets,
    levelWeights: doubles(source, 'levelWeights', levelOffsets.at(-1)! * rawCount),
  };
}

type Constructor<T> = abstract new (...input: never[]) => T;

function array<T extends SectionArray>(
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

function doubles(source: ArraySource, name: string, length?: number): Float64Array {
  const found = array(source, name, Float64Array, length);
  found.forEach((value) => numberAt(value, `a number of section "${source.prefix}/${name}"`));
  return found;
}
