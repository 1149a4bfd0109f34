// Dates and times in text: which strptime formats a column's values are written in. Day and month are told apart by
// the values; where these leave both orders possible, that is said (`isAmbiguous`).

/** How a column of dates is written. */
export interface DateReading {
  type: 'date' | 'datetime';
  /** strptime formats, of which each value matches one. */
  formats: string[];
  /** Whether dates are written year-month-day with hyphens, which the engine reads fastest. */
  isIso: boolean;
  /** The order of day and month, where that is not given by the form. */
  order: 'day-first' | 'month-first' | null;
  /** Whether the values fit both orders. */
  isAmbiguous: boolean;
  hasShortYear: boolean;
}

export type DayOrder = NonNullable<DateReading['order']>;

/** One value taken apart; two values with the same `shape` are written alike. */
interface Parsed {
  family: 'year-first' | 'year-month' | 'numeric' | 'day-name' | 'name-day';
  separator: string;
  /** For numeric dates the first and second number. */
  first: number;
  second: number;
  yearDigits: number;
  monthName: 'short' | 'long' | 'either' | null;
  hasComma: boolean;
  time: Time | null;
}

interface Time {
  separator: string;
  hasHalfDay: boolean;
  zone: string;
}

const timePattern =
  '(?:([ T])(\\d{1,2}):(\\d{2})(?::(\\d{2})(?:\\.\\d{1,6})?)?( [AaPp][Mm])?( ?Z| UTC| ?[+-]\\d{2}(?::?\\d{2})?)?)?';
const yearFirstPattern = new RegExp(`^(\\d{4})([-/.])(\\d{1,2})\\2(\\d{1,2})${timePattern}$`);
const numericPattern = new RegExp(`^(\\d{1,2})([-/.])(\\d{1,2})\\2(\\d{4}|\\d{2})${timePattern}$`);
const dayNamePattern = new RegExp(`^(\\d{1,2})([- ])([A-Za-z]{3,9})\\2(\\d{4}|\\d{2})${timePattern}$`);
const nameDayPattern = new RegExp(`^([A-Za-z]{3,9}) (\\d{1,2})(,?) (\\d{4})${timePattern}$`);
const yearMonthPattern = /^(\d{4})-(\d{2})$/;

const monthNames = [
  'january',
  'february',
  'march',
  'april',
  'may',
  'june',
  'july',
  'august',
  'september',
  'october',
  'november',
  'december',
];

/** How all of `values` are written, or undefined when they are not all dates of one form. */
export function detectDates(values: readonly string[], preferred: DayOrder | null): DateReading | undefined {
  const parsed: Parsed[] = [];
  for (const value of values) {
    const one = parseDate(value);
    if (one === undefined || !isSameForm(one, parsed[0] ?? one)) return undefined;
    parsed.push(one);
  }
  const [form] = parsed;
  if (form === undefined) return undefined;
  const orders = form.family === 'numeric' ? possibleOrders(parsed) : null;
  if (orders?.length === 0) return undefined;
  const order = orders && chooseOrder(orders, form.separator, preferred);
  const times = parsed.map(({ time }) => time).filter((time) => time !== null);
  return {
    type: times.length > 0 ? 'datetime' : 'date',
    formats: formatsOf(dateFormatOf(parsed, order), times, parsed.length),
    isIso: form.family === 'year-first' && form.separator === '-',
    order,
    isAmbiguous: orders?.length === 2,
    hasShortYear: form.yearDigits === 2,
  };
}

function parseDate(value: string): Parsed | undefined {
  return parseYearFirst(value) ?? parseNumeric(value) ?? parseNamed(value);
}

function parseYearFirst(value: string): Parsed | undefined {
  const short = yearMonthPattern.exec(value);
  // Plausible years only: 1234-05 is more likely an article number.
  if (short && Number(short[1]) >= 1700 && Number(short[1]) <= 2200 && isMonth(Number(short[2])))
    return { ...plain('year-month', '-'), yearDigits: 4 };
  const match = yearFirstPattern.exec(value);
  if (!match || !isDay(Number(match[1]), Number(match[3]), Number(match[4]))) return undefined;
  const time = timeOf(match, 5);
  return time === undefined ? undefined : { ...plain('year-first', match[2]!), time };
}

function parseNumeric(value: string): Parsed | undefined {
  const match = numericPattern.exec(value);
  if (!match) return undefined;
  const [, first, separator, second, year] = match as unknown as string[];
  // 1.2.10 is a version; 01.02.10 is a date.
  const isVersion = separator === '.' && year!.length === 2 && (first!.length < 2 || second!.length < 2);
  const time = timeOf(match, 5);
  if (isVersion || time === undefined) return undefined;
  const numbers = { first: Number(first), second: Number(second), yearDigits: year!.length };
  return { ...plain('numeric', separator!), ...numbers, time };
}

