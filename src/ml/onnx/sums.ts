// Scores that are sums over columns as nodes of a graph: linear models and naive Bayes. All numbers of a model are
// worked on at once, side by side; each category looks its weights up in a table.
import { largestStandardised, type LinearModel } from '../model/linear.ts';
import type { NaiveBayesModel } from '../model/naive-bayes.ts';
import type { Features } from './features.ts';
import type { Graph } from './graph.ts';

/** The scores of a linear model, intercepts included (shape rows x scores, or 1 x scores where it has no terms). */
export function linearScores(graph: Graph, features: Features, model: LinearModel): string {
  const rawCount = model.base.length;
  const parts = [graph.doubles(model.base)];
  const termCount = model.numberFeature.length;
  if (termCount > 0) {
    const { scaled, isMissing } = standardisedNumbers(graph, features, model);
    const shape = [termCount, rawCount];
    const missing = graph.node('Cast', [isMissing], { to: 11 });
    parts.push(
      graph.node('MatMul', [scaled, graph.doubles(model.numberWeights, shape)]),
      graph.node('MatMul', [missing, graph.doubles(model.missingWeights, shape)]),
    );
  }
  return sumOf(graph, [...parts, ...levelParts(graph, features, { ...model, width: rawCount })]);
}

/** The scores of naive Bayes, the logarithms of shares included (shapes as of {@link linearScores}). */
export function naiveBayesScores(graph: Graph, features: Features, model: NaiveBayesModel): string {
  const classCount = model.base.length;
  const parts = [graph.doubles(model.base)];
  const termCount = model.numberFeature.length;
  if (termCount > 0) {
    const { scaled, isMissing } = standardisedNumbers(graph, features, model);
    const classAxis = graph.integers([2]);
    const shape = [1, termCount, classCount];
    const apart = graph.node('Sub', [
      graph.node('Unsqueeze', [scaled, classAxis]),
      graph.doubles(model.means, shape),
    ]);
    const fall = graph.node('Mul', [
      graph.node('Mul', [apart, apart]),
      graph.doubles(model.halfPrecisions, shape),
    ]);
    const said = graph.node('Where', [
      graph.node('Unsqueeze', [isMissing, classAxis]),
      graph.scalar(0),
      graph.node('Sub', [graph.doubles(model.heights, shape), fall]),
    ]);
    parts.push(graph.node('ReduceSum', [said, graph.integers([1])], { keepdims: 0 }));
  }
  // Counted terms are words: asking for their features says that texts cannot be exported.
  model.countFeature.forEach((feature) => features.value(feature));
  return sumOf(graph, [...parts, ...levelParts(graph, features, { ...model, width: classCount })]);
}

/** A model's numbers side by side, shifted, scaled and held within bounds, 0 where they are missing; and whether they are. */
export function standardisedNumbers(
  graph: Graph,
  features: Features,
  { numberFeature, centre, inverseSpread }: Pick<LinearModel, 'numberFeature' | 'centre' | 'inverseSpread'>,
): { scaled: string; isMissing: string } {
  const numbers = features.matrix(numberFeature);
  const isMissing = graph.node('IsNaN', [numbers]);
  const shifted = graph.node('Sub', [numbers, graph.doubles(centre)]);
  const bounded = graph.node('Clip', [
    graph.node('Mul', [shifted, graph.doubles(inverseSpread)]),
    graph.scalar(-largestStandardised),
    graph.scalar(largestStandardised),
  ]);
  return { scaled: graph.node('Where', [isMissing, graph.scalar(0), bounded]), isMissing };
}

/** For each categorical term, `width` values by its code (shape rows x width). Levels are codes, then missing. */
export function levelParts(
  graph: Graph,
  features: Features,
  {
    categoryFeature,
    levelOffsets,
    levelWeights,
    width,
  }: {
    categoryFeature: ArrayLike<number>;
    levelOffsets: Int32Array;
    levelWeights: Float64Array | Float32Array;
    width: number;
  },
): string[] {
  return Array.from(categoryFeature, (feature, term) => {
    const missingCode = features.missingCode(feature);
    const first = levelOffsets[term]!;
    const last = levelOffsets[term + 1]! - 1;
    const table = new Float64Array((missingCode + 1) * width);
    for (let code = 0; code <= missingCode; code++) {
      const level = code === missingCode ? last : Math.min(last - 1, first + code);
      table.set(levelWeights.subarray(level * width, (level + 1) * width), code * width);
    }
    const values = graph.doubles(table, [missingCode + 1, width]);
    return graph.node('Gather', [values, features.code(feature)], { axis: 0 });
  });
}

/** The sum of several values, which may be one. */
export function sumOf(graph: Graph, parts: readonly string[]): string {
  return parts.length === 1 ? parts[0]! : graph.node('Sum', parts);
}
