// What was made of each column of a model, in words for people.
import type { ColumnEncoding } from '../frame/encoding.ts';
import type { DatePart } from '../frame/date-features.ts';
import { termKinds } from '../frame/text-terms.ts';
import type { ModelManifest } from './manifest.ts';

const partWords: Readonly<Partial<Record<DatePart, string>>> = {
  epochDays: 'day count',
  year: 'year',
  month: 'month',
  day: 'day of the month',
  weekday: 'weekday',
  hour: 'hour',
  yearDay: 'day of the year',
  isWeekend: 'weekend',
  isMonthEnd: 'end of the month',
};

/** One or two sentences for each column of the schema, by its name. */
export function handlingByColumn({
  encoding,
  schema,
}: Pick<ModelManifest, 'encoding' | 'schema'>): Map<string, string> {
  const isBoolean = new Set(schema.filter(({ kind }) => kind === 'boolean').map(({ name }) => name));
  const words = new Map<string, string>();
  for (const entry of encoding) {
    const before = words.get(entry.column);
    const own =
      entry.kind === 'number' && isBoolean.has(entry.column)
        ? 'True or false; may be missing.'
        : wordsOf(entry);
    words.set(entry.column, before === undefined ? own : `${before} ${own}`);
  }
  return words;
}

function wordsOf(entry: ColumnEncoding): string {
  switch (entry.kind) {
    case 'number':
      return entry.logScale === undefined
        ? 'Any number; may be missing.'
        : 'Any number; may be missing. Leans to one side: its logarithm is used too.';
    case 'category': {
      const { categories, statistics } = entry;
      if (!statistics)
        return `One of ${categories.length} known values; any other counts as "other", a missing one as missing.`;
      const means =
        statistics.of.length > 1 ? 'share of each class' : `mean of ${statistics.of[0] ?? 'the target'}`;
      return `${statistics.categories.length} categories: the share of rows and the ${means} in each, and the ${categories.length} most frequent by name; any other counts as "other", a missing one as missing.`;
    }
    case 'date': {
      const parts = entry.parts.flatMap((part) => partWords[part] ?? []).join(', ');
      const read = entry.unit ? `Read as ${entry.unit} since 1970` : 'Read as a moment';
      return `${read} in UTC and split into ${parts}; may be missing.`;
    }
    case 'difference':
      return `Also the days since ${entry.from}.`;
    case 'text': {
      const [words, pairs, grams] = termKinds.map((kind) => entry[kind].hashes.length);
      return `Weighs the ${words} most frequent words, ${pairs} pairs of words and ${grams} parts of words by how rare they are, and looks at length, digits and capitals; a missing text is told apart from an empty one.`;
    }
    default:
      return entry satisfies never;
  }
}
