// What the text of one field looks like: a whole number, a number, a truth value, a word for "missing".
// Strict, because reading must lose nothing: 00123 is no number, nor is a number with more digits than a double keeps.
// conversions.ts says the same in SQL; value-forms.test.ts holds the two together.

export const wholeNumberPattern = /^[+-]?(?:0|[1-9][0-9]{0,18})$/;
const numberPattern = /^[+-]?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$/;
const infinityPattern = /^[+-]?inf(?:inity)?$/i;
const wholePattern = /^[+-]?[0-9]+$/;
const commaPattern = /^[+-]?(?:0|[1-9][0-9]*),[0-9]+$/;
const groupedPattern = /^[+-]?[1-9][0-9]{0,2},[0-9]{3}$/;
const leadingZeroPattern = /^[+-]?0[0-9]+$/;

const int64 = { minimum: -(2n ** 63n), maximum: 2n ** 63n - 1n };

/** A whole number of at most 64 bits. */
export function isInteger(text: string): boolean {
  if (!wholeNumberPattern.test(text)) return false;
  if (text.length < 19) return true;
  const value = BigInt(text.replace('+', ''));
  return value >= int64.minimum && value <= int64.maximum;
}

/** A number that a double stands for: decimals to the nearest double, whole numbers exactly. */
export function isNumber(text: string): boolean {
  if (infinityPattern.test(text)) return true;
  if (!numberPattern.test(text)) return false;
  const value = Number(text);
  if (!Number.isFinite(value)) return false;
  return text.length <= 15 || !wholePattern.test(text) || BigInt(value) === BigInt(text.replace('+', ''));
}

/** A decimal number with a comma, such as 3,14. */
export function isCommaDecimal(text: string): boolean {
  return commaPattern.test(text);
}

/** Whether a comma in this number could as well separate thousands: 1,234. */
export function isPerhapsGrouped(text: string): boolean {
  return groupedPattern.test(text);
}

/** Digits that begin with a zero: an id, a postal code, a telephone number. */
export function hasLeadingZero(text: string): boolean {
  return leadingZeroPattern.test(text);
}

/** Words that are taken for truth values without being asked: [true, false]. */
export const detectedBooleanWords: readonly (readonly [string, string])[] = [
  ['true', 'false'],
  ['t', 'f'],
];

/** Words that are read as truth values when a column is said to be boolean: [true, false]. */
export const acceptedBooleanWords: readonly (readonly [string, string])[] = [
  ['true', 'false'],
  ['t', 'f'],
  ['yes', 'no'],
  ['y', 'n'],
  ['1', '0'],
  ['on', 'off'],
];

/** Words that mean "missing" wherever they stand alone in a field. */
export const sureNullWords: ReadonlySet<string> = new Set([
  'NULL',
  'null',
  'N/A',
  '#N/A',
  'NaN',
  'nan',
  '\\N',
  '?',
]);

/** Words that mean "missing" when they stand among numbers, truth values or dates. */
export const likelyNullWords: ReadonlySet<string> = new Set([
  ...sureNullWords,
  'NA',
  'n/a',
  'na',
  'Null',
  'None',
  'none',
  '-',
  '--',
  '.',
]);
