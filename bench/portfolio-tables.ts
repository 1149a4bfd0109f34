// The tables that bench/portfolio.ts learns from: public data sets, cut to some thousand rows, and made-up tables of varied
// kinds, so that what is good on the public ones alone does not decide.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { parse } from 'csv-parse/sync';
import { seededRandom, shuffle, type Random } from '../src/base/random.ts';
import { frameFromColumns, type Frame } from '../src/ml/frame/frame.ts';
import { inferSchema } from '../src/ml/frame/infer-schema.ts';
import type { Task } from '../src/ml/frame/schema.ts';

type AskedTask = Task | 'auto';

export interface Table {
  name: string;
  /** Tables of one source are left out together. */
  source: string;
  target: string;
  task: AskedTask;
  load: () => Frame;
}

/** Data set, target, columns that are not inputs, task if not `auto`. */
type PublicSet = readonly [name: string, target: string, without?: readonly string[], task?: Task];

const mostRows = 2500;
const publicSets: readonly PublicSet[] = [
  ['adult', 'income', ['split', 'fnlwgt']],
  ['ai4i2020', 'Machine failure', ['UDI', 'Product ID', 'TWF', 'HDF', 'PWF', 'OSF', 'RNF']],
  ['bank_marketing', 'y', ['duration']],
  ['breast_cancer_wdbc', 'diagnosis'],
  ['german_credit', 'default'],
  ['heart_disease_cleveland', 'target'],
  ['hr_attrition', 'Attrition'],
  ['pima_diabetes', 'outcome'],
  ['telco_churn', 'churn'],
  ['titanic', 'Survived', ['PassengerId', 'Name', 'Ticket']],
  ['digits_8x8', 'digit'],
  ['bike_sharing_hour', 'cnt'],
  ['california_housing', 'target'],
  ['diabetes_progression', 'progression'],
  ['diamonds', 'price'],
  ['diamonds', 'cut'],
  ['energy_efficiency', 'Heating Load', ['Cooling Load']],
  ['hotel_rates', 'avg_price_per_room'],
  ['insurance_charges', 'charges'],
  ['nyc_taxis', 'fare', ['total', 'tip']],
  ['wine_quality', 'quality', [], 'regression'],
  ['wine_quality', 'quality', [], 'multiclass'],
  ['vic_electricity', 'Demand'],
];

/** All tables; `folder` holds the public ones as NAME/data.csv. */
export function portfolioTables(folder: string): Table[] {
  const made = madeUpTables();
  // In turns, so that a run that is stopped has seen some of both.
  return [
    ...publicSets.flatMap((set, index) => [publicTable(folder, set), ...made.slice(index, index + 1)]),
    ...made.slice(publicSets.length),
  ];
}

function publicTable(folder: string, [name, target, without = [], given]: PublicSet): Table {
  const task: AskedTask = given ?? 'auto';
  return {
    name: `${name}: ${target}${task === 'auto' ? '' : ` (${task})`}`,
    source: name,
    target,
    task,
    load: () => {
      const file = fileOf(name);
      const bytes = readFileSync(join(folder, name, file));
      const records: Record<string, string>[] = parse(file.endsWith('.gz') ? gunzipSync(bytes) : bytes, {
        columns: true,
      });
      const order = shuffle(
        Int32Array.from(records, (_, row) => row),
        seededRandom(7),
      );
      const rows = Array.from(order.slice(0, mostRows).sort(), (row) => records[row]!);
      const names = Object.keys(rows[0]!).filter((column) => !without.includes(column));
      return frameOf(Object.fromEntries(names.map((column) => [column, rows.map((row) => row[column]!)])));
    },
  };
}

function fileOf(name: string): string {
  if (name === 'adult') return 'data.csv.gz';
  return name === 'digits_8x8' ? 'pixels.csv' : 'data.csv';
}

function frameOf(columns: Record<string, string[]>): Frame {
  return frameFromColumns(columns, inferSchema(columns), 'text');
}

/** What makes the truth of a made-up table. */
type Teacher = 'sum' | 'curves' | 'tree' | 'network' | 'places';
type Answer = 'number' | 'count' | 'amount' | 'two classes' | 'rare class' | 'five classes';

interface MadeUp {
  teacher: Teacher;
  answer: Answer;
  rows: number;
  numbers: number;
  categories: number;
  /** Columns that say nothing. */
  idle: number;
  /** Of the truth's standard deviation. */
  noise: number;
}

const madeUp: readonly (readonly [Teacher, Answer, number, number, number, number, number])[] = [
  ['sum', 'two classes', 400, 8, 2, 10, 1],
  ['sum', 'number', 300, 20, 0, 60, 0.7],
  ['curves', 'number', 2000, 8, 2, 4, 0.4],
  ['curves', 'two classes', 2500, 10, 4, 5, 0.6],
  ['curves', 'count', 2500, 6, 2, 4, 0],
  ['tree', 'number', 2500, 8, 4, 6, 0.3],
  ['tree', 'five classes', 2500, 12, 3, 5, 0.4],
  ['tree', 'rare class', 2500, 10, 5, 5, 0.4],
  ['network', 'number', 2500, 10, 0, 2, 0.1],
  ['network', 'two classes', 2500, 12, 2, 3, 0.2],
  ['network', 'amount', 2500, 8, 1, 2, 0.2],
  ['places', 'number', 2000, 4, 0, 1, 0.2],
  ['places', 'two classes', 1500, 5, 0, 2, 0.3],
  ['places', 'rare class', 2500, 6, 2, 4, 0.4],
];

