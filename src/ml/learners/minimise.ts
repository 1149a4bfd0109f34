// L-BFGS: minimises a smooth function of many variables (Nocedal & Wright, "Numerical Optimization", chapter 7),
// with a backtracking line search. Deterministic; asks the caller between steps whether to go on.

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
  let point: Float64Array = start.slice();
  let gradient: Float64Array = new Float64Array(smooth.size);
  let value = smooth.evaluate(point, gradient);
  const history: Correction[] = [];
  let iteration = 0;
  while (iteration < options.iterations && largest(gradient) > options.tolerance) {
    const direction = descentDirection(gradient, history);
    const step = lineSearch(smooth, { point, gradient, value }, direction, iteration === 0);
    if (!step) {
      if (history.length === 0) break;
      history.length = 0; // start afresh along the plain gradient
      continue;
    }
    remember(history, { point, gradient }, step);
    const progress = value - step.value;
    ({ point, gradient, value } = step);
    iteration++;
    if (
      !(await options.goOn(iteration, value)) ||
      progress <= options.leastProgress * Math.max(1e-12, Math.abs(value))
    )
      break;
  }
  return { point, value, iterations: iteration };
}

interface Position {
  point: Float64Array;
  gradient: Float64Array;
  value: number;
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
  direction: Float64Array,
  isFirst: boolean,
): Position | undefined {
  const slope = dot(from.gradient, direction);
  if (!(slope < 0)) return undefined;
  let length = isFirst ? 1 / Math.max(1, Math.sqrt(dot(from.gradient, from.gradient))) : 1;
  for (let attempt = 0; attempt < 30; attempt++, length /= 2) {
    const point = from.point.slice();
    addScaled(point, direction, length);
    const gradient = new Float64Array(smooth.size);
    const value = smooth.evaluate(point, gradient);
    if (value <= from.value + 1e-4 * length * slope) return { point, gradient, value };
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

function addScaled(target: Float64Array, source: Float64Array, factor: number): void {
  for (let index = 0; index < target.length; index++)
    target[index] = target[index]! + factor * source[index]!;
}

function largest(values: Float64Array): number {
  let most = 0;
  for (const value of values) if (Math.abs(value) > most) most = Math.abs(value);
  return most;
}
