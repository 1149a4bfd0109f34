// e to the power of two numbers that are not positive: the same operations in the same order as model/arithmetic.ts, so
// that both give the same bits.

// From memory, because a constant vector inside a loop costs four instructions each time.
const coefficients = memory.data<f64>([
  1.0 / 6227020800.0, 1.0 / 479001600.0, 1.0 / 39916800.0, 1.0 / 3628800.0, 1.0 / 362880.0, 1.0 / 40320.0,
  1.0 / 5040.0, 1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0,
  0.69314718036912381649, 1.90821492927058770002e-10, 1.4426950408889634, -745.1332191019412, 8.673617379884035e-19,
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

/** exp(x) for x <= 0; 0 below -745.2. */
// @ts-ignore: decorator
@inline
export function expOfNegative(x: v128): v128 {
  const tooSmall = f64x2.lt(x, coefficient(16));
  const k = f64x2.floor(f64x2.add(f64x2.mul(x, coefficient(15)), coefficient(11)));
  const rest = f64x2.sub(
    f64x2.sub(x, f64x2.mul(k, coefficient(13))),
    f64x2.mul(k, coefficient(14)),
  );
  let sum = coefficient(0);
  sum = step(sum, rest, 1);
  sum = step(sum, rest, 2);
  sum = step(sum, rest, 3);
  sum = step(sum, rest, 4);
  sum = step(sum, rest, 5);
  sum = step(sum, rest, 6);
  sum = step(sum, rest, 7);
  sum = step(sum, rest, 8);
  sum = step(sum, rest, 9);
  sum = step(sum, rest, 10);
  sum = step(sum, rest, 11);
  sum = step(sum, rest, 12);
  sum = step(sum, rest, 12);
  // Two factors, 2^(k + 60) and 2^-60, so that results below the normal numbers are rounded once.
  const exponent = i32x4.add(i32x4.trunc_sat_f64x2_s_zero(k), i32x4.splat(1023 + 60));
  const power = i64x2.shl(i64x2.extend_low_i32x4_s(exponent), 52);
  const result = f64x2.mul(f64x2.mul(sum, power), coefficient(17));
  return v128.andnot(result, tooSmall);
}
