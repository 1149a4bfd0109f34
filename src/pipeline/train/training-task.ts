// The worker's half of a training: columns from the Parquet content, the search, a model file in the work folder.
// It has no database and no network; `pilvi fit` runs the same function without a server.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { z } from 'zod';
import type { JsonObject } from '../../base/json.ts';
import type { Recipe, training } from '../../contract/training.ts';
import { writeModel } from '../../ml/model/model.ts';
import type { SearchEvent, SearchResult, TrialReport } from '../../ml/search/recipe.ts';
import { openTrainingThreads } from '../../platform/drivers/training-threads.ts';
import type { Task } from '../../platform/ports/jobs.ts';
import type { FieldSummary } from './field-summaries.ts';
import { searchRows, type RowCounts } from './search-rows.ts';
import { openTrainingJournal } from './training-journal.ts';
import type { Trial } from './trials.ts';

export type TrainingTaskInput = {
  /** Local path of the dataset version's Parquet content. */
  contentPath: string;
  recipe: Recipe;
  memoryBytes: number;
};

type Shown = z.output<typeof training>;

/** What is kept of a training beside the model file. */
export type TrainingResult = {
  [Field in 'task' | 'metric' | 'score' | 'taskReason' | 'evaluation' | 'importance']: NonNullable<
    Shown[Field]
  >;
} & Pick<Shown, 'leaderboard' | 'droppedColumns' | 'warnings'> & {
    crossValidationScore: number;
    /** Hints for forms. */
    fields: FieldSummary[];
    rows: RowCounts;
    /** Wall clock of the search: what is charged. */
    seconds: number;
  };

export interface TrainingTaskOutput {
  /** In the work folder. */
  modelFileName: string;
  result: TrainingResult;
}

/** The parts of the memory limit that reading, the runtime and writing the model take; the search gets the rest. */
const reservedMemoryShare = 0.4;

export const run: Task<TrainingTaskInput, TrainingTaskOutput> = async (
  { contentPath, recipe, memoryBytes },
  context,
) => {
  context.progress(0, 'reading the data');
  const threads = openTrainingThreads();
  const journal =
    context.keptFolder === undefined ? undefined : await openTrainingJournal(context.keptFolder);
  const { found, fields, rows } = await searchRows({
    contentPath,
    recipe,
    memoryBytes: Math.floor(memoryBytes * (1 - reservedMemoryShare)),
    memory: { limitBytes: memoryBytes, takenBytes: () => process.memoryUsage.rss() },
    workFolder: context.workFolder,
    signal: context.signal,
    threads,
    ...(journal && { journal }),
    onProgress: (event) => report(event, context),
  }).finally(() => Promise.all([threads.close(), journal?.close()]));
  const modelFileName = 'model.pilvi';
  await writeFile(join(context.workFolder, modelFileName), await writeModel(found.model));
  return { modelFileName, result: { ...resultOf(found), fields, rows } };
};

function report(event: SearchEvent, context: Parameters<typeof run>[1]): void {
  switch (event.kind) {
    case 'progress':
      context.progress(
        event.share,
        event.secondsLeft === undefined ? 'training' : `about ${Math.ceil(event.secondsLeft)} s left`,
      );
      return;
    case 'trial-started':
    case 'trial-finished': {
      const trial = trialOf(event.trial);
      context.report({ name: event.kind, key: trial.id, data: { trial: trial as unknown as JsonObject } });
      return;
    }
    case 'stage':
    case 'curve': {
      const { kind, ...data } = event;
      context.report({ name: kind, data: data as unknown as JsonObject });
      return;
    }
    default:
      event satisfies never;
  }
}

function resultOf(found: SearchResult): Omit<TrainingResult, 'fields' | 'rows'> {
  const {
    task,
    taskReason,
    metric,
    crossValidationScore,
    evaluation,
    importance,
    droppedColumns,
    warnings,
    timing,
  } = found;
  return {
    task,
    taskReason,
    metric: metric.name,
    score: evaluation.metrics[metric.name] ?? crossValidationScore,
    crossValidationScore,
    evaluation: { ...evaluation, trust: found.trust },
    importance: importance.map(({ column, importance: value }) => ({ column, importance: value })),
    leaderboard: found.leaderboard.map(trialOf),
    droppedColumns,
    warnings,
    seconds: timing.seconds,
  };
}

function trialOf({ problem, weight, ...trial }: TrialReport): Trial {
  return {
    ...trial,
    hyperparameters: { ...trial.hyperparameters },
    weight,
    problem: problem?.detail ?? null,
  };
}
