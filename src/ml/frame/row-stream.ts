// Rows that are too many to be in memory at once: they come in batches, as often as they are asked for, as numbers. Not a
// frame: no texts, and of categories only the codes.
import { assert } from '../../base/assert.ts';
import { datePart, epochMs } from './date-features.ts';
import { featuresOf, widthOf, type Encoding } from './encoding.ts';

/** A column that a stream is asked for. */
export interface StreamColumn {
  name: string;
  /** Of texts: a value is its place in here, or the number of these when it is none of them. */
  categories?: readonly string[];
}

export interface RowBatch {
  /** A number from 0 up to 1 for each row, random but the same each time the row is read: it says what a row is for. */
  draws: Float64Array;
  /** As they were asked for; NaN is missing. Truth values are 0 and 1, dates milliseconds since 1970. */
  columns: readonly Float64Array[];
}

/** The same rows in the same order, each time. */
export interface RowStream {
  rowCount: number;
  /** What a batch holds is good until the next is asked for. */
  batches: (columns: readonly StreamColumn[]) => AsyncIterable<RowBatch>;
}

/** Rows whose draws are at least `from` and below `to`. */
export interface Draws {
  from: number;
  to: number;
}

/** A feature that is made of a stream: its place in the encoded row, and how many codes it has if it is a category. */
export interface StreamFeature {
  feature: number;
  kind: 'number' | 'category';
  levelCount: number;
}

export interface StreamEncoder {
  /** What to ask the stream for. */
  columns: StreamColumn[];
  features: StreamFeature[];
  /** The features of a batch, from the columns asked for; good until the next call. */
  encode: (columns: readonly Float64Array[]) => Float64Array[];
  /** Columns of texts, of which a stream makes nothing. */
  leftOut: string[];
}

/**
 * Makes features of a stream as encodeFrame makes them of a frame: those that trees see, but nothing of texts, and no
 * means of the target.
 */
export function streamEncoder(encoding: Encoding): StreamEncoder {
  const all = featuresOf(encoding);
  const columns: StreamColumn[] = [];
  const features: StreamFeature[] = [];
  const makers: Maker[] = [];
  const dayMakers = new Map<string, Maker>();
  const leftOut: string[] = [];
  const add = (feature: number, make: Maker): void => {
    const { kind, levelCount } = all[feature]!;
    features.push({ feature, kind, levelCount });
    makers.push(make);
  };
  let start = 0;
  for (const entry of encoding) {
    const place = columns.length;
    switch (entry.kind) {
      case 'number':
        columns.push({ name: entry.column });
        add(start, (batch) => batch[place]!);
        break;
      case 'category':
        columns.push({ name: entry.column, categories: entry.categories });
        add(start, (batch) => batch[place]!);
        break;
      case 'date': {
        columns.push({ name: entry.column });
        entry.parts.forEach((part, index) => {
          const make = mapped(place, (value) => datePart(new Date(epochMs(value, entry.unit)), part));
          if (part === 'epochDays') dayMakers.set(entry.column, make);
          if (!all[start + index]!.isForScales) add(start + index, make);
        });
        break;
      }
      case 'difference':
        add(start, difference(dayMakers.get(entry.column)!, dayMakers.get(entry.from)!));
        break;
      case 'text':
        leftOut.push(entry.column);
        break;
      default:
        entry satisfies never;
    }
    start += widthOf(entry);
  }
  return { columns, features, encode: (batch) => makers.map((make) => make(batch)), leftOut };
}

type Maker = (batch: readonly Float64Array[]) => Float64Array;

/** A function of each value, written over what it wrote for the batch before. */
function mapped(place: number, of: (value: number) => number): Maker {
  let out = new Float64Array(0);
  return (batch) => {
    const values = batch[place]!;
    if (out.length < values.length) out = new Float64Array(values.length);
    for (let row = 0; row < values.length; row++) out[row] = of(values[row]!);
    return out.subarray(0, values.length);
  };
}

function difference(later: Maker, earlier: Maker): Maker {
  let out = new Float64Array(0);
  return (batch) => {
    const to = later(batch);
    const from = earlier(batch);
    assert(to.length === from.length, 'the columns of a batch are equally long');
    if (out.length < to.length) out = new Float64Array(to.length);
    for (let row = 0; row < to.length; row++) out[row] = to[row]! - from[row]!;
    return out.subarray(0, to.length);
  };
}
