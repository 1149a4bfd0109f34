// The model file against damage and malice: whatever the bytes, opening them ends in a predictor or in a problem.
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import type { Problem } from '../../base/problems.ts';
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
import { formatVersion } from './header.ts';
import type { EnsembleMember } from './manifest.ts';
import { openModel, readModel, writeModel } from './model.ts';
import type { NetworkModel } from './network.ts';
import { writePart } from './read-parts.ts';
import { goldenModels } from './testing/golden.ts';
import { freshSigner } from './testing/mend.ts';
import { mutant, sourceOf } from './testing/mutate.ts';
import { survives } from './testing/survive.ts';

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

/** The bench model-fuzz.ts makes a million. */
const mutantsOfEach = 400;

async function isRefused(file: Uint8Array, original: Uint8Array): Promise<boolean> {
  return (await survives({ file, isMended: false }, original)) === 'refused';
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
        return isRefused(changed, bytes);
      }),
      { numRuns: 1000 },
    );
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length - 1), (length) => isRefused(bytes.slice(0, length), bytes)),
      { numRuns: 300 },
    );
    assert.ok(await isRefused(Uint8Array.of(...bytes, 0), bytes));
  }
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), (bytes) => isRefused(bytes, files.classes)),
  );
});

test('a newer format is named as such', async () => {
  const newer = files.classes.slice();
  newer[6] = 3;
  await assert.rejects(openModel(newer), (error: Problem) => error.code === 'model-file-too-new');
});

test('hostile files with checksums that fit are refused or answer with numbers', async () => {
  const signer = await freshSigner();
  for (const { name, file } of goldenModels().filter(({ format }) => format === formatVersion)) {
    const source = await sourceOf(file);
    const seen = { opened: 0, refused: 0 };
    for (let seed = 0; seed < mutantsOfEach; seed++) {
      try {
        seen[await survives(await mutant(source, seed, signer), file)]++;
      } catch (error) {
        throw new Error(`mutant ${seed} of ${name}`, { cause: error });
      }
    }
    assert.ok(seen.opened > 0 && seen.refused > seen.opened, JSON.stringify(seen));
  }
});

/** What the bench model-fuzz.ts came upon: answers beyond all numbers. They stay refused or answered. */
const found: readonly [seed: number, name: string][] = [
  [47_977, 'neighbours-regression'],
  [557_146, 'naive-bayes-multiclass'],
  [804_426, 'naive-bayes-multiclass'],
];

test('what fuzzing found once is not found again', async () => {
  const signer = await freshSigner();
  for (const [seed, name] of found) {
    const file = golden(name);
    await survives(await mutant(await sourceOf(file), seed, signer), file);
  }
});

test('a file cannot ask for more work than its size', async () => {
  const { document, sections } = await readContainer(golden('network-binary'));
  const again = structuredClone(document) as { members: { models: unknown[] }[] };
  const { models } = again.members[0]!;
  for (let copy = 0; copy < 150; copy++) models.push(models[0]);
  await assert.rejects(
    openModel(await writeContainer(again, sections)),
    /uses the sections of another model/,
  );

  const content = await readModel(golden('network-binary'));
  const [member] = content.members as [EnsembleMember];
  const [model] = member.models as [NetworkModel];
  const [headCount, width, blockCount] = [256, 512, 8];
  const perHead = headCount * width;
  const wide: NetworkModel = {
    ...model,
    headCount,
    width,
    blockCount,
    knotVectors: new Float32Array(model.knots.length * width),
    missingVectors: new Float32Array(model.numberFeature.length * width),
    countVectors: new Float32Array(model.countFeature.length * width),
    levelVectors: new Float32Array(model.levelOffsets.at(-1)! * width),
    firstScales: new Float32Array(perHead),
    firstBiases: new Float32Array(perHead),
    weights: new Float32Array(blockCount * width * width),
    inScales: new Float32Array(blockCount * perHead),
    outScales: new Float32Array(blockCount * perHead),
    biases: new Float32Array(blockCount * perHead),
    lastWeights: new Float64Array(perHead),
    lastBiases: new Float64Array(headCount),
  };
  const heavy = new Map<string, SectionArray>();
  const parts = [writePart(wide, '0/0', heavy)];
  const slow = { ...(document as object), members: [{ ...member, models: parts }] };
  await assert.rejects(openModel(await writeContainer(slow, heavy)), /longer than anyone waits for/);
  const slowContent = { ...content, members: [{ ...member, models: [wide] }] };
  await assert.rejects(writeModel(slowContent), { code: 'model-file-invalid' });
});

function golden(wanted: string): Uint8Array {
  return goldenModels().find(({ format, name }) => format === formatVersion && name === wanted)!.file;
}
