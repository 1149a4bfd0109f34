// What an isolation forest promises: the right scale, planted anomalies first, no harm from missing values and
// categories, the same bytes for the same seed, and a model like any other.
import assert from 'node:assert/strict';
import test from 'node:test';
import type { Problem } from '../../base/problems.ts';
import { seededRandom } from '../../base/random.ts';
import { systemClock } from '../../base/time.ts';
import type { FeatureTable } from '../frame/encoding.ts';
import { pauseBy } from '../learners/learner.ts';
import { featureTable } from '../learners/testing.ts';
import { areaUnderRoc } from '../metrics/ranking.ts';
import type { SectionArray } from '../model/container.ts';
import { readPart, writePart } from '../model/read-parts.ts';
import {
  anomalyScores,
  expectedPath,
  trainIsolationForest,
  type IsolationInput,
} from './isolation-forest.ts';

const control = { clock: systemClock, pause: pauseBy(systemClock) };

function allRows(table: FeatureTable): Int32Array {
  return Int32Array.from({ length: table.rowCount }, (_, row) => row);
}

async function scoresOf(table: FeatureTable, changes: Partial<IsolationInput> = {}): Promise<Float64Array> {
  const rows = allRows(table);
  const model = await trainIsolationForest({ table, rows, seed: 1, control, ...changes });
  return anomalyScores(model, { table, rows }, control);
}

function normalOf(seed: number): () => number {
  const random = seededRandom(seed);
  return () => Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
}

/** The expected path by the recurrence of random cuts: every cut between n values in order is equally likely. */
function pathByRecurrence(rowCount: number): number {
  const totals = [0, 0];
  for (let n = 2; n <= rowCount; n++) {
    let sum = 0;
    for (let k = 1; k < n; k++) sum += totals[k]! + totals[n - k]!;
    totals.push(n + sum / (n - 1));
  }
  return totals[rowCount]! / rowCount;
}

test('the expected path is that of random cuts', () => {
  assert.equal(expectedPath(0), 0);
  assert.equal(expectedPath(1), 0);
  assert.equal(expectedPath(2), 1);
  for (const count of [3, 10, 77, 256])
    assert.ok(Math.abs(expectedPath(count) - pathByRecurrence(count)) < 1e-10, String(count));
  // The figure of the paper, with its approximation of harmonic numbers.
  assert.ok(Math.abs(expectedPath(256) - 10.24) < 0.01);
});

test('planted anomalies come first, and ordinary rows have scores about one half', async () => {
  const normal = normalOf(3);
  const rowCount = 1000;
  const isPlanted = (row: number): boolean => row % 100 === 7;
  const columns = Array.from({ length: 4 }, () =>
    Float64Array.from({ length: rowCount }, (_, row) => normal() + (isPlanted(row) ? 6 : 0)),
  );
  const scores = await scoresOf(featureTable(columns));
  const order = [...scores.keys()].sort((a, b) => scores[b]! - scores[a]!);
  assert.ok(order.slice(0, 10).every(isPlanted));
  assert.ok(scores.every((score) => score > 0 && score <= 1));
  assert.ok(scores[order[0]!]! > 0.65);
  const median = scores[order[500]!]!;
  assert.ok(median > 0.38 && median < 0.5, String(median));
});

test('values and categories that are rare or missing stand out, and constant columns do not matter', async () => {
  const normal = normalOf(5);
  const rowCount = 600;
  const columns = [
    Float64Array.from({ length: rowCount }, normal),
    Float64Array.from({ length: rowCount }, (_, row) => (row === 5 ? 4 : row % 2)),
    Float64Array.from({ length: rowCount }, (_, row) => (row === 9 ? NaN : 2)),
    Float64Array.from({ length: rowCount }, (_, row) => (row === 11 ? NaN : 0)),
    new Float64Array(rowCount).fill(NaN),
    new Float64Array(rowCount).fill(8),
  ];
  const table = featureTable(columns, { 1: 5, 3: 2 });
  const scores = await scoresOf(table, { hyperparameters: { sampleRows: 600 } });
  const order = [...scores.keys()].sort((a, b) => scores[b]! - scores[a]!);
  assert.ok(
    [9, 11].every((row) => order.indexOf(row) < 4),
    'missing where others are not',
  );
  const typical = scores.toSorted()[rowCount >> 1]!;
  assert.ok(scores[5]! > typical + 0.05, 'a category that is there once');
  const fewer = await scoresOf(featureTable(columns.slice(0, 4), { 1: 5, 3: 2 }), {
    hyperparameters: { sampleRows: 600 },
  });
  assert.ok(
    Math.abs(
      areaUnderRoc({ scores: fewer, isPositive: flags(rowCount, [5, 9, 11]) }) -
        areaUnderRoc({ scores, isPositive: flags(rowCount, [5, 9, 11]) }),
    ) < 0.02,
  );
});

test('rows that are all the same are ordinary; the largest numbers are still numbers', async () => {
  const same = await scoresOf(featureTable([new Float64Array(40).fill(2)]));
  assert.ok(same.every((score) => Math.abs(score - 0.5) < 1e-12));
  const wild = Float64Array.from({ length: 40 }, (_, row) => [-1.7e308, 1.7e308, 0, 5e-324][row % 4]!);
  assert.ok((await scoresOf(featureTable([wild]))).every((score) => score > 0 && score <= 1));
});

test('same seed, same bytes; another seed, other trees; the model survives being written and read', async () => {
  const normal = normalOf(8);
  const columns = [
    Float64Array.from({ length: 300 }, (_, row) => (row % 9 ? normal() : NaN)),
    Float64Array.from({ length: 300 }, (_, row) => (row % 11 ? row % 4 : NaN)),
  ];
  const table = featureTable(columns, { 1: 4 });
  const rows = allRows(table);
  const input: IsolationInput = { table, rows, seed: 4, control };
  const model = await trainIsolationForest(input);
  assert.deepEqual(await trainIsolationForest(input), model);
  assert.notDeepEqual(await trainIsolationForest({ ...input, seed: 5 }), model);
  const sections = new Map<string, SectionArray>();
  const part: unknown = JSON.parse(JSON.stringify(writePart(model, 'x', sections)));
  const read = readPart(part, 'x', { sections, levelCounts: [0, 4], outputCount: 1 });
  assert.deepEqual(read, model);
  const late = await trainIsolationForest({ ...input, control: { ...control, deadlineMs: -1 } });
  assert.equal(late.roots.length, 1);
  assert.ok((await anomalyScores(late, { table, rows }, control)).every((score) => score > 0 && score <= 1));
});

test('too few rows and odd settings are refused', async () => {
  const table = featureTable([Float64Array.of(1, 2)]);
  const isRefused = (code: string) => (error: Problem) => error.code === code;
  await assert.rejects(scoresOf(table, { rows: Int32Array.of(0) }), isRefused('too-few-rows'));
  for (const hyperparameters of [{ trees: 0 }, { sampleRows: 1 }, { depth: 3 }] as Record<string, number>[])
    await assert.rejects(scoresOf(table, { hyperparameters }), isRefused('invalid-request'));
  const aborted = { clock: systemClock, pause: pauseBy(systemClock, AbortSignal.abort()) };
  await assert.rejects(scoresOf(table, { control: aborted }), isRefused('cancelled'));
});

function flags(rowCount: number, rows: readonly number[]): Uint8Array {
  return Uint8Array.from({ length: rowCount }, (_, row) => (rows.includes(row) ? 1 : 0));
}
