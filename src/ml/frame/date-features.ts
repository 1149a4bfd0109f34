// A moment as numbers: calendar parts in UTC, whatever the machine's own zone. None of them knows today's date: a model
// that is asked next year is asked about the same numbers. Sines and cosines lay years, weeks and days in circles, for
// learners that weigh numbers (31 December lies beside 1 January); trees do without.
import { sine } from '../model/arithmetic.ts';

export const dateParts = [
  'epochDays',
  'year',
  'month',
  'day',
  'weekday',
  'hour',
  'yearDay',
  'isWeekend',
  'isMonthEnd',
  'yearSine',
  'yearCosine',
  'weekSine',
  'weekCosine',
  'daySine',
  'dayCosine',
] as const;
export type DatePart = (typeof dateParts)[number];

/** What numbers count, where moments are written as numbers since 1970. */
export const epochUnits = ['seconds', 'milliseconds'] as const;
export type EpochUnit = (typeof epochUnits)[number];

const dayMs = 86_400_000;

/** Whether only learners that weigh numbers need this part. */
export function isCyclic(part: DatePart): boolean {
  return part.endsWith('ine');
}

/** Milliseconds since 1970 of a number in `unit`. */
export function epochMs(value: number, unit: EpochUnit | undefined): number {
  return unit === 'seconds' ? value * 1000 : value;
}

/** One part of a moment; NaN of a missing one, or one beyond what calendars here can name (the year 275760). */
export function datePart(date: Date, part: DatePart): number {
  switch (part) {
    case 'epochDays':
      return date.getTime() / dayMs;
    case 'year':
      return date.getUTCFullYear();
    case 'month':
      return date.getUTCMonth() + 1;
    case 'day':
      return date.getUTCDate();
    case 'weekday':
      return date.getUTCDay();
    case 'hour':
      return date.getUTCHours();
    case 'yearDay':
      return Math.floor(yearDay(date)) + 1;
    case 'isWeekend':
      return isPresent(date) ? Number(date.getUTCDay() % 6 === 0) : NaN;
    case 'isMonthEnd':
      return isPresent(date) ? Number(new Date(date.getTime() + dayMs).getUTCDate() === 1) : NaN;
    case 'yearSine':
      return sine(yearDay(date) / 365.25);
    case 'yearCosine':
      return sine(yearDay(date) / 365.25 + 0.25);
    case 'weekSine':
      return sine(date.getUTCDay() / 7);
    case 'weekCosine':
      return sine(date.getUTCDay() / 7 + 0.25);
    case 'daySine':
      return sine(dayShare(date));
    case 'dayCosine':
      return sine(dayShare(date) + 0.25);
    default:
      return part satisfies never;
  }
}

const daysBeforeMonth = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];

/** Days since the year began, with their fraction. */
function yearDay(date: Date): number {
  const year = date.getUTCFullYear();
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const leapDay = isLeap && date.getUTCMonth() > 1 ? 1 : 0;
  return (daysBeforeMonth[date.getUTCMonth()] ?? NaN) + leapDay + date.getUTCDate() - 1 + dayShare(date);
}

function dayShare(date: Date): number {
  return (date.getUTCHours() * 60 + date.getUTCMinutes()) / 1440;
}

function isPresent(date: Date): boolean {
  return !Number.isNaN(date.getTime());
}
