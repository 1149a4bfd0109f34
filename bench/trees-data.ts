// Made-up tables for bench/trees.ts, the same on every machine: what matters is their shape, not what they mean.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { seededRandom, type Random } from '../src/base/random.ts';

export interface Shape {
  name: string;
  rowCount: number;
  testRowCount: number;
  leaves: number;
  /** 0 for a number to predict. */
  classCount: number;
  /** Numeric features come first; categories have 12 codes. */
  numberCount: number;
  oneHotCount: number;
  categoryCount: number;
  missingShare: number;
  /** Trainings in one process, of which the median counts: small tables are trained on many times in a row. */
  repeats: number;
}

const plain = { repeats: 1, oneHotCount: 0, categoryCount: 0, missingShare: 0, classCount: 2 };

export const shapes: readonly Shape[] = [
  { ...plain, name: '1m-255', rowCount: 1_000_000, testRowCount: 100_000, leaves: 255, numberCount: 28 },
  { ...plain, name: '1m-31', rowCount: 1_000_000, testRowCount: 100_000, leaves: 31, numberCount: 28 },
  {
    ...plain,
    name: '100k-mixed',
    rowCount: 100_000,
    testRowCount: 50_000,
    leaves: 31,
    numberCount: 80,
    categoryCount: 20,
    missingShare: 0.1,
  },
  { ...plain, name: '1k', rowCount: 1000, testRowCount: 50_000, leaves: 31, numberCount: 30, repeats: 15 },
  {
    ...plain,
    name: '500k-7-classes',
    rowCount: 500_000,
    testRowCount: 50_000,
    leaves: 31,
    classCount: 7,
    numberCount: 10,
    oneHotCount: 44,
  },
];

export const categoryLevels = 12;

export interface Table {
  columns: Float64Array[];
  target: Float64Array;
}

/** Training rows first, then test rows. */
export function makeTable(shape: Shape): Table {
  const random = seededRandom(shape.rowCount + shape.numberCount);
  const count = shape.rowCount + shape.testRowCount;
  const numbers = Array.from({ length: shape.numberCount }, () =>
    Float64Array.from({ length: count }, () => normal(random)),
  );
  const categories = Array.from({ length: shape.categoryCount }, () =>
    Float64Array.from({ length: count }, () => random.below(categoryLevels)),
  );
  const blocks = shape.oneHotCount > 0 ? [4, shape.oneHotCount - 4] : [];
  const levels = blocks.map((size) =>
    Float64Array.from({ length: count }, () => Math.floor(random.next() ** 2 * size)),
  );
  const target = new Float64Array(count);
  const outputs = Math.max(1, shape.classCount === 2 ? 1 : shape.classCount);
  const scores = Array.from({ length: outputs }, (_, k) => scoreOf(k));
  for (let row = 0; row < count; row++) {
    const noisy = scores.map((score) => score(row) + 0.7 * normal(random));
    target[row] = outputs === 1 ? Number(noisy[0]! > 0) : noisy.indexOf(Math.max(...noisy));
  }
  const oneHot = levels.flatMap((codes, block) =>
    Array.from({ length: blocks[block]! }, (_, level) => codes.map((code) => Number(code === level))),
  );
  const columns = [...numbers, ...oneHot, ...categories];
  if (shape.missingShare > 0)
    for (const column of columns)
      for (let row = 0; row < count; row++) if (random.next() < shape.missingShare) column[row] = NaN;
  return { columns, target };

  /** Smooth parts, products and steps of some columns, different for each output. */
  function scoreOf(k: number): (row: number) => number {
    const draw = seededRandom(k + 77);
    const pick = (): Float64Array => numbers[draw.below(numbers.length)]!;
    const parts = Array.from({ length: 12 }, () => ({
      a: pick(),
      b: pick(),
      c: pick(),
      weight: draw.next() - 0.3,
    }));
    const effects = [...categories, ...levels].map((codes) => ({
      codes,
      effect: Float64Array.from({ length: 64 }, () => 0.6 * normal(draw)),
    }));
    return (row) => {
      let sum = 0;
      for (const { a, b, c, weight } of parts)
        sum += weight * (Math.sin(2 * a[row]!) + a[row]! * b[row]! * 0.7 + (c[row]! > 0.5 ? b[row]! : -0.3));
      for (const { codes, effect } of effects) sum += effect[codes[row]!]!;
      return sum;
    };
  }
}

/** Writes the table column by column (columns.bin) and row by row (rows.bin), and the target (target.bin), as float64. */
export function writeTable(folder: string, { columns, target }: Table): void {
  const count = target.length;
  const byColumn = new Float64Array(columns.length * count);
  columns.forEach((column, index) => byColumn.set(column, index * count));
  writeFileSync(join(folder, 'columns.bin'), byColumn);
  const byRow = byColumn;
  for (let row = 0; row < count; row++)
    for (let index = 0; index < columns.length; index++)
      byRow[row * columns.length + index] = columns[index]![row]!;
  writeFileSync(join(folder, 'rows.bin'), byRow);
  writeFileSync(join(folder, 'target.bin'), target);
}

function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
}
