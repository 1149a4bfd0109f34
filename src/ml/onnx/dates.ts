// The features of dates (frame/date-features.ts) as nodes of a graph. There are no dates in ONNX: a moment goes in as
// milliseconds since 1970, and its calendar parts are whole-number arithmetic on doubles, exact for the years that
// calendars here can name. Years begin in March while days are counted, so that the leap day comes last.
import { arithmeticOf, sineNode } from './arithmetic.ts';
import { epochMs, type DatePart, type EpochUnit } from '../frame/date-features.ts';
import type { Graph } from './graph.ts';

const dayMs = 86_400_000;
/** The moments that a Date holds: so many milliseconds on both sides of 1970. */
const largestMs = 8.64e15;

/** A moment as doubles, one a row. */
export interface Moment {
  /** Days since 1970 with their fraction, and without. */
  epochDays: string;
  wholeDays: string;
  /** Milliseconds since the day began. */
  dayMs: string;
}

/** The moment that the numbers of `input` count; NaN where they are missing or too far away. */
export function momentOf(graph: Graph, input: string, unit: EpochUnit | undefined): Moment {
  const { subtract, multiply, divide, floor } = arithmeticOf(graph);
  const scaled = unit === undefined ? input : multiply(input, epochMs(1, unit));
  const size = graph.node('Abs', [scaled]);
  const whole = multiply(graph.node('Sign', [scaled]), floor(size));
  const isFar = graph.node('Greater', [size, graph.scalar(largestMs)]);
  const ms = graph.node('Where', [isFar, graph.scalar(NaN), whole]);
  const epochDays = divide(ms, dayMs);
  const wholeDays = floor(epochDays);
  return { epochDays, wholeDays, dayMs: subtract(ms, multiply(wholeDays, dayMs)) };
}

/** One part of a moment, as {@link datePart} of date-features.ts says it. */
export function datePartNode(graph: Graph, moment: Moment, part: DatePart): string {
  const { add, subtract, divide, floor, remainder } = arithmeticOf(graph);
  const weekday = (): string => remainder(add(moment.wholeDays, 4), 7);
  const dayShare = (): string => divide(floor(divide(moment.dayMs, 60_000)), 1440);
  const yearShare = (): string => divide(add(yearDay(graph, moment.wholeDays), dayShare()), 365.25);
  switch (part) {
    case 'epochDays':
      return moment.epochDays;
    case 'year':
    case 'month':
    case 'day':
      return calendar(graph, moment.wholeDays)[part];
    case 'weekday':
      return weekday();
    case 'hour':
      return floor(divide(moment.dayMs, 3_600_000));
    case 'yearDay':
      return add(yearDay(graph, moment.wholeDays), 1);
    case 'isWeekend':
      // Sunday is 0, Saturday 6: three days from Wednesday, and no other day is.
      return floor(divide(graph.node('Abs', [subtract(weekday(), 3)]), 3));
    case 'isMonthEnd':
      return floor(divide(1, calendar(graph, add(moment.wholeDays, 1)).day));
    case 'yearSine':
      return sineNode(graph, yearShare());
    case 'yearCosine':
      return sineNode(graph, add(yearShare(), 0.25));
    case 'weekSine':
      return sineNode(graph, divide(weekday(), 7));
    case 'weekCosine':
      return sineNode(graph, add(divide(weekday(), 7), 0.25));
    case 'daySine':
      return sineNode(graph, dayShare());
    case 'dayCosine':
      return sineNode(graph, add(dayShare(), 0.25));
    default:
      return part satisfies never;
  }
}

/** The Gregorian date of days since 1970. Of 400 years, which all have the same days, every fourth is longer, and so on. */
function calendar(graph: Graph, days: string): { year: string; month: string; day: string } {
  const { add, subtract, multiply, divide, floor } = arithmeticOf(graph);
  const since = add(days, 719_468);
  const era = floor(divide(since, 146_097));
  const eraDay = subtract(since, multiply(era, 146_097));
  const withoutLeapDays = subtract(
    add(subtract(eraDay, floor(divide(eraDay, 1460))), floor(divide(eraDay, 36_524))),
    floor(divide(eraDay, 146_096)),
  );
  const eraYear = floor(divide(withoutLeapDays, 365));
  const leapDays = subtract(floor(divide(eraYear, 4)), floor(divide(eraYear, 100)));
  const marchDay = subtract(eraDay, add(multiply(eraYear, 365), leapDays));
  const marchMonth = floor(divide(add(multiply(marchDay, 5), 2), 153));
  const monthStart = floor(divide(add(multiply(marchMonth, 153), 2), 5));
  const isNextYear = floor(divide(add(marchMonth, 2), 12));
  return {
    year: add(add(eraYear, multiply(era, 400)), isNextYear),
    month: subtract(add(marchMonth, 3), multiply(isNextYear, 12)),
    day: add(subtract(marchDay, monthStart), 1),
  };
}

/** Whole days since the year began. */
function yearDay(graph: Graph, days: string): string {
  const { add, subtract, multiply, divide, floor } = arithmeticOf(graph);
  const before = subtract(calendar(graph, days).year, 1);
  const leapDays = add(
    subtract(floor(divide(before, 4)), floor(divide(before, 100))),
    floor(divide(before, 400)),
  );
  const yearStart = subtract(add(multiply(before, 365), leapDays), 719_162);
  return subtract(days, yearStart);
}
