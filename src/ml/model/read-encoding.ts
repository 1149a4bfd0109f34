// How columns become features, out of a model file: every entry fits its column, every table is as long as it must be,
// every number finite, and all features together are no more than row models can name.
import type { CategoryStatistics, FoldMeans } from '../frame/category-statistics.ts';
import { dateParts, epochUnits } from '../frame/date-features.ts';
import { widthOf, type ColumnEncoding } from '../frame/encoding.ts';
import type { ColumnKind, ColumnSchema } from '../frame/schema.ts';
import type { TermList } from '../frame/text-features.ts';
import { countAt, demand, listAt, numberAt, objectAt, textAt, wordAt, type Fields } from './checks.ts';

const maximumEntries = 40_000;
const maximumCategories = 253;
const maximumFeatures = 65_535;
/** Of one kind in one column. */
const maximumTerms = 4096;
const maximumStatistics = 100_000;
const maximumFolds = 200;

const entryKinds = ['number', 'category', 'date', 'difference', 'text'] as const;
const columnKindsOf: Readonly<Record<ColumnEncoding['kind'], readonly ColumnKind[]>> = {
  number: ['numeric', 'boolean'],
  category: ['categorical'],
  date: ['date', 'numeric'],
  difference: ['date', 'numeric'],
  text: ['text'],
};

/** @throws Problem `model-file-invalid` naming the place */
export function readEncoding(value: unknown, schema: readonly ColumnSchema[]): ColumnEncoding[] {
  const kinds = new Map(schema.map((column) => [column.name, column.kind]));
  demand(kinds.size === schema.length, 'schema names a column twice');
  const encoded = new Map<string, ColumnEncoding['kind']>();
  let featureCount = 0;
  const encoding = listAt(value, 'encoding', maximumEntries, (item, place) => {
    const fields = objectAt(item, place);
    const column = textAt(fields['column'], `${place}.column`);
    const kind = wordAt(fields['kind'], `${place}.kind`, entryKinds);
    const columnKind = kinds.get(column);
    demand(
      columnKind !== undefined && columnKindsOf[kind].includes(columnKind),
      `${place} does not fit the column "${column}"`,
    );
    const entry = readEntry(fields, place, { kind, column, columnKind });
    if (entry.kind === 'difference')
      for (const name of [entry.column, entry.from])
        demand(encoded.get(name) === 'date', `${place}: "${name}" has no date entry before`);
    else {
      demand(!encoded.has(column), `${place}: "${column}" is encoded twice`);
      encoded.set(column, kind);
    }
    featureCount += widthOf(entry);
    demand(featureCount <= maximumFeatures, 'encoding makes too many features');
    return entry;
  });
  demand(encoded.size === schema.length, 'encoding and schema have different columns');
  return encoding;
}

interface Known {
  kind: ColumnEncoding['kind'];
  column: string;
  columnKind: ColumnKind;
}

function readEntry(fields: Fields, place: string, { kind, column, columnKind }: Known): ColumnEncoding {
  switch (kind) {
    case 'number': {
      if (fields['logScale'] === undefined) return { kind, column };
      const logScale = numberAt(fields['logScale'], `${place}.logScale`);
      demand(logScale > 0, `${place}.logScale is not above 0`);
      return { kind, column, logScale };
    }
    case 'category': {
      const categories = distinctAt(fields['categories'], `${place}.categories`, maximumCategories);
      if (fields['statistics'] === undefined) return { kind, column, categories };
      return {
        kind,
        column,
        categories,
        statistics: readStatistics(fields['statistics'], `${place}.statistics`),
      };
    }
    case 'date':
      return readDate(fields, place, { column, columnKind });
    case 'difference':
      return { kind, column, from: textAt(fields['from'], `${place}.from`) };
    case 'text': {
      const list = (name: string): TermList => readTerms(fields[name], `${place}.${name}`);
      return { kind, column, words: list('words'), pairs: list('pairs'), grams: list('grams') };
    }
    default:
      return kind satisfies never;
  }
}

/** Days come first: differences read them there. Numbers have a unit, dates are milliseconds. */
function readDate(
  fields: Fields,
  place: string,
  { column, columnKind }: Omit<Known, 'kind'>,
): Extract<ColumnEncoding, { kind: 'date' }> {
  const parts = listAt(fields['parts'], `${place}.parts`, dateParts.length, (item, at) =>
    wordAt(item, at, dateParts),
  );
  demand(parts[0] === 'epochDays', `${place}.parts does not begin with epochDays`);
  const unit = fields['unit'] === undefined ? undefined : wordAt(fields['unit'], `${place}.unit`, epochUnits);
  demand((unit !== undefined) === (columnKind === 'numeric'), `${place}.unit does not fit the column`);
  return { kind: 'date', column, parts, ...(unit && { unit }) };
}

function readStatistics(value: unknown, place: string): CategoryStatistics {
  const fields = objectAt(value, place);
  const categories = distinctAt(fields['categories'], `${place}.categories`, maximumStatistics);
  const numbers = (item: unknown, at: string): number[] => {
    const list = listAt(item, at, maximumStatistics, numberAt);
    demand(list.length === categories.length, `${at} does not fit the categories`);
    return list;
  };
  const of = listAt(fields['of'], `${place}.of`, maximumFolds, textAt);
  const readFold = (item: unknown, at: string): FoldMeans[] => {
    const means = listAt(item, at, maximumFolds, (one, where) => {
      const parts = objectAt(one, where);
      return {
        prior: numberAt(parts['prior'], `${where}.prior`),
        means: numbers(parts['means'], `${where}.means`),
      };
    });
    demand(means.length === of.length, `${at} does not fit what the means are of`);
    return means;
  };
  return {
    categories,
    shares: numbers(fields['shares'], `${place}.shares`),
    of,
    folds: listAt(fields['folds'], `${place}.folds`, maximumFolds, readFold),
  };
}

function readTerms(value: unknown, place: string): TermList {
  const fields = objectAt(value, place);
  const hashes = listAt(fields['hashes'], `${place}.hashes`, maximumTerms, countAt);
  const weights = listAt(fields['weights'], `${place}.weights`, maximumTerms, numberAt);
  demand(
    weights.length === hashes.length &&
      weights.every((weight) => weight > 0) &&
      hashes.every((hash) => hash < 2 ** 32),
    `${place}.weights do not fit the terms`,
  );
  demand(new Set(hashes).size === hashes.length, `${place}.hashes has a term twice`);
  return { hashes, weights };
}

function distinctAt(value: unknown, place: string, most: number): string[] {
  const items = listAt(value, place, most, textAt);
  demand(new Set(items).size === items.length, `${place} has a value twice`);
  return items;
}
