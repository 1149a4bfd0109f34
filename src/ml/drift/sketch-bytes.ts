// Sketches as bytes, for keeping and sending: little-endian, numbers as float32 where that loses nothing, counts as
// variable-length integers. A version byte comes first; bytes of another version, or cut off, are no sketch.
import {
  columnSketch,
  emptySpread,
  runLength,
  sketchKinds,
  type ColumnSketch,
  type Spread,
} from './column-sketch.ts';
import { registerCount } from './distinct-count.ts';
import { cellCount, exactFrequent, mostNamed, type FrequentValues } from './frequent-values.ts';
import { dimensions } from './term-mean.ts';

const version = 1;

/** The sketches of columns by name, as bytes. */
export function writeSketches(sketches: ReadonlyMap<string, ColumnSketch>): Uint8Array<ArrayBuffer> {
  const bytes = new Writer();
  bytes.byte(version);
  bytes.count(sketches.size);
  for (const [name, sketch] of sketches) {
    bytes.text(name);
    bytes.byte(sketchKinds.indexOf(sketch.kind));
    for (const count of [sketch.rowCount, sketch.missingCount, sketch.invalidCount]) bytes.count(count);
    bytes.sparse(sketch.distinct);
    if (sketch.kind === 'number') writeSpread(bytes, sketch.spread);
    else if (sketch.kind === 'category') writeFrequent(bytes, sketch.values);
    else {
      writeSpread(bytes, sketch.lengths);
      bytes.count(sketch.terms.count);
      bytes.numbers(Float64Array.from(sketch.terms.sums, Math.fround));
    }
  }
  return bytes.taken();
}

