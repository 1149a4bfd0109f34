// Row models out of a model file, checked so that running them is safe and ends: every index in range, every tree a
// tree (children behind their parents, inside their own tree), every number finite.
import { countAt, demand, objectAt, textAt, wordAt, type Fields } from './checks.ts';
import type { SectionArray } from './container.ts';
import { invalid } from './header.ts';
import type { LinearModel } from './linear.ts';
import type { NaiveBayesModel } from './naive-bayes.ts';
import { weightings, type NeighboursModel } from './neighbours.ts';
import { array, categoryFeatures, doubles, floats, numberFeatures, type ArraySource } from './read-array.ts';
import { readNetwork } from './read-network.ts';
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

const kinds = ['constant', 'linear', 'naive-bayes', 'neighbours', 'network', 'trees'] as const;

/** A row model's JSON part, and its arrays by section name. */
export function writePart(
  model: RowModel,
  prefix: string,
  sections: Map<string, SectionArray>,
): Record<string, unknown> {
  const part: Record<string, unknown> = { prefix };
  for (const [name, value] of Object.entries(model).sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (ArrayBuffer.isView(value)) sections.set(`${prefix}/${name}`, value as SectionArray);
    else part[name] = value;
  }
  return part;
}

/** @throws Problem `model-file-invalid` */
export function readPart(value: unknown, place: string, context: PartContext): RowModel {
  const fields = objectAt(value, place);
  const kind = wordAt(fields['kind'], `${place}.kind`, kinds);
  const source: ArraySource = {
    prefix: textAt(fields['prefix'], `${place}.prefix`),
    sections: context.sections,
  };
  switch (kind) {
    case 'constant':
      return { kind, values: doubles(source, 'values', context.outputCount) };
    case 'trees':
      return readTrees(source, readShape(fields, place, context), context);
    case 'linear':
      return readLinear(source, readShape(fields, place, context), context);
    case 'naive-bayes':
      return readNaiveBayes(source, fields, context);
    case 'neighbours':
      return readNeighbours(source, fields, context);
    case 'network':
      return readNetwork(source, fields, context);
    default:
      return kind satisfies never;
  }
}

interface Shape {
  link: Link;
  rawCount: number;
}

/** Regression has one output, plain or as a logarithm; classes have the other links. */
function readShape(fields: Fields, place: string, { outputCount }: PartContext): Shape {
  const link = wordAt(fields['link'], `${place}.link`, links);
  const fits =
    outputCount === 1
      ? link === 'identity' || link === 'exponential'
      : link === 'share' || link === (outputCount === 2 ? 'logistic' : 'softmax');
  demand(fits, `${place}.link does not fit the task`);
  return { link, rawCount: outputCount === 2 ? 1 : outputCount };
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
  checkNodes(model, source.prefix, context.levelCounts);
  return model;
}

/** Trees lie one after another: the nodes from a root to the next root are its own, so walks are short and few. */
function checkNodes(model: TreesModel, prefix: string, levelCounts: readonly number[]): void {
  const { roots, feature, leafValues, leafRowCounts } = model;
  for (let leaf = 0; leaf < leafRowCounts.length; leaf++)
    if (leafRowCounts[leaf]! < 1) throw invalid(`${prefix} has leaves without rows`);
  const ends = endsOfTrees(roots, feature.length);
  const known = { model, levelCounts: Int32Array.from(levelCounts), depths: new Uint8Array(feature.length) };
  let nextNode = 0;
  for (let tree = 0; tree < roots.length; tree++) {
    const root = roots[tree]!;
    if (root < 0) {
      if (~root >= leafValues.length) throw invalid(`${prefix}: tree ${tree} has no leaf`);
      continue;
    }
    if (root !== nextNode) throw invalid(`${prefix}: tree ${tree} does not begin where the one before ends`);
    nextNode = ends[tree]!;
    if (nextNode <= root || nextNode > feature.length) throw invalid(`${prefix}: tree ${tree} has no nodes`);
    for (let node = root; node < nextNode; node++) {
      const fault = faultOfNode(known, node, nextNode);
      if (fault !== undefined) throw invalid(`${prefix}: node ${node} ${fault}`);
    }
  }
  demand(nextNode === feature.length, `${prefix} has nodes of no tree`);
}

interface KnownOfTrees {
  model: TreesModel;
  levelCounts: Int32Array;
  /** Questions above each node; filled in from the roots down. */
  depths: Uint8Array;
}

