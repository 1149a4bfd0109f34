// Budgets in time, by a clock that goes on by a step whenever it is looked at: what is checked is that everything that may
// take long looks at it and stops, and that the end is left its time. bench/budget.ts measures the same by the wall.
import assert from 'node:assert/strict';
import test from 'node:test';
import { seededRandom } from '../../base/random.ts';
import { frameFromRows, type Frame } from '../frame/frame.ts';
import type { ColumnSchema } from '../frame/schema.ts';
import type { Recipe, SearchEvent } from './recipe.ts';
import { search } from './search.ts';

const seconds = 10;

interface Shape {
  rowCount: number;
  numberCount: number;
  classCount: number;
  hasText?: boolean;
}

const shapes: Readonly<Record<string, Shape>> = {
  'a value': { rowCount: 300, numberCount: 4, classCount: 0 },
  'two classes': { rowCount: 300, numberCount: 4, classCount: 2 },
  'many classes': { rowCount: 600, numberCount: 3, classCount: 40 },
  'many columns': { rowCount: 100, numberCount: 200, classCount: 2 },
  texts: { rowCount: 200, numberCount: 1, classCount: 2, hasText: true },
  'few rows': { rowCount: 12, numberCount: 2, classCount: 2 },
};

for (const [name, shape] of Object.entries(shapes))
  for (const stepMs of [3, 12])
    test(`${name}: the time is kept to, ${stepMs} ms at a look`, async () => {
      let nowMs = 5000;
      const clock = { nowMs: () => nowMs, monotonicMs: () => (nowMs += stepMs) };
      const startMs = nowMs;
      let baselineMs: number | undefined;
      const found = await search({
        frame: frameOf(shape),
        recipe,
        clock,
        onProgress: (event: SearchEvent) => {
          if (event.kind === 'trial-finished') baselineMs ??= nowMs - startMs;
        },
      });
      assert.ok(found.timing.seconds <= seconds * 1.01 + 0.2, `took ${found.timing.seconds} of ${seconds} s`);
      assert.ok(baselineMs! <= 2000, `the baseline took ${baselineMs} ms`);
      assert.ok(found.leaderboard.length > 1);
    });

const recipe: Recipe = { target: 'y', task: 'auto', metric: 'auto', budget: { seconds }, seed: 3 };

function frameOf({ rowCount, numberCount, classCount, hasText = false }: Shape): Frame {
  const random = seededRandom(4);
  const names = Array.from({ length: numberCount }, (_, index) => `x${index}`);
  const rows = Array.from({ length: rowCount }, (_, row) => {
    const numbers = names.map(() => random.next());
    const y = classCount > 0 ? `c${row % classCount}` : numbers[0]! + random.next();
    const words = Array.from({ length: 12 }, () => `word${random.below(300)}`);
    return {
      ...Object.fromEntries(names.map((one, index) => [one, numbers[index]!])),
      text: words.join(' '),
      y,
    };
  });
  const schema: ColumnSchema[] = [
    ...names.map((one) => ({ name: one, kind: 'numeric' as const })),
    ...(hasText ? [{ name: 'text', kind: 'text' as const }] : []),
    { name: 'y', kind: classCount > 0 ? 'categorical' : 'numeric' },
  ];
  return frameFromRows(rows, schema);
}
