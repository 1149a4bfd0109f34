// Nearest neighbours (model/neighbours.ts) as nodes of a graph: the distances to all rows that the model holds, one term
// after another, in the same order and so with equal bits; TopK, which takes the first of equally near ones, as we do.
// A batch needs 8 bytes for each of its rows and each row held: long tables are better asked in parts.
import { leastDistance, type NeighboursModel } from '../model/neighbours.ts';
import { arithmeticOf } from './arithmetic.ts';
import type { Features } from './features.ts';
import type { Graph } from './graph.ts';
import { standardisedNumbers } from './sums.ts';

/** Shares of classes, or one value (shape rows x answers, or 1 x answers where the model looks at no column). */
export function neighbourAnswers(graph: Graph, features: Features, model: NeighboursModel): string {
  const { add, multiply, divide } = arithmeticOf(graph);
  const { base, answers, rowWeights, neighbourCount, weighting } = model;
  const count = Math.min(neighbourCount, answers.length);
  const [squares, rows] = graph.pair('TopK', [squaresOf(graph, features, model), graph.integers([count])], {
    axis: 1,
    largest: 0,
    sorted: 1,
  });
  const ofRows = (values: Float64Array): string =>
    graph.node('Gather', [graph.doubles(values, [values.length]), rows], { axis: 0 });
  const weights =
    weighting === 'uniform'
      ? ofRows(rowWeights)
      : multiply(ofRows(rowWeights), divide(1, add(graph.node('Sqrt', [squares]), leastDistance)));
  const sum = (values: string, keepdims: 0 | 1): string =>
    graph.node('ReduceSum', [values, graph.integers([1])], { keepdims });
  const total = sum(weights, 1);
  if (base.length === 0) return divide(sum(multiply(weights, ofRows(answers)), 1), total);
  const classAxis = graph.integers([2]);
  const isOfClass = graph.node('Equal', [
    graph.node('Unsqueeze', [ofRows(answers), classAxis]),
    graph.doubles(
      base.map((_, index) => index),
      [1, 1, base.length],
    ),
  ]);
  const ofClasses = graph.node('Where', [
    isOfClass,
    graph.node('Unsqueeze', [weights, classAxis]),
    graph.scalar(0),
  ]);
  const means = divide(sum(ofClasses, 0), total);
  return divide(add(multiply(means, count), graph.doubles(base)), count + 1);
}

/** The squared distance of each row to each row held (shape rows x rows held). */
function squaresOf(graph: Graph, features: Features, model: NeighboursModel): string {
  const { add, subtract, multiply } = arithmeticOf(graph);
  const { numbers, codes, codeFeature, codeWeights, numberFeature, answers } = model;
  let squares = graph.doubles(new Float64Array(answers.length));
  codeFeature.forEach((feature, term) => {
    const asked = codeOf(graph, features, feature, model.missingCode[term]!);
    const held = columnOf(graph, codes, term, codeFeature.length);
    const isSame = graph.node('Equal', [asked, held]);
    squares = add(squares, graph.node('Where', [isSame, graph.scalar(0), graph.scalar(codeWeights[term]!)]));
  });
  if (numberFeature.length === 0) return squares;
  const { scaled } = standardisedNumbers(graph, features, model);
  // Rows are held as float32, and what is asked about is rounded alike.
  const asked = graph.node('Cast', [graph.node('Cast', [scaled], { to: 1 })], { to: 11 });
  numberFeature.forEach((_, term) => {
    const one = graph.node('Gather', [asked, graph.integers([term])], { axis: 1 });
    const difference = subtract(columnOf(graph, numbers, term, numberFeature.length), one);
    squares = add(squares, multiply(difference, difference));
  });
  return squares;
}

/** The code of a category, or whether a number is missing. */
function codeOf(graph: Graph, features: Features, feature: number, missingCode: number): string {
  const { whereGreater, whereMissing } = arithmeticOf(graph);
  const value = features.value(feature);
  if (!features.isCategory(feature)) return whereMissing(value, 1, 0);
  const known = graph.node('Min', [value, graph.scalar(missingCode - 1)]);
  return whereGreater(value, features.missingCode(feature) - 1, missingCode, known);
}

/** One column of the rows held (shape 1 x rows held), as doubles. */
function columnOf(
  graph: Graph,
  table: Float32Array | Uint8Array,
  column: number,
  columnCount: number,
): string {
  const values = table.filter((_, at) => at % columnCount === column);
  return graph.node('Cast', [graph.constant({ values, shape: [1, values.length] })], { to: 11 });
}
