// Small models of every kind that a file can hold, for tests of the file: each learner, each task it takes, and every
// kind of column (numbers, skewed numbers, flags, few and many categories, dates and the days between them, texts).
import { seededRandom } from '../../../base/random.ts';
import { systemClock } from '../../../base/time.ts';
import { frameFromRows, type Frame } from '../../frame/frame.ts';
import { learners } from '../../learners/learners.ts';
import type { Learner } from '../../learners/learner.ts';
import type { Recipe } from '../../search/recipe.ts';
import { search } from '../../search/search.ts';
import { withMembers, type SettingsByLearner } from '../../search/testing.ts';
import type { ModelContent } from '../manifest.ts';

const rowCount = 160;
/** So that files are small. */
const settings: SettingsByLearner = {
  'boosted-trees': { iterations: 6, maxLeaves: 8 },
  'categorical-boosting': { iterations: 6, depth: 3 },
  'random-forest': { trees: 4, maxLeaves: 8 },
  'extra-trees': { trees: 4, maxLeaves: 8 },
  network: { epochs: 5, width: 4, heads: 2 },
};
const targets = { binary: 'taken', multiclass: 'size', regression: 'price' } as const;
export type SampleTask = keyof typeof targets;

/** The columns that models see, and the three that they predict. */
function sampleFrame(): Frame {
  const random = seededRandom(11);
  const pick = <T>(items: readonly T[]): T => items[random.below(items.length)]!;
  const rows = Array.from({ length: rowCount }, () => {
    const [area, group] = [random.next() * 50, pick(['a', 'b', 'c'])];
    const [isNew, cityNumber] = [random.next() < 0.4, random.below(40)];
    const price = area * 2 + cityNumber / 4 + (isNew ? 15 : 0) + (group === 'a' ? 10 : 0) + random.next() * 5;
    return {
      area: random.next() < 0.1 ? null : area,
      income: Math.floor(Math.exp(2 + random.next() * 12)),
      isNew,
      group,
      city: `city ${cityNumber}`,
      begun: new Date(Date.UTC(2024, random.below(24), 1 + random.below(28))).toISOString(),
      ended: new Date(Date.UTC(2026, random.below(12), 1 + random.below(28))).toISOString(),
      note: `${pick(['quiet', 'loud', 'bright'])} ${pick(['house', 'flat'])} ${isNew ? 'built lately' : 'in the old town'}`,
      price,
      taken: price > 75 ? 'yes' : 'no',
      size: price > 100 ? 'large' : price > 55 ? 'middle' : 'small',
    };
  });
  return frameFromRows(rows, [
    { name: 'area', kind: 'numeric' },
    { name: 'income', kind: 'numeric' },
    { name: 'isNew', kind: 'boolean' },
    { name: 'group', kind: 'categorical' },
    { name: 'city', kind: 'categorical' },
    { name: 'begun', kind: 'date' },
    { name: 'ended', kind: 'date' },
    { name: 'note', kind: 'text' },
    { name: 'price', kind: 'numeric' },
    { name: 'taken', kind: 'categorical' },
    { name: 'size', kind: 'categorical' },
  ]);
}

const frame = sampleFrame();

export interface Sample {
  /** Such as `linear-regression`. */
  name: string;
  model: ModelContent;
}

/** One model for each learner and task, whose only member it is; and, for each task, the ensemble of a short search. */
export async function sampleModels(tasks: readonly SampleTask[]): Promise<Sample[]> {
  const samples: Sample[] = [];
  for (const task of tasks) {
    const others = Object.values(targets).filter((target) => target !== targets[task]);
    const recipe: Recipe = {
      target: targets[task],
      task,
      metric: 'auto',
      budget: { trials: 4 },
      seed: 1,
      folds: 2,
      excludedColumns: others,
    };
    const { model } = await search({ frame, recipe, clock: systemClock });
    samples.push({ name: `ensemble-${task}`, model });
    for (const learner of learners.filter(({ spec }) => spec.tasks.includes(task)))
      samples.push({
        name: `${learner.spec.name}-${task}`,
        model: await alone({ ...model, members: [] }, learner, recipe),
      });
  }
  return samples;
}

async function alone(content: ModelContent, learner: Learner, recipe: Recipe): Promise<ModelContent> {
  const { members, ...rest } = await withMembers(content, [learner], { frame, recipe, settings });
  return { ...rest, members };
}

/** Rows to ask a model for, beyond its golden rows: what it never saw, nothing at all, and the far ends of numbers. */
export const oddRows: readonly Record<string, unknown>[] = [
  {},
  { area: 1e308, income: 0, isNew: true, group: 'z', city: 'nowhere', begun: '1600-02-29', note: '' },
  { area: -1e-300, income: -5, group: 'a', city: 'city 3', ended: '2026-12-31T23:59:59.999Z', note: 'ÄÖ 雲' },
  {
    area: 25.5,
    income: 4e4,
    isNew: false,
    group: 'b',
    begun: '2024-02-29',
    ended: '2026-03-01',
    note: 'loud flat',
  },
];