function parseNamed(value: string): Parsed | undefined {
  const dayName = dayNamePattern.exec(value);
  const match = dayName ?? nameDayPattern.exec(value);
  if (!match) return undefined;
  const [day, name] = dayName ? [match[1]!, match[3]!] : [match[2]!, match[1]!];
  const monthName = monthNameForm(name);
  const time = timeOf(match, 5);
  if (monthName === null || time === undefined || Number(day) < 1 || Number(day) > 31) return undefined;
  const form = dayName ? plain('day-name', match[2]!) : plain('name-day', ' ');
  return { ...form, monthName, time, hasComma: !dayName && match[3] === ',', yearDigits: match[4]!.length };
}

function plain(family: Parsed['family'], separator: string): Parsed {
  return {
    family,
    separator,
    first: 0,
    second: 0,
    yearDigits: 4,
    monthName: null,
    hasComma: false,
    time: null,
  };
}

/** The time part that begins at group `at` of the match: null when there is none, undefined when it is no time. */
function timeOf(match: RegExpExecArray, at: number): Time | null | undefined {
  const [separator, hour, minute, second, halfDay, zone] = match.slice(at, at + 6);
  if (separator === undefined) return null;
  const hasHalfDay = halfDay !== undefined;
  const isHour = hasHalfDay ? Number(hour) >= 1 && Number(hour) <= 12 : Number(hour) <= 23;
  if (!isHour || Number(minute) > 59 || Number(second ?? 0) > 59) return undefined;
  return { separator, hasHalfDay, zone: zone ?? '' };
}

function isSameForm(one: Parsed, other: Parsed): boolean {
  const sameNames =
    one.monthName === other.monthName || one.monthName === 'either' || other.monthName === 'either';
  return (
    one.family === other.family &&
    one.separator === other.separator &&
    one.yearDigits === other.yearDigits &&
    one.hasComma === other.hasComma &&
    sameNames &&
    (one.time?.hasHalfDay ?? false) === (other.time?.hasHalfDay ?? false)
  );
}

function possibleOrders(parsed: readonly Parsed[]): DayOrder[] {
  const fits = (dayOf: (one: Parsed) => number, monthOf: (one: Parsed) => number): boolean =>
    parsed.every((one) => isDay(2000, monthOf(one), dayOf(one)));
  const orders: DayOrder[] = [];
  if (
    fits(
      ({ first }) => first,
      ({ second }) => second,
    )
  )
    orders.push('day-first');
  if (
    fits(
      ({ second }) => second,
      ({ first }) => first,
    )
  )
    orders.push('month-first');
  return orders;
}

/** Slashes are most often the American order, points and hyphens never are. */
function chooseOrder(orders: readonly DayOrder[], separator: string, preferred: DayOrder | null): DayOrder {
  if (orders.length === 1) return orders[0]!;
  return preferred ?? (separator === '/' ? 'month-first' : 'day-first');
}

function dateFormatOf(parsed: readonly Parsed[], order: DayOrder | null): string {
  const { family, separator, yearDigits, hasComma } = parsed[0]!;
  const year = yearDigits === 2 ? '%y' : '%Y';
  const name = parsed.some(({ monthName }) => monthName === 'long') ? '%B' : '%b';
  switch (family) {
    case 'year-first':
      return ['%Y', '%m', '%d'].join(separator);
    case 'year-month':
      return '%Y-%m';
    case 'numeric':
      return (order === 'day-first' ? ['%d', '%m', year] : ['%m', '%d', year]).join(separator);
    case 'day-name':
      return ['%d', name, year].join(separator);
    case 'name-day':
      return `${name} %d${hasComma ? ',' : ''} ${year}`;
    default:
      return family satisfies never;
  }
}

/** Every time form that may follow the date, beyond the ones seen: later rows may have fractions or none. */
function formatsOf(dateFormat: string, times: readonly Time[], count: number): string[] {
  if (times.length === 0) return [dateFormat];
  const clocks = times[0]!.hasHalfDay ? ['%I:%M:%S %p', '%I:%M %p'] : ['%H:%M:%S', '%H:%M:%S.%f', '%H:%M'];
  const separators = [...new Set(times.map(({ separator }) => separator))];
  const zones = [...new Set(['', ...times.map(({ zone }) => zone.replace(/[+-].*/, '%z'))])];
  const formats = separators.flatMap((separator) =>
    zones.flatMap((zone) => clocks.map((clock) => `${dateFormat}${separator}${clock}${zone}`)),
  );
  return times.length < count ? [...formats, dateFormat] : formats;
}

function monthNameForm(name: string): Parsed['monthName'] {
  const lower = name.toLowerCase();
  if (lower === 'may') return 'either';
  if (monthNames.includes(lower)) return 'long';
  return monthNames.some((month) => month.slice(0, 3) === lower) ? 'short' : null;
}

function isMonth(month: number): boolean {
  return month >= 1 && month <= 12;
}

/** Whether the month of that year has the day. */
function isDay(year: number, month: number, day: number): boolean {
  return isMonth(month) && day >= 1 && day <= new Date(Date.UTC(year, month, 0)).getUTCDate();
}