/** What is wrong with a node of the tree that ends before node `end`. Large models have millions: words only for faults. */
function faultOfNode(
  { model, levelCounts, depths }: KnownOfTrees,
  node: number,
  end: number,
): string | undefined {
  const { feature, threshold, sets, left, right, flags, categorySets, leafValues } = model;
  const depth = depths[node]! + 1;
  for (let side = 0; side < 2; side++) {
    const child = side === 0 ? left[node]! : right[node]!;
    const isInTree = child < 0 ? ~child < leafValues.length : child > node && child < end;
    if (!isInTree) return 'points outside its tree';
    if (child >= 0 && depths[child]! < depth) depths[child] = depth;
  }
  if (depth > maximumDepth) return 'is too deep in its tree';
  const asked = feature[node]!;
  const isCategorical = (flags[node]! & categoricalFlag) !== 0;
  if (asked >= levelCounts.length || levelCounts[asked]! > 0 !== isCategorical)
    return 'asks a feature that is not there';
  if (flags[node]! > (categoricalFlag | missingLeftFlag)) return 'has unknown flags';
  const limit = threshold[node]!;
  const isValid = isCategorical
    ? limit !== limit && sets[node]! >= 0 && sets[node]! < categorySets.length / wordsPerSet
    : limit > -Infinity;
  return isValid ? undefined : 'has no valid threshold';
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
  const numberFeature = numberFeatures(source, 'numberFeature', context.levelCounts);
  const { categoryFeature, levelOffsets } = categoryFeatures(source, context.levelCounts);
  const numberCount = numberFeature.length;
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

function readNaiveBayes(
  source: ArraySource,
  fields: Fields,
  { outputCount, levelCounts }: PartContext,
): NaiveBayesModel {
  demand(outputCount >= 2, `${source.prefix} tells classes apart where there are none`);
  const link = wordAt(fields['link'], `${source.prefix}.link`, ['softmax'] as const);
  const numberFeature = numberFeatures(source, 'numberFeature', levelCounts);
  const countFeature = numberFeatures(source, 'countFeature', levelCounts);
  const { categoryFeature, levelOffsets } = categoryFeatures(source, levelCounts);
  const numberValues = numberFeature.length * outputCount;
  const halfPrecisions = doubles(source, 'halfPrecisions', numberValues);
  demand(
    halfPrecisions.every((value) => value >= 0),
    `${source.prefix} has a variance below zero`,
  );
  return {
    kind: 'naive-bayes',
    link,
    base: doubles(source, 'base', outputCount),
    numberFeature,
    centre: doubles(source, 'centre', numberFeature.length),
    inverseSpread: doubles(source, 'inverseSpread', numberFeature.length),
    means: doubles(source, 'means', numberValues),
    halfPrecisions,
    heights: doubles(source, 'heights', numberValues),
    countFeature,
    countWeights: doubles(source, 'countWeights', countFeature.length * outputCount),
    categoryFeature,
    levelOffsets,
    levelWeights: doubles(source, 'levelWeights', levelOffsets.at(-1)! * outputCount),
  };
}

function readNeighbours(
  source: ArraySource,
  fields: Fields,
  { outputCount, levelCounts }: PartContext,
): NeighboursModel {
  const { prefix } = source;
  const neighbourCount = countAt(fields['neighbourCount'], `${prefix}.neighbourCount`);
  const numberFeature = numberFeatures(source, 'numberFeature', levelCounts);
  const codeFeature = array(source, 'codeFeature', Uint16Array);
  const codeCount = codeFeature.length;
  const missingCode = array(source, 'missingCode', Uint8Array, codeCount);
  codeFeature.forEach((feature, term) =>
    demand(
      levelCounts[feature] !== undefined && missingCode[term] === (levelCounts[feature] || 1),
      `${prefix} uses a code that is not there`,
    ),
  );
  const answers = doubles(source, 'answers');
  const isAnswer = (value: number): boolean => Number.isInteger(value) && value >= 0 && value < outputCount;
  demand(outputCount === 1 || answers.every(isAnswer), `${prefix} holds rows of no class`);
  const rowWeights = doubles(source, 'rowWeights', answers.length);
  demand(
    rowWeights.every((weight) => weight > 0),
    `${prefix} holds rows without weight`,
  );
  demand(
    neighbourCount >= 1 && answers.length >= 1 && numberFeature.length + codeCount >= 1,
    `${prefix} has no neighbours`,
  );
  return {
    kind: 'neighbours',
    neighbourCount,
    weighting: wordAt(fields['weighting'], `${prefix}.weighting`, weightings),
    base: doubles(source, 'base', outputCount === 1 ? 0 : outputCount),
    numberFeature,
    centre: doubles(source, 'centre', numberFeature.length),
    inverseSpread: doubles(source, 'inverseSpread', numberFeature.length),
    codeFeature,
    missingCode,
    codeWeights: doubles(source, 'codeWeights', codeCount),
    numbers: floats(source, 'numbers', answers.length * numberFeature.length),
    codes: array(source, 'codes', Uint8Array, answers.length * codeCount),
    answers,
    rowWeights,
  };
}
