// e to the power of two numbers that are not positive, to a relative error of 6e-9: the same operations in the same
// order as the plain twin, so that both give the same bits. Models predict with model/arithmetic.ts instead.

// From memory, because a constant vector inside a loop costs four instructions each time.
const coefficients = memory.data<f64>([
  1.0 / 5040.0, 1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0,
  0.6931471805599453, 1.4426950408889634, 6755399441055744.0, -708.0,
]);

// @ts-ignore: decorator
@inline
function coefficient(index: usize): v128 {
  return v128.load64_splat(coefficients + (index << 3));
}

// @ts-ignore: decorator
@inline
function step(sum: v128, x: v128, index: usize): v128 {
  return f64x2.add(f64x2.mul(sum, x), coefficient(index));
}

/** exp(x) for x <= 0; below -708 as there. */
// @ts-ignore: decorator
@inline
export function expOfNegative(x: v128): v128 {
  x = f64x2.pmax(x, coefficient(10));
  // Adding 1.5 x 2^52 rounds to a whole number, which then stands in the lowest bits.
  const shifted = f64x2.add(f64x2.mul(x, coefficient(8)), coefficient(9));
  const rest = f64x2.sub(x, f64x2.mul(f64x2.sub(shifted, coefficient(9)), coefficient(7)));
  let sum = coefficient(0);
  sum = step(sum, rest, 1);
  sum = step(sum, rest, 2);
  sum = step(sum, rest, 3);
  sum = step(sum, rest, 4);
  sum = step(sum, rest, 5);
  sum = step(sum, rest, 6);
  sum = step(sum, rest, 6);
  const power = i64x2.add(i64x2.shl(shifted, 52), coefficient(6));
  return f64x2.mul(sum, power);
}