/** The sketches that {@link writeSketches} wrote; undefined where the bytes are not of this version. */
export function readSketches(bytes: Uint8Array): Map<string, ColumnSketch> | undefined {
  try {
    const reader = new Reader(bytes);
    if (reader.byte() !== version) return undefined;
    const sketches = new Map<string, ColumnSketch>();
    for (let left = reader.count(); left > 0; left--) sketches.set(reader.text(), readSketch(reader));
    return sketches;
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function readSketch(reader: Reader): ColumnSketch {
  const kind = sketchKinds[reader.byte()];
  if (kind === undefined) throw new RangeError('no kind of sketch');
  const sketch: ColumnSketch = columnSketch(kind);
  sketch.rowCount = reader.count();
  sketch.missingCount = reader.count();
  sketch.invalidCount = reader.count();
  reader.sparse(sketch.distinct);
  if (sketch.kind === 'number') return { ...sketch, spread: readSpread(reader) };
  if (sketch.kind === 'category') return { ...sketch, values: readFrequent(reader) };
  const lengths = readSpread(reader);
  const count = reader.count();
  return { ...sketch, lengths, terms: { count, sums: reader.numbers(dimensions) } };
}

function writeSpread(bytes: Writer, { moments, quantiles }: Spread): void {
  const { count, mean, squares, minimum, maximum } = moments;
  bytes.numbers(Float64Array.of(count, mean, squares, minimum, maximum));
  const runs = quantiles.runs();
  bytes.count(quantiles.count);
  bytes.count(runs.length);
  for (const { values, weight } of runs) {
    bytes.byte(Math.log2(weight));
    bytes.numbers(values);
  }
}

function readSpread(reader: Reader): Spread {
  const [count, mean, squares, minimum, maximum] = reader.numbers(5);
  const moments = { count: count!, mean: mean!, squares: squares!, minimum: minimum!, maximum: maximum! };
  const { quantiles } = emptySpread();
  const numberCount = reader.count();
  const runs = Array.from({ length: reader.count() }, () => {
    const weight = 2 ** reader.byte();
    const values = reader.numbers();
    const fits = weight === 1 ? values.length < runLength : values.length === runLength / 2;
    if (!fits) throw new RangeError('no run of this length');
    return { weight, values };
  });
  quantiles.merge({ ...emptySpread().quantiles, count: numberCount, runs: () => runs });
  return { moments, quantiles };
}

function writeFrequent(bytes: Writer, { total, isOverfull, named, cells }: FrequentValues): void {
  bytes.byte(isOverfull ? 1 : 0);
  bytes.count(total);
  bytes.count(named.size);
  for (const [name, count] of named) {
    bytes.text(name);
    bytes.count(count);
  }
  // The cells of values that are all known follow from these.
  if (isOverfull) for (const cell of cells) bytes.count(cell);
}

function readFrequent(reader: Reader): FrequentValues {
  const isOverfull = reader.byte() === 1;
  const total = reader.count();
  const size = reader.count();
  if (size > mostNamed) throw new RangeError('too many values');
  const named = Array.from({ length: size }, () => [reader.text(), reader.count()] as const);
  if (!isOverfull) return exactFrequent(named);
  const cells = Float64Array.from({ length: cellCount }, () => reader.count());
  return { total, isOverfull, named: new Map(named), cells };
}

class Writer {
  #bytes = new Uint8Array(65_536);
  #length = 0;

  byte(value: number): void {
    this.#room(1);
    this.#bytes[this.#length++] = value;
  }

  /** A whole number from 0 to 2^53: seven bits in each byte, the lowest first. */
  count(value: number): void {
    let rest = value;
    for (; rest >= 128; rest = Math.floor(rest / 128)) this.byte((rest % 128) | 128);
    this.byte(rest);
  }

  text(value: string): void {
    this.#put(new TextEncoder().encode(value));
  }

  /** How many, how wide, and the numbers. */
  numbers(values: Float64Array): void {
    const isNarrow = values.every((value) => Object.is(Math.fround(value), value));
    this.byte(isNarrow ? 4 : 8);
    const wide = isNarrow ? Float32Array.from(values) : values;
    this.#put(new Uint8Array(wide.buffer, wide.byteOffset, wide.byteLength));
  }

  /** Registers of which most are 0, or all of them. */
  sparse(registers: Uint8Array): void {
    const filled = [...registers.entries()].filter(([, value]) => value > 0);
    const isSparse = filled.length * 2 < registers.length;
    this.count(isSparse ? filled.length : registers.length);
    let before = -1;
    for (const [index, value] of isSparse ? filled : registers.entries()) {
      if (isSparse) this.count(index - before);
      this.byte(value);
      before = index;
    }
  }

  taken(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#length);
  }

  #put(part: Uint8Array): void {
    this.count(part.length);
    this.#room(part.length);
    this.#bytes.set(part, this.#length);
    this.#length += part.length;
  }

  #room(byteCount: number): void {
    if (this.#length + byteCount <= this.#bytes.length) return;
    const wider = new Uint8Array(2 * (this.#length + byteCount));
    wider.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = wider;
  }
}

/** Throws RangeError where the bytes end or make no sense. */
class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  byte(): number {
    const value = this.#bytes[this.#at++];
    if (value === undefined) throw new RangeError('the bytes end');
    return value;
  }

  count(): number {
    let value = 0;
    for (let scale = 1; scale < 2 ** 56; scale *= 128) {
      const part = this.byte();
      value += (part & 127) * scale;
      if (part < 128) return value;
    }
    throw new RangeError('no count');
  }

  text(): string {
    return new TextDecoder().decode(this.#take());
  }

  numbers(expected?: number): Float64Array {
    const width = this.byte();
    const part = this.#take();
    if ((width !== 4 && width !== 8) || part.length % width !== 0) throw new RangeError('no numbers');
    // A copy that begins at 0, whatever kind of array the bytes came in.
    const { buffer } = new Uint8Array(part);
    const values = width === 4 ? Float64Array.from(new Float32Array(buffer)) : new Float64Array(buffer);
    if (expected !== undefined && values.length !== expected) throw new RangeError('not as many numbers');
    return values;
  }

  sparse(registers: Uint8Array): void {
    const filled = this.count();
    if (filled > registerCount) throw new RangeError('too many registers');
    const isSparse = filled < registers.length;
    let index = -1;
    for (let left = filled; left > 0; left--) {
      index += isSparse ? this.count() : 1;
      if (index >= registers.length) throw new RangeError('no such register');
      registers[index] = this.byte();
    }
  }

  #take(): Uint8Array {
    const length = this.count();
    if (this.#at + length > this.#bytes.length) throw new RangeError('the bytes end');
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }
}
