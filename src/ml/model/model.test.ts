// The model file against damage and malice: whatever the bytes, opening them ends in a predictor or in a problem.
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { Problem } from '../../base/problems.ts';
import { systemClock } from '../../base/time.ts';
import { frameFromRows } from '../frame/frame.ts';
import type { Learner } from '../learners/learner.ts';
import { naiveBayes } from '../learners/naive-bayes.ts';
import { neighbours } from '../learners/neighbours.ts';
import { network } from '../learners/network.ts';
import type { Recipe } from '../search/recipe.ts';
import { search } from '../search/search.ts';
import { withMembers } from '../search/testing.ts';
import { readContainer, writeContainer, type SectionArray } from './container.ts';
import { openModel, readModel, writeModel } from './model.ts';

const rows = Array.from({ length: 120 }, (_, index) => ({
  x: (index * 37) % 50,
  group: 'abc'[index % 3],
  day: new Date(Date.UTC(2025, 0, 1 + (index % 90))).toISOString(),
  note: index % 2 ? 'some words' : 'other words here',
  y: (index * 37) % 50 > 20 + (index % 3) * 5 ? 'yes' : 'no',
  z: ((index * 37) % 50) * 2 + (index % 3),
}));
const frame = frameFromRows(rows, [
  { name: 'x', kind: 'numeric' },
  { name: 'group', kind: 'categorical' },
  { name: 'day', kind: 'date' },
  { name: 'note', kind: 'text' },
  { name: 'y', kind: 'categorical' },
  { name: 'z', kind: 'numeric' },
]);

/** A model of the first trials of a search, and of `others`. */
async function modelBytes(target: string, others: readonly Learner[] = []): Promise<Uint8Array> {
  const trials = others.length > 0 ? 1 : 3;
  const recipe: Recipe = { target, task: 'auto', metric: 'auto', budget: { trials }, seed: 1, folds: 2 };
  const { model } = await search({ frame, recipe, clock: systemClock });
  return writeModel(await withMembers(model, others, { frame, recipe }));
}

const files = {
  classes: await modelBytes('y'),
  numbers: await modelBytes('z'),
  'other kinds, classes': await modelBytes('y', [naiveBayes, neighbours, network]),
  'other kinds, numbers': await modelBytes('z', [neighbours, network]),
};

/** Passes when opening works and the predictor answers, or when it is refused as a model file. */
async function survives(bytes: Uint8Array): Promise<'opened' | 'refused'> {
  try {
    const predictor = await openModel(bytes);
    predictor.predictRows([{}, { x: 1e9, group: 'zzz', day: '2026-01-01', note: 'words' }]);
    return 'opened';
  } catch (error) {
    assert.ok(error instanceof Problem, String(error));
    assert.ok(
      error.code === 'model-file-invalid' || error.code === 'model-file-too-new',
      `${error.code}: ${error.message}`,
    );
    return 'refused';
  }
}

test('written and read again, a file has the same bytes', async () => {
  for (const bytes of Object.values(files)) assert.deepEqual(await writeModel(await readModel(bytes)), bytes);
});

test('every changed, cut or lengthened file is refused', async () => {
  for (const bytes of Object.values(files)) {
    const damage = fc.record({ at: fc.nat(bytes.length - 1), by: fc.integer({ min: 1, max: 255 }) });
    await fc.assert(
      fc.asyncProperty(damage, async ({ at, by }) => {
        const changed = bytes.slice();
        changed[at] = changed[at]! ^ by;
        return (await survives(changed)) === 'refused';
      }),
      { numRuns: 1000 },
    );
    await fc.assert(
      fc.asyncProperty(
        fc.nat(bytes.length - 1),
        async (length) => (await survives(bytes.slice(0, length))) === 'refused',
      ),
      { numRuns: 300 },
    );
    assert.equal(await survives(Uint8Array.of(...bytes, 0)), 'refused');
  }
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ maxLength: 300 }),
      async (bytes) => (await survives(bytes)) === 'refused',
    ),
  );
});

test('a newer format is named as such', async () => {
  const newer = files.classes.slice();
  newer[6] = 3;
  await assert.rejects(openModel(newer), (error: Problem) => error.code === 'model-file-too-new');
});

test('hostile files with valid checksums neither crash nor hang', async () => {
  for (const bytes of Object.values(files)) {
    const { document, sections } = await readContainer(bytes);
    const places = placesOf(document);
    const names = [...sections.keys()];
    const wild = fc.oneof(
      fc.constantFrom<unknown>(
        null,
        true,
        -1,
        0,
        1.5,
        1e308,
        2 ** 31,
        '',
        '__proto__',
        [],
        {},
        'x'.repeat(1000),
        'softmax',
        'identity',
        'trees',
        'text',
        'category',
      ),
      fc.integer({ min: -5, max: 300 }),
    );
    await fc.assert(
      fc.asyncProperty(fc.nat(places.length - 1), wild, async (index, value) => {
        const copy: unknown = structuredClone(document);
        replace(copy, places[index]!, value);
        await survives(await writeContainer(copy, sections));
      }),
      { numRuns: 300 },
    );
    const number = fc.oneof(
      fc.constantFrom(NaN, Infinity, -Infinity, -1, 0, 1, 65_535, 2 ** 31 - 1, -(2 ** 31)),
      fc.integer({ min: -40, max: 40 }),
    );
    await fc.assert(
      fc.asyncProperty(fc.nat(names.length - 1), fc.nat(100_000), number, async (index, at, value) => {
        const changed = new Map<string, SectionArray>(
          [...sections].map(([name, array]) => [name, array.slice() as SectionArray]),
        );
        const array = changed.get(names[index]!)!;
        if (array.length > 0) array[at % array.length] = value;
        await survives(await writeContainer(document, changed));
      }),
      { numRuns: 300 },
    );
  }
});

/** Paths of every value in a document. */
function placesOf(value: unknown, path: (string | number)[] = []): (string | number)[][] {
  if (value === null || typeof value !== 'object') return [path];
  const entries = Array.isArray(value)
    ? value.map((item, index) => [index, item] as const)
    : Object.entries(value);
  const own = path.length > 0 ? [path] : [];
  return [...own, ...entries.flatMap(([key, item]) => placesOf(item, [...path, key]))];
}

function replace(document: unknown, path: readonly (string | number)[], value: unknown): void {
  let at = document as Record<string | number, unknown>;
  for (const key of path.slice(0, -1)) at = at[key] as Record<string | number, unknown>;
  at[path.at(-1)!] = value;
}
