// A neural network (model/network.ts) as nodes of a graph, all heads at once (shape heads x rows x values), in doubles.
// Where a number lies between its knots is told by one share for each step from knot to knot: 1 below it, 0 above.
import type { NetworkModel } from '../model/network.ts';
import type { Features } from './features.ts';
import type { Graph } from './graph.ts';
import { levelParts, sumOf } from './sums.ts';

/** The network's answers: one value, or the shares of classes (shape rows x answers, or 1 x answers without columns). */
export function networkAnswers(graph: Graph, features: Features, model: NetworkModel): string {
  const { width, headCount, blockCount } = model;
  const perHead = (values: Float32Array, block = 0): string =>
    graph.doubles(values.subarray(block * headCount * width, (block + 1) * headCount * width), [
      headCount,
      1,
      width,
    ]);
  const scaled = graph.node('Mul', [vectorSum(graph, features, model), perHead(model.firstScales)]);
  let values = graph.node('Relu', [graph.node('Add', [scaled, perHead(model.firstBiases)])]);
  for (let block = 0; block < blockCount; block++) {
    const weights = model.weights.subarray(block * width * width, (block + 1) * width * width);
    const products = graph.node('MatMul', [
      graph.node('Mul', [values, perHead(model.inScales, block)]),
      graph.doubles(weights, [width, width]),
    ]);
    const added = graph.node('Add', [
      graph.node('Mul', [products, perHead(model.outScales, block)]),
      perHead(model.biases, block),
    ]);
    values = graph.node('Add', [values, graph.node('Relu', [added])]);
  }
  const outputCount = model.lastBiases.length / headCount;
  const answers = graph.node('Add', [
    graph.node('MatMul', [values, graph.doubles(model.lastWeights, [headCount, width, outputCount])]),
    graph.doubles(model.lastBiases, [headCount, 1, outputCount]),
  ]);
  return meanAnswer(graph, answers, model.link);
}

function meanAnswer(graph: Graph, answers: string, link: NetworkModel['link']): string {
  const meanOf = (value: string): string =>
    graph.node('ReduceMean', [value, graph.integers([0])], { keepdims: 0 });
  switch (link) {
    case 'identity':
      return meanOf(answers);
    case 'softmax':
      return meanOf(graph.node('Softmax', [answers], { axis: 2 }));
    case 'logistic': {
      const share = meanOf(graph.node('Sigmoid', [answers]));
      return graph.node('Concat', [graph.node('Sub', [graph.scalar(1), share]), share], { axis: 1 });
    }
    default:
      return link satisfies never;
  }
}

/** The sum of the vectors that the columns enter as (shape rows x width). */
function vectorSum(graph: Graph, features: Features, model: NetworkModel): string {
  // Counted terms are words: asking for their features says that texts cannot be exported.
  model.countFeature.forEach((feature) => features.value(feature));
  const { categoryFeature, levelOffsets, levelVectors: levelWeights, width } = model;
  return sumOf(graph, [
    ...numberParts(graph, features, model),
    ...levelParts(graph, features, { categoryFeature, levelOffsets, levelWeights, width }),
  ]);
}

/** First the vectors of all first knots, then the way from knot to knot as far as each number goes. */
function numberParts(graph: Graph, features: Features, model: NetworkModel): string[] {
  const { numberFeature, knotOffsets, knots, knotVectors, missingVectors, width } = model;
  const start = new Float64Array(width);
  const missing = new Float64Array(numberFeature.length * width);
  const steps = { terms: [] as number[], from: [] as number[], length: [] as number[], ways: [] as number[] };
  for (let term = 0; term < numberFeature.length; term++) {
    const first = knotOffsets[term]!;
    for (let at = 0; at < width; at++) {
      start[at]! += knotVectors[first * width + at]!;
      missing[term * width + at] = missingVectors[term * width + at]! - knotVectors[first * width + at]!;
    }
    for (let knot = first; knot + 1 < knotOffsets[term + 1]!; knot++) {
      steps.terms.push(term);
      steps.from.push(knots[knot]!);
      steps.length.push(knots[knot + 1]! - knots[knot]!);
      for (let at = 0; at < width; at++)
        steps.ways.push(knotVectors[(knot + 1) * width + at]! - knotVectors[knot * width + at]!);
    }
  }
  const parts = [graph.doubles(start)];
  if (numberFeature.length === 0) return parts;
  const numbers = features.matrix(numberFeature);
  const isMissing = graph.node('Cast', [graph.node('IsNaN', [numbers])], { to: 11 });
  parts.push(graph.node('MatMul', [isMissing, graph.doubles(missing, [numberFeature.length, width])]));
  if (steps.terms.length === 0) return parts;
  const repeated = graph.node('Gather', [numbers, graph.integers(steps.terms)], { axis: 1 });
  const along = graph.node('Div', [
    graph.node('Sub', [repeated, graph.doubles(steps.from)]),
    graph.doubles(steps.length),
  ]);
  const shares = graph.node('Clip', [along, graph.scalar(0), graph.scalar(1)]);
  const present = graph.node('Where', [graph.node('IsNaN', [repeated]), graph.scalar(0), shares]);
  parts.push(graph.node('MatMul', [present, graph.doubles(steps.ways, [steps.terms.length, width])]));
  return parts;
}
