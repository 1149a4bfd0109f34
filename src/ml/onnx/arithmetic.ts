// Arithmetic as nodes of a graph. Sine and logarithm are those of model/arithmetic.ts, step by step, so that features
// have equal bits: a network may bend, and a tree may split, between two numbers that differ in their last bit.
import type { Graph } from './graph.ts';

export type Operand = string | number;

/** Operations on values of the graph and on numbers. */
export interface Arithmetic {
  add: (left: Operand, right: Operand) => string;
  subtract: (left: Operand, right: Operand) => string;
  multiply: (left: Operand, right: Operand) => string;
  divide: (left: Operand, right: Operand) => string;
  floor: (value: string) => string;
  /** What is left of `value` after taking `by` away as often as it fits; never below 0. */
  remainder: (value: string, by: number) => string;
  /** `then` where left > right, `otherwise` elsewhere. */
  whereGreater: (left: Operand, right: Operand, then: Operand, otherwise: Operand) => string;
  whereMissing: (value: string, then: Operand, otherwise: Operand) => string;
}

export function arithmeticOf(graph: Graph): Arithmetic {
  const name = (operand: Operand): string => (typeof operand === 'number' ? graph.scalar(operand) : operand);
  const pair =
    (operator: string) =>
    (left: Operand, right: Operand): string =>
      graph.node(operator, [name(left), name(right)]);
  const [add, subtract, multiply, divide] = [pair('Add'), pair('Sub'), pair('Mul'), pair('Div')];
  const greater = pair('Greater');
  const floor = (value: string): string => graph.node('Floor', [value]);
  return {
    add,
    subtract,
    multiply,
    divide,
    floor,
    remainder: (value, by) => subtract(value, multiply(floor(divide(value, by)), by)),
    whereGreater: (left, right, then, otherwise) =>
      graph.node('Where', [greater(left, right), name(then), name(otherwise)]),
    whereMissing: (value, then, otherwise) =>
      graph.node('Where', [graph.node('IsNaN', [value]), name(then), name(otherwise)]),
  };
}

/** Sine of an angle in turns: `sine` of model/arithmetic.ts. */
export function sineNode(graph: Graph, turns: string): string {
  const { subtract, multiply, divide, floor, whereGreater } = arithmeticOf(graph);
  const share = subtract(turns, floor(turns));
  const half = whereGreater(0.5, share, share, subtract(share, 0.5));
  const x = multiply(2 * Math.PI, whereGreater(half, 0.25, subtract(0.5, half), half));
  const square = multiply(x, x);
  let sum: Operand = 1;
  for (let factor = 18; factor >= 2; factor -= 2)
    sum = subtract(1, divide(multiply(sum, square), factor * (factor + 1)));
  const value = multiply(x, sum);
  return whereGreater(0.5, share, value, subtract(0, value));
}

const ln2High = 0.69314718036912381649;
const ln2Low = 1.90821492927058770002e-10;
const largestExponent = 1023;

/** Natural logarithm of finite numbers from 1; of no others: `log` of model/arithmetic.ts. */
export function logNode(graph: Graph, value: string): string {
  const { add, subtract, multiply, divide, floor, whereGreater } = arithmeticOf(graph);
  // The runtime's own logarithm says the exponent, or the next one where the mantissa is all but 1 or 2: halving what
  // is above the root of two makes the same of both.
  const near = floor(divide(graph.node('Log', [value]), Math.LN2));
  const inverses = Float64Array.from({ length: largestExponent + 1 }, (_, exponent) => 2 ** -exponent);
  const place = graph.node('Cast', [near], { to: 7 });
  const scaled = multiply(value, graph.node('Gather', [graph.doubles(inverses, [inverses.length]), place]));
  const isAbove = whereGreater(scaled, Math.SQRT2, 1, 0);
  const mantissa = divide(scaled, add(isAbove, 1));
  const exponent = add(near, isAbove);

  const s = divide(subtract(mantissa, 1), add(mantissa, 1));
  const square = multiply(s, s);
  let sum: Operand = 1 / 23;
  for (let divisor = 21; divisor >= 3; divisor -= 2) sum = add(multiply(sum, square), 1 / divisor);
  const twice = multiply(2, s);
  const small = add(add(multiply(exponent, ln2Low), multiply(multiply(twice, square), sum)), twice);
  return add(multiply(exponent, ln2High), small);
}
