// Keeps an ensemble within the time that one prediction may take. What a model takes is measured where the search runs:
// one row on its own, as a form or an application asks. Where the best trial is too slow with all of its fold models, it
// keeps fewer, and so do all others (where that is one, it learns from all rows: single-models.ts); a trial that is too slow with one is
// left out.
import { assert } from '../../base/assert.ts';
import type { Clock } from '../../base/time.ts';
import { copyFeatureRow, encodeFrame } from '../frame/encoding.ts';
import { selectRows } from '../frame/frame.ts';
import { applyModel, outputCountOf, type RowModel } from '../model/row-model.ts';
import type { Prepared } from './prepare.ts';
import type { Trial } from './trial.ts';

const warmUps = 30;
const measurements = 15;

/** How long the answer to one row may take. */
export interface LatencyLimit {
  maxMs: number;
  /** What is left for models; the rest goes into reading the row. */
  modelsMs: number;
}

/** The limit of a recipe that has one. */
export function latencyLimit(prepared: Prepared, clock: Clock): LatencyLimit | undefined {
  const maxMs = prepared.recipe.maxPredictMs;
  return maxMs === undefined ? undefined : { maxMs, modelsMs: maxMs - readingMs(prepared, clock) };
}

/** Measures the models of a trial, and gives them up where even one is too slow. The baseline always stays. */
export function measureLatency(
  trial: Trial,
  limit: LatencyLimit,
  { prepared, clock }: { prepared: Prepared; clock: Clock },
): void {
  const [model] = trial.models;
  if (!model) return;
  trial.modelMs = modelMs(prepared, model, clock);
  if (trial.modelMs <= limit.modelsMs || isBaseline(trial)) return;
  trial.models = [];
  trial.predictions = new Float64Array(0);
}

/** Leaves each trial no more fold models than the best of those that fit can have; says so. */
export function thinOut(trials: readonly Trial[], { maxMs, modelsMs }: LatencyLimit): string[] {
  const measured = trials.filter((trial) => trial.modelMs !== undefined && !isBaseline(trial));
  const best = bestOf(measured.filter((trial) => trial.models.length > 0));
  if (!best) {
    const fastest = Math.min(...measured.map((trial) => trial.modelMs!));
    const took = Number.isFinite(fastest) ? `; the fastest took ${inWords(fastest)}` : '';
    return [
      `No model answers a row within ${inWords(maxMs)} here${took}. The baseline answers in its place.`,
    ];
  }
  const warnings: string[] = [];
  const champion = bestOf(measured)!;
  if (champion !== best)
    warnings.push(`"${champion.report.label}" scored best, but is too slow for ${inWords(maxMs)}.`);
  const foldCount = best.models.length;
  const kept = Math.max(1, Math.min(foldCount, Math.floor(modelsMs / Math.max(1e-9, best.modelMs!))));
  for (const trial of trials) trial.models = trial.models.slice(0, kept);
  if (kept < foldCount)
    warnings.push(`To answer within ${inWords(maxMs)}, models keep ${kept} of their ${foldCount} parts.`);
  return warnings;
}

/** Where one model will stand for those of the folds. */
export function keepOneModel(trials: readonly Trial[]): void {
  for (const trial of trials) trial.models = trial.models.slice(0, 1);
}

/** What one row takes with all models that a trial has. */
export function rowMs({ models, modelMs: perModel = 0 }: Trial): number {
  return models.length * perModel;
}

function isBaseline({ candidate }: Trial): boolean {
  return candidate.learner === 'baseline';
}

function bestOf(trials: readonly Trial[]): Trial | undefined {
  return trials.reduce<Trial | undefined>((a, b) => (a && a.utility >= b.utility ? a : b), undefined);
}

function inWords(value: number): string {
  return `${value >= 10 ? Math.round(value) : Number(value.toPrecision(2))} ms`;
}

/** What reading and encoding one row takes. */
function readingMs({ holdout, encoding }: Prepared, clock: Clock): number {
  return medianMs(clock, (turn) => {
    encodeFrame(selectRows(holdout.frame, Int32Array.of(turn % holdout.actual.length)), encoding);
  });
}

/** What one model takes for one row. */
export function modelMs({ holdout, target }: Prepared, model: RowModel, clock: Clock): number {
  const featureCount = holdout.table.features.length;
  const rows = new Float64Array(featureCount);
  const out = new Float64Array(outputCountOf(target.task, target.classes.length));
  return medianMs(clock, (turn) => {
    copyFeatureRow(holdout.table, turn % holdout.actual.length, rows);
    applyModel(model, { rows, rowCount: 1, featureCount }, out);
  });
}

function medianMs(clock: Clock, work: (turn: number) => void): number {
  for (let turn = 0; turn < warmUps; turn++) work(turn);
  const taken = Array.from({ length: measurements }, (_, turn) => {
    const startMs = clock.monotonicMs();
    work(turn);
    return clock.monotonicMs() - startMs;
  });
  const middle = taken.toSorted((a, b) => a - b)[measurements >> 1];
  assert(middle !== undefined, 'something was measured');
  return middle;
}