function madeUpTables(): Table[] {
  return madeUp.map(([teacher, answer, rows, numbers, categories, idle, noise], index) => {
    const kind: MadeUp = { teacher, answer, rows, numbers, categories, idle, noise };
    const name = `made up ${index + 1}: ${teacher}, ${answer}, ${rows} x ${numbers + categories + idle}`;
    return {
      name,
      source: name,
      target: 'answer',
      task: answer.endsWith('class') || answer.endsWith('classes') ? 'auto' : 'regression',
      load: () => frameOf(madeUpColumns(kind, seededRandom(1000 + index))),
    };
  });
}

function madeUpColumns({ rows, numbers, categories, idle, ...kind }: MadeUp, random: Random) {
  const shift = Array.from({ length: numbers }, () => random.next() < 0.3);
  const counts = Array.from({ length: categories }, () => 2 + random.below(random.next() < 0.3 ? 60 : 8));
  const effects = counts.map((count) => Array.from({ length: count }, () => normal(random)));
  const inputs: number[][] = [];
  const columns: Record<string, string[]> = {};
  const add = (name: string, value: string): void => void (columns[name] ??= []).push(value);
  for (let row = 0; row < rows; row++) {
    const x: number[] = [];
    for (let index = 0; index < numbers; index++) {
      // Neighbouring columns go along with each other.
      const value = normal(random) * 0.8 + (index > 0 ? 0.6 * x[index - 1]! : 0);
      x.push(value);
      const isMissing = index % 4 === 3 && random.next() < 0.08;
      add(`n${index}`, isMissing ? '' : (shift[index] ? Math.exp(value) : value).toPrecision(5));
    }
    for (let index = 0; index < categories; index++) {
      const code = Math.floor(random.next() ** 1.5 * counts[index]!);
      x.push(effects[index]![code]!);
      add(`c${index}`, `k${code}`);
    }
    for (let index = 0; index < idle; index++)
      add(`i${index}`, index % 3 === 2 ? `k${random.below(6)}` : normal(random).toPrecision(5));
    inputs.push(x);
  }
  columns['answer'] = answersOf(kind, inputs, random);
  return columns;
}

function answersOf(
  { teacher, answer, noise }: Pick<MadeUp, 'teacher' | 'answer' | 'noise'>,
  inputs: readonly number[][],
  random: Random,
): string[] {
  const width = inputs[0]!.length;
  const scores = (): number[] => {
    const teach = teachers[teacher](width, random);
    const truth = standardised(inputs.map(teach));
    return truth.map((value) => value + noise * normal(random));
  };
  if (answer === 'five classes') {
    const each = Array.from({ length: 5 }, scores);
    return inputs.map((_, row) => `class ${each.reduce((a, s, k) => (s[row]! > each[a]![row]! ? k : a), 0)}`);
  }
  const one = scores();
  const line = one.toSorted((a, b) => a - b)[
    Math.floor(one.length * (answer === 'rare class' ? 0.94 : 0.55))
  ]!;
  return one.map((score) => {
    if (answer === 'number') return score.toPrecision(6);
    if (answer === 'amount') return (100 * Math.exp(score)).toPrecision(6);
    if (answer === 'count') return String(poisson(3 * Math.exp(0.7 * score), random));
    return score > line ? 'yes' : 'no';
  });
}

/** Each makes a function of a row. */
const teachers: Record<Teacher, (width: number, random: Random) => (x: readonly number[]) => number> = {
  sum: (width, random) => {
    const weights = normals(width, random);
    return (x) => dot(weights, x);
  },
  curves: (width, random) => {
    const curves = Array.from({ length: width }, () => {
      const [size, speed, start] = [normal(random), 0.5 + 2 * random.next(), 6 * random.next()];
      return (value: number): number => size * Math.sin(speed * value + start);
    });
    const [a, b] = [random.below(width), random.below(width)];
    return (x) => curves.reduce((sum, curve, index) => sum + curve(x[index]!), 0) + x[a]! * x[b]!;
  },
  tree: (width, random) => {
    const trees = Array.from({ length: 6 }, () => treeOf(4, width, random));
    return (x) => trees.reduce((sum, tree) => sum + tree(x), 0);
  },
  network: (width, random) => {
    const hidden = Array.from({ length: 10 }, () => ({
      weights: normals(width, random),
      bias: normal(random),
      size: normal(random),
    }));
    return (x) =>
      hidden.reduce((sum, { weights, bias, size }) => sum + size * Math.tanh(dot(weights, x) + bias), 0);
  },
  places: (width, random) => {
    const places = Array.from({ length: 12 }, () => ({ at: normals(width, random), value: normal(random) }));
    return (x) => {
      let [sum, total] = [0, 1e-9];
      for (const { at, value } of places) {
        const weight = Math.exp(-2 * at.reduce((far, centre, index) => far + (centre - x[index]!) ** 2, 0));
        sum += weight * value;
        total += weight;
      }
      return sum / total;
    };
  },
};

function treeOf(depth: number, width: number, random: Random): (x: readonly number[]) => number {
  if (depth === 0) {
    const value = normal(random);
    return () => value;
  }
  const [feature, border] = [random.below(width), 0.7 * normal(random)];
  const [low, high] = [treeOf(depth - 1, width, random), treeOf(depth - 1, width, random)];
  return (x) => (x[feature]! <= border ? low(x) : high(x));
}

function standardised(values: readonly number[]): number[] {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const spread = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length) || 1;
  return values.map((value) => (value - mean) / spread);
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, index) => sum + value * b[index]!, 0);
}

function normals(count: number, random: Random): number[] {
  return Array.from({ length: count }, () => normal(random));
}

function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
}

/** Knuth's method; for small means. */
function poisson(mean: number, random: Random): number {
  const limit = Math.exp(-Math.min(mean, 60));
  let count = 0;
  for (let product = random.next(); product > limit; product *= random.next()) count++;
  return count;
}
