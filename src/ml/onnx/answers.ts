// From scores to what a model says, as nodes of a graph: links, the ensemble's average, calibration, and the decision.
import type { Calibration, CalibrationCurve } from '../model/calibration.ts';
import type { IntervalTable } from '../model/intervals.ts';
import type { ModelManifest } from '../model/manifest.ts';
import type { Link } from '../model/row-model.ts';
import type { Graph } from './graph.ts';
import { sumOf } from './sums.ts';

/** The same bounds as where models are applied: model/row-model.ts and model/calibration.ts. */
const largestLogarithm = 700;
const smallestShare = 1e-9;

/** Answers of raw scores (shape rows x scores). */
export function linkNode(graph: Graph, link: Link, raw: string, rawCount: number): string {
  switch (link) {
    case 'identity':
      return raw;
    case 'exponential':
      return graph.node('Exp', [graph.node('Min', [raw, graph.scalar(largestLogarithm)])]);
    case 'logistic':
      return bothClasses(graph, graph.node('Sigmoid', [raw]));
    case 'softmax':
      return graph.node('Softmax', [raw], { axis: 1 });
    case 'share':
      if (rawCount === 1)
        return bothClasses(graph, graph.node('Clip', [raw, graph.scalar(0), graph.scalar(1)]));
      return withSumOne(graph, graph.node('Max', [raw, graph.scalar(smallestShare)]));
    default:
      return link satisfies never;
  }
}

/** The weighted average of answers; weights sum to one. */
export function average(graph: Graph, answers: readonly { value: string; weight: number }[]): string {
  const parts = answers.map(({ value, weight }) => graph.node('Mul', [value, graph.scalar(weight)]));
  return sumOf(graph, parts);
}

/** Calibrated probabilities. */
export function calibrated(
  graph: Graph,
  calibration: Calibration,
  probabilities: string,
  classCount: number,
): string {
  switch (calibration.kind) {
    case 'none':
      return probabilities;
    case 'scaling': {
      const logarithms = graph.node('Log', [graph.node('Max', [probabilities, graph.scalar(smallestShare)])]);
      const steeper = graph.node('Mul', [logarithms, graph.scalar(calibration.slope)]);
      const shifted = graph.node('Add', [steeper, graph.doubles(calibration.offsets)]);
      return graph.node('Softmax', [shifted], { axis: 1 });
    }
    case 'isotonic': {
      const chances = calibration.curves.map((curve, index) =>
        heightNode(graph, curve, columnOf(graph, probabilities, classCount === 2 ? 1 : index)),
      );
      if (classCount === 2) return bothClasses(graph, chances[0]!);
      return withSumOne(graph, graph.node('Concat', chances, { axis: 1 }));
    }
    default:
      return calibration satisfies never;
  }
}

/** The decided class of each row, as a list of texts. */
export function decidedLabels(
  graph: Graph,
  { classes, decisionWeights, costs }: Pick<ModelManifest, 'classes' | 'decisionWeights' | 'costs'>,
  probabilities: string,
): string {
  const chances = graph.node('Mul', [probabilities, graph.doubles(decisionWeights)]);
  const toFirst = { axis: 1, keepdims: 0 };
  const size = classes.length;
  const place = costs
    ? graph.node(
        'ArgMin',
        [graph.node('MatMul', [chances, graph.doubles(costs.matrix.flat(), [size, size])])],
        toFirst,
      )
    : graph.node('ArgMax', [chances], toFirst);
  return graph.node('Gather', [graph.constant({ values: classes, shape: [size] }), place], { axis: 0 });
}

/** The ends of the interval around each value (shape rows x 1). */
export function intervalEnds(
  graph: Graph,
  { edges, lower, upper }: IntervalTable,
  value: string,
): { lower: string; upper: string } {
  const band =
    edges.length > 0 ? countNode(graph, graph.node('Greater', [value, graph.doubles(edges)])) : undefined;
  const end = (offsets: readonly number[]): string => {
    const offset =
      band === undefined
        ? graph.scalar(offsets[0]!)
        : graph.node('Gather', [graph.doubles(offsets, [offsets.length]), band]);
    return graph.node('Add', [value, offset]);
  };
  return { lower: end(lower), upper: end(upper) };
}

/** 1 - share, share. */
function bothClasses(graph: Graph, share: string): string {
  return graph.node('Concat', [graph.node('Sub', [graph.scalar(1), share]), share], { axis: 1 });
}

function withSumOne(graph: Graph, shares: string): string {
  const sum = graph.node('ReduceSum', [shares, graph.integers([1])], { keepdims: 1 });
  return graph.node('Div', [shares, sum]);
}

function columnOf(graph: Graph, values: string, column: number): string {
  return graph.node('Gather', [values, graph.integers([column])], { axis: 1 });
}

/** How many of each row's truths hold (shape rows x 1), as whole numbers. */
function countNode(graph: Graph, truths: string): string {
  const ones = graph.node('Cast', [truths], { to: 7 });
  return graph.node('ReduceSum', [ones, graph.integers([1])], { keepdims: 1 });
}

/** The height of a curve: that of the last knot that is not above, plus the slope from there. Ends hold. */
function heightNode(graph: Graph, { said, cameTrue }: CalibrationCurve, probability: string): string {
  const last = said.length - 1;
  const slopes = said.map((at, knot) =>
    knot === last || said[knot + 1] === at
      ? 0
      : (cameTrue[knot + 1]! - cameTrue[knot]!) / (said[knot + 1]! - at),
  );
  const within = graph.node('Clip', [probability, graph.scalar(said[0]!), graph.scalar(said[last]!)]);
  const passed = countNode(graph, graph.node('GreaterOrEqual', [within, graph.doubles(said)]));
  const knot = graph.node('Sub', [passed, graph.integers([1])]);
  const at = (values: readonly number[]): string =>
    graph.node('Gather', [graph.doubles(values, [values.length]), knot], { axis: 0 });
  const beyond = graph.node('Sub', [within, at(said)]);
  return graph.node('Add', [at(cameTrue), graph.node('Mul', [beyond, at(slopes)])]);
}
