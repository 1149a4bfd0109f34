// Counts, histograms and gauges of this process, in the text format that Prometheus reads
// (https://prometheus.io/docs/instrumenting/exposition_formats/, version 0.0.4). A series belongs to a workspace and
// project, whose members alone see it, or to the server, which its operator alone sees.
//
// Adding to a series is a few additions; what is read from elsewhere (gauges) is asked for when somebody looks.
import { assert } from '../../base/assert.ts';

/** Whose a series is. */
export type SeriesOwner = { workspaceId: string; projectId: string } | 'server';

export type Labels = Readonly<Record<string, string>>;

/** Decides which series a reader sees. */
export type Reader = (owner: SeriesOwner) => boolean;

/** One value of a gauge. */
export interface GaugeValue {
  owner: SeriesOwner;
  labels: Labels;
  value: number;
}

/** Upper bounds in seconds: from what a warm model takes to what nobody waits for. */
export const durationBounds = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
] as const;

/** Series of one name beyond this: the one that was used longest ago goes. Labels are never what callers make up. */
const mostSeries = 10_000;

interface Family {
  name: string;
  help: string;
  kind: 'counter' | 'histogram' | 'gauge';
  lines(reader: Reader): Iterable<string>;
}

/** All series of one process. */
export class Metrics {
  readonly #families = new Map<string, Family>();

  /** A count that only grows; `name` ends in `_total`. */
  counter(name: string, help: string): Counter {
    assert(name.endsWith('_total'), `the counter ${name} does not end in _total`);
    return this.#add(new Counter(name, help));
  }

  /** How long things took, in seconds; `name` ends in `_seconds`. */
  histogram(name: string, help: string): Histogram {
    assert(name.endsWith('_seconds'), `the histogram ${name} does not end in _seconds`);
    return this.#add(new Histogram(name, help));
  }

  /** Values that are read when somebody looks. */
  gauge(name: string, help: string, read: () => Iterable<GaugeValue>): void {
    this.#add(new Gauge(name, help, read));
  }

  /** The text for `reader`. */
  text(reader: Reader): string {
    let text = '';
    for (const family of this.#families.values()) {
      const lines = [...family.lines(reader)];
      if (lines.length === 0) continue;
      text += `# HELP ${family.name} ${family.help}\n# TYPE ${family.name} ${family.kind}\n${lines.join('\n')}\n`;
    }
    return text;
  }

  /** The family of this name that is there, or `made`: who asks again adds to the same series. */
  #add<Made extends Family>(made: Made): Made {
    const known = this.#families.get(made.name);
    assert(known === undefined || known.kind === made.kind, `${made.name} is two kinds of metric`);
    if (known && made.kind !== 'gauge') return known as Made;
    this.#families.set(made.name, made);
    return made;
  }
}

interface Series<Value> {
  owner: SeriesOwner;
  labelText: string;
  value: Value;
}

/** Series by their labels, the most lately used last. */
class SeriesMap<Value> {
  readonly #series = new Map<string, Series<Value>>();

  get(owner: SeriesOwner, labels: Labels, begin: () => Value): Value {
    const labelText = written(labels);
    let series = this.#series.get(labelText);
    if (series === undefined) {
      series = { owner, labelText, value: begin() };
      this.#series.set(labelText, series);
      if (this.#series.size > mostSeries) this.#series.delete(this.#series.keys().next().value!);
    }
    return series.value;
  }

  *seenBy(reader: Reader): Iterable<Series<Value>> {
    for (const series of this.#series.values()) if (reader(series.owner)) yield series;
  }
}

/** See {@link Metrics.counter}. */
export class Counter implements Family {
  readonly name: string;
  readonly help: string;
  readonly kind = 'counter';
  readonly #series = new SeriesMap<{ count: number }>();

  constructor(name: string, help: string) {
    this.name = name;
    this.help = help;
  }

  /** The series of these labels, to be kept by who adds often. */
  of(owner: SeriesOwner, labels: Labels): { count: number } {
    return this.#series.get(owner, labels, () => ({ count: 0 }));
  }

  *lines(reader: Reader): Iterable<string> {
    for (const { labelText, value } of this.#series.seenBy(reader))
      yield `${this.name}${braced(labelText)} ${value.count}`;
  }
}

/** One series of a histogram. */
export class Durations {
  readonly counts = new Float64Array(durationBounds.length + 1);
  sumSeconds = 0;

  add(seconds: number): void {
    let bucket = 0;
    while (bucket < durationBounds.length && seconds > durationBounds[bucket]!) bucket++;
    this.counts[bucket]!++;
    this.sumSeconds += seconds;
  }
}

/** See {@link Metrics.histogram}. */
export class Histogram implements Family {
  readonly name: string;
  readonly help: string;
  readonly kind = 'histogram';
  readonly #series = new SeriesMap<Durations>();

  constructor(name: string, help: string) {
    this.name = name;
    this.help = help;
  }

  /** The series of these labels, to be kept by who adds often. */
  of(owner: SeriesOwner, labels: Labels): Durations {
    return this.#series.get(owner, labels, () => new Durations());
  }

  *lines(reader: Reader): Iterable<string> {
    for (const { labelText, value } of this.#series.seenBy(reader)) {
      const before = labelText === '' ? '' : `${labelText},`;
      let sum = 0;
      for (const [index, count] of value.counts.entries()) {
        sum += count;
        yield `${this.name}_bucket{${before}le="${durationBounds[index] ?? '+Inf'}"} ${sum}`;
      }
      yield `${this.name}_sum${braced(labelText)} ${value.sumSeconds}`;
      yield `${this.name}_count${braced(labelText)} ${sum}`;
    }
  }
}

class Gauge implements Family {
  readonly name: string;
  readonly help: string;
  readonly kind = 'gauge';
  readonly #read: () => Iterable<GaugeValue>;

  constructor(name: string, help: string, read: () => Iterable<GaugeValue>) {
    this.name = name;
    this.help = help;
    this.#read = read;
  }

  *lines(reader: Reader): Iterable<string> {
    for (const { owner, labels, value } of this.#read())
      if (reader(owner)) yield `${this.name}${braced(written(labels))} ${value}`;
  }
}

function written(labels: Labels): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}="${escaped(value)}"`)
    .join(',');
}

function escaped(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

function braced(labelText: string): string {
  return labelText === '' ? '' : `{${labelText}}`;
}
