// What columns become (frame/encoding.ts) as nodes of a graph: one value for each feature that a model asks for, and an
// input for each column that those are made of. Missing numbers are NaN; a missing category is the empty text, and a
// code of its own behind all others, because runtimes disagree about NaN in sets.
import { assert } from '../../base/assert.ts';
import { Problem } from '../../base/problems.ts';
import type { CategoryStatistics } from '../frame/category-statistics.ts';
import { valueEncoders, type ColumnEncoding, type Encoding } from '../frame/encoding.ts';
import type { ColumnKind, ColumnSchema } from '../frame/schema.ts';
import { arithmeticOf, logNode } from './arithmetic.ts';
import { datePartNode, momentOf, type Moment } from './dates.ts';
import type { Graph } from './graph.ts';

/** The features of an encoding, made when they are asked for, and each only once. */
export interface Features {
  /** The feature as doubles, one a row (shape rows x 1); a category is its code. @throws Problem `export-unsupported` */
  value: (feature: number) => string;
  /** Several features side by side (shape rows x features). @throws Problem `export-unsupported` */
  matrix: (features: ArrayLike<number>) => string;
  isCategory: (feature: number) => boolean;
  /** A category's code as a list of whole numbers (shape rows). */
  code: (feature: number) => string;
  /** The code of a missing category: the last one. */
  missingCode: (feature: number) => number;
  /** An input whatever is asked for, so that a model that looks at no column knows how many rows there are. */
  anyInput: () => string;
}

type CategoryEncoding = Extract<ColumnEncoding, { kind: 'category' }>;

/** Where a feature comes from: its entry, and its place among the entry's features. */
interface Origin {
  entry: ColumnEncoding;
  place: number;
}

/** The features that `encoding` makes of columns of these kinds. Nothing is added to the graph until it is asked for. */
export function featuresFor(graph: Graph, encoding: Encoding, schema: readonly ColumnSchema[]): Features {
  const origins = valueEncoders(encoding).flatMap(({ width }, index) =>
    Array.from({ length: width }, (_, place): Origin => ({ entry: encoding[index]!, place })),
  );
  const kinds = new Map(schema.map(({ name, kind }) => [name, kind]));
  const moments = new Map<string, Moment>();
  const once = remembered();

  const input = (column: string): string => inputFor(graph, column, kinds.get(column));
  const moment = (column: string): Moment => {
    const known = moments.get(column);
    if (known) return known;
    const entry = encoding.find(({ kind, column: name }) => kind === 'date' && name === column);
    assert(entry?.kind === 'date', `column "${column}" has no date entry`);
    const made = momentOf(graph, input(column), entry.unit);
    moments.set(column, made);
    return made;
  };
  const codes = (entry: CategoryEncoding): string =>
    once(`codes of ${entry.column}`, () => placeAmong(graph, input(entry.column), entry.categories));
  const places = ({ column, statistics }: CategoryEncoding): string =>
    once(`places of ${column}`, () => placeAmong(graph, input(column), statistics!.categories));

  const category = (feature: number): CategoryEncoding => {
    const entry = origins[feature]?.entry;
    assert(entry?.kind === 'category', `feature ${feature} is no category`);
    return entry;
  };

  const make = ({ entry, place }: Origin): string => {
    switch (entry.kind) {
      case 'number':
        return place === 0 ? input(entry.column) : signedLogNode(graph, input(entry.column), entry.logScale!);
      case 'category':
        return place === 0
          ? graph.node('Cast', [codes(entry)], { to: 11 })
          : graph.node('Gather', [statisticTable(graph, entry.statistics!, place - 1), places(entry)]);
      case 'date':
        return datePartNode(graph, moment(entry.column), entry.parts[place]!);
      case 'difference':
        return graph.node('Sub', [moment(entry.column).epochDays, moment(entry.from).epochDays]);
      case 'text':
        throw new Problem(
          'export-unsupported',
          `The model reads the text column "${entry.column}": ONNX has no way to take texts apart into words as the model does. Train without the column, or with it as a category.`,
        );
      default:
        return entry satisfies never;
    }
  };
  const value = (feature: number): string =>
    once(`feature ${feature}`, () => {
      const origin = origins[feature];
      assert(origin, `there is no feature ${feature}`);
      return make(origin);
    });
  return {
    value,
    matrix: (features) => {
      const list = Array.from(features);
      return once(`matrix ${list.join(' ')}`, () => graph.node('Concat', list.map(value), { axis: 1 }));
    },
    isCategory: (feature) => origins[feature]!.entry.kind === 'category' && origins[feature]!.place === 0,
    code: (feature) => {
      const entry = category(feature);
      return once(`code list of ${entry.column}`, () =>
        graph.node('Squeeze', [codes(entry), graph.integers([1])]),
      );
    },
    missingCode: (feature) => category(feature).categories.length + 1,
    anyInput: () => input(schema[0]!.name),
  };
}

function inputFor(graph: Graph, column: string, kind: ColumnKind | undefined): string {
  if (column === '')
    throw new Problem(
      'export-unsupported',
      'The model reads a column whose name is empty, and inputs of ONNX have names. Name the column, then train again.',
    );
  if (kind === 'categorical' || kind === 'text')
    return graph.input(column, 'string', 'a text; empty where it is missing');
  return graph.input(column, 'double', numberDescriptions[kind ?? 'numeric']);
}

const numberDescriptions = {
  numeric: 'a number; NaN where it is missing',
  boolean: '1 for true, 0 for false; NaN where it is missing',
  date: 'milliseconds since 1970, UTC; NaN where it is missing',
};

function remembered(): (key: string, make: () => string) => string {
  const known = new Map<string, string>();
  return (key, make) => {
    const value = known.get(key) ?? make();
    known.set(key, value);
    return value;
  };
}

/** The place of each text in the list, its length for others, and one more for the empty text: a missing value. */
function placeAmong(graph: Graph, texts: string, list: readonly string[]): string {
  const hasEmpty = list.includes('');
  const keys = hasEmpty ? list : [...list, ''];
  const places = list.map((_, index) => index);
  return graph.node('LabelEncoder', [texts], {
    keys_strings: keys,
    values_int64s: Int32Array.from(hasEmpty ? places : [...places, list.length + 1]),
    default_int64: list.length,
  });
}

/** One statistic (the share of rows, then the means) of each listed category, of others, and of a missing one. */
function statisticTable(graph: Graph, { shares, folds }: CategoryStatistics, statistic: number): string {
  if (statistic === 0) return graph.doubles([...shares, 0, NaN], [shares.length + 2]);
  const { means, prior } = folds.flat()[statistic - 1]!;
  return graph.doubles([...means, prior, NaN], [means.length + 2]);
}

/** sign(x) log(1 + |x| / scale): `signedLog` of frame/encoding.ts. */
function signedLogNode(graph: Graph, value: string, scale: number): string {
  const { add, subtract, divide, whereGreater, whereMissing } = arithmeticOf(graph);
  const present = whereMissing(value, 0, value);
  const share = graph.node('Min', [divide(graph.node('Abs', [present]), scale), graph.scalar(1e300)]);
  const size = logNode(graph, add(1, share));
  return whereMissing(value, NaN, whereGreater(0, present, subtract(0, size), size));
}
