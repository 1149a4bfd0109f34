// L-BFGS: minimises a smooth function of many variables (Nocedal & Wright, "Numerical Optimization", chapter 7),
// with a backtracking line search. With an L1 penalty it is OWL-QN (Andrew & Gao, "Scalable Training of L1-Regularized
// Log-Linear Models", ICML 2007): each step stays in one orthant, where the penalty is smooth, and what would cross a
// border stops there, at exactly zero. Deterministic; asks the caller between steps whether to go on.

export interface SmoothFunction {
  size: number;
  /** Returns the value at `point` and writes the gradient. */
  evaluate: (point: Float64Array, gradient: Float64Array) => number;
}

export interface MinimiseOptions {
  iterations: number;
  /** Stop when the largest part of the gradient is below this. */
  tolerance: number;
  /** Stop when a step lowers the value by less than this share of it. */
  leastProgress: number;
  /** Weight of the absolute value of each variable, at least 0, added to the function. */
  l1?: Float64Array;
  /** Called after each step with the value; `false` ends the search. */
  goOn: (iteration: number, value: number) => Promise<boolean>;
}

const historyLength = 10;

/** The best point found, from `start`, and how many steps it took. */
export async function minimise(
  smooth: SmoothFunction,
  start: Float64Array,
  options: MinimiseOptions,
): Promise<{ point: Float64Array; value: number; iterations: number }> {
  const { l1 } = options;
  let position = positionAt(smooth, start.slice(), l1);
  const history: Correction[] = [];
  let iteration = 0;
  while (iteration < options.iterations && largest(position.slopes) > options.tolerance) {
    const direction = descentDirection(position.slopes, history);
    if (l1) keepDescending(direction, position.slopes);
    const step = lineSearch(smooth, position, { direction, l1, isFirst: iteration === 0 });
    if (!step) {
      if (history.length === 0) break;
      history.length = 0; // start afresh along the plain gradient
      continue;
    }
    remember(history, position, step);
    const progress = position.value - step.value;
    position = step;
    iteration++;
    if (
      !(await options.goOn(iteration, step.value)) ||
      progress <= options.leastProgress * Math.max(1e-12, Math.abs(step.value))
    )
      break;
  }
  return { point: position.point, value: position.value, iterations: iteration };
}

interface Position {
  point: Float64Array;
  /** Of the smooth function. */
  gradient: Float64Array;
  /** Of the whole: the gradient, with a penalty the subgradient that is nearest to zero. */
  slopes: Float64Array;
  /** Of the whole. */
  value: number;
}

function positionAt(smooth: SmoothFunction, point: Float64Array, l1: Float64Array | undefined): Position {
  const gradient = new Float64Array(smooth.size);
  let value = smooth.evaluate(point, gradient);
  if (!l1) return { point, gradient, slopes: gradient, value };
  for (let index = 0; index < point.length; index++) value += l1[index]! * Math.abs(point[index]!);
  return { point, gradient, slopes: nearestSubgradient(point, gradient, l1), value };
}

function nearestSubgradient(point: Float64Array, gradient: Float64Array, l1: Float64Array): Float64Array {
  return gradient.map((slope, index) => {
    const penalty = l1[index]!;
    if (point[index]! !== 0) return slope + (point[index]! > 0 ? penalty : -penalty);
    return slope > penalty ? slope - penalty : slope < -penalty ? slope + penalty : 0;
  });
}

/** What would climb, by the curvature of other variables, stays where it is. */
function keepDescending(direction: Float64Array, slopes: Float64Array): void {
  for (let index = 0; index < direction.length; index++)
    if (direction[index]! * slopes[index]! >= 0) direction[index] = 0;
}

/** Whatever has crossed zero, from where it was or from where its slope leads, goes back to zero. */
function keepOrthant(point: Float64Array, from: Position, l1: Float64Array): void {
  for (let index = 0; index < point.length; index++) {
    const side = from.point[index]! !== 0 ? from.point[index]! : -from.slopes[index]!;
    if (l1[index]! > 0 && point[index]! * side <= 0) point[index] = 0;
  }
}

interface Correction {
  step: Float64Array;
  change: Float64Array;
  inverseCurvature: number;
}

/** The two-loop recursion: minus the gradient, seen through the curvature that recent steps have shown. */
function descentDirection(gradient: Float64Array, history: readonly Correction[]): Float64Array {
  const direction = gradient.map((value) => -value);
  const factors = new Float64Array(history.length);
  for (let index = history.length - 1; index >= 0; index--) {
    const { step, change, inverseCurvature } = history[index]!;
    factors[index] = inverseCurvature * dot(step, direction);
    addScaled(direction, change, -factors[index]!);
  }
  const last = history.at(-1);
  if (last) {
    const scale = 1 / (last.inverseCurvature * dot(last.change, last.change));
    for (let index = 0; index < direction.length; index++) direction[index] = direction[index]! * scale;
  }
  for (let index = 0; index < history.length; index++) {
    const { step, change, inverseCurvature } = history[index]!;
    addScaled(direction, step, factors[index]! - inverseCurvature * dot(change, direction));
  }
  return direction;
}

/** Halves the step until the value falls enough (Armijo's condition). */
function lineSearch(
  smooth: SmoothFunction,
  from: Position,
  { direction, l1, isFirst }: { direction: Float64Array; l1: Float64Array | undefined; isFirst: boolean },
): Position | undefined {
  const slope = dot(from.slopes, direction);
  if (!(slope < 0)) return undefined;
  let length = isFirst ? 1 / Math.max(1, Math.sqrt(dot(from.slopes, from.slopes))) : 1;
  for (let attempt = 0; attempt < 30; attempt++, length /= 2) {
    const point = from.point.slice();
    addScaled(point, direction, length);
    if (l1) keepOrthant(point, from, l1);
    const found = positionAt(smooth, point, l1);
    const fall = l1 ? dotOfStep(from.slopes, from.point, point) : length * slope;
    if (found.value <= from.value + 1e-4 * fall) return found;
  }
  return undefined;
}

function remember(
  history: Correction[],
  from: { point: Float64Array; gradient: Float64Array },
  to: Position,
): void {
  const step = to.point.map((value, index) => value - from.point[index]!);
  const change = to.gradient.map((value, index) => value - from.gradient[index]!);
  const curvature = dot(step, change);
  if (curvature <= 1e-12 * dot(change, change)) return;
  history.push({ step, change, inverseCurvature: 1 / curvature });
  if (history.length > historyLength) history.shift();
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let index = 0; index < a.length; index++) sum += a[index]! * b[index]!;
  return sum;
}

/** slopes x (to - from) */
function dotOfStep(slopes: Float64Array, from: Float64Array, to: Float64Array): number {
  let sum = 0;
  for (let index = 0; index < slopes.length; index++) sum += slopes[index]! * (to[index]! - from[index]!);
  return sum;
}

function addScaled(target: Float64Array, source: Float64Array, factor: number): void {
  for (let index = 0; index < target.length; index++)
    target[index] = target[index]! + factor * source[index]!;
}

function largest(values: Float64Array): number {
  let most = 0;
  for (const value of values) if (Math.abs(value) > most) most = Math.abs(value);
  return most;
}
