// What a search is asked, what it tells while it runs, and what it answers. Plain data throughout, but for the model.
import type { Clock } from '../../base/time.ts';
import type { DroppedColumn } from '../frame/fit-encoding.ts';
import type { Frame } from '../frame/frame.ts';
import type { Task } from '../frame/schema.ts';
import type { Hyperparameters } from '../learners/learner.ts';
import type { Evaluation } from '../metrics/evaluation.ts';
import type { ColumnConstraints, ColumnImportance, ModelContent } from '../model/manifest.ts';
import type { CostsOfDecisions } from './costs.ts';
import type { TrainingThreads } from './fit-service.ts';
import type { Journal } from './journal.ts';
import type { MemoryGauge } from './memory.ts';
import type { TrustReport } from './trust.ts';

/** What to learn, from what, within which budget. */
export interface Recipe {
  target: string;
  task: Task | 'auto';
  /** Name of a metric, or `auto`: AUC, log loss, RMSE or NDCG by task. */
  metric: string;
  budget: {
    /** Wall-clock limit of the whole search; of very large frames a random part is then used. Needed unless `trials` is given. */
    seconds?: number;
    /** Exactly so many trials: time then steers nothing, and the same seed gives the same bytes. */
    trials?: number;
    /** Limit of what training may allocate beyond the frame; rows are left out to stay below it. */
    memoryBytes?: number;
  };
  /**
   * Milliseconds that the answer to one row may take, measured where the search runs: slower models are thinned out or
   * left out. What is chosen then depends on the machine.
   */
  maxPredictMs?: number;
  /** One model on all training rows, in place of one for each fold. */
  compact?: boolean;
  seed: number;
  /** Cross-validation folds, 2 to 20; chosen by size and budget when absent. */
  folds?: number;
  /** Share of rows that are locked away and used once, at the end. Default 0.2, from 0.05 to 0.5. */
  holdoutShare?: number;
  /**
   * Whether the chosen models learn once more when the holdout has judged them, then from its rows too. Default true; as
   * far as time allows. Figures speak of the models before.
   */
  refit?: boolean;
  /**
   * Whether the model file keeps a background: up to 100 rows of the training, which explanations compare with. Default
   * true; without it they follow how the training rows divided.
   */
  backgroundRows?: boolean;
  /** Binary: the class that counts as positive. */
  positiveClass?: string;
  excludedColumns?: readonly string[];
  /**
   * Rows with equal values here (of one patient, one query) are never divided between training, folds and holdout.
   * A ranking orders the rows of each group, and needs it.
   */
  groupColumn?: string;
  /** The order of time: learned from earlier rows, judged by later ones. Dates or numbers; not with a group column. */
  timeColumn?: string;
  /** What must not be learned; learners that cannot keep to it are then not tried. */
  constraints?: ColumnConstraints;
  /** Columns that tell groups of people apart: the report says how each is treated. They may be excluded as well. */
  protectedColumns?: readonly string[];
  /** What decisions cost: the model then decides for what costs least. The metric `cost` needs it. */
  costs?: CostsOfDecisions;
}

export interface SearchInput {
  frame: Frame;
  recipe: Recipe;
  clock: Clock;
  signal?: AbortSignal;
  /** Other threads that trainings may use; what trials find does not depend on them. */
  threads?: TrainingThreads;
  /** Measures memory, so that trials end before the process does. What is tried then depends on the machine. */
  memory?: MemoryGauge;
  /** What earlier tries of this very search left behind, and where its trials are noted. */
  journal?: Journal;
  /** Called often; must return quickly and not throw. */
  onProgress?: (event: SearchEvent) => void;
}

export type SearchStage = 'preparing' | 'baseline' | 'searching' | 'ensembling' | 'evaluating' | 'done';

export type SearchEvent =
  | { kind: 'stage'; stage: SearchStage; message: string }
  | { kind: 'trial-started' | 'trial-finished'; trial: TrialReport }
  | {
      kind: 'curve';
      trialId: string;
      points: { iteration: number; trainScore?: number; validationScore: number }[];
    }
  | { kind: 'progress'; share: number; secondsLeft?: number };

/** `stopped`: given up after a sample or the first fold, being behind. `failed`: `problem` says why; the search goes on. */
export type TrialState = 'running' | 'finished' | 'stopped' | 'failed';

export interface TrialReport {
  id: string;
  learner: string;
  label: string;
  hyperparameters: Hyperparameters;
  /** The metric over all validation rows; null when there is none. */
  score: number | null;
  foldScores: number[];
  /** Rows that each fold learned from, and folds whose other rows judged it; absent before there is one. */
  judgedOn?: { rowCount: number; foldCount: number };
  seconds: number;
  state: TrialState;
  /** Weight in the final ensemble, 0 when it is not part of it. */
  weight: number;
  problem?: { code: string; detail: string };
}

export interface SearchResult {
  /** Ready for `writeModel` or `predictorOf`. */
  model: ModelContent;
  /** Every trial, best first. */
  leaderboard: TrialReport[];
  task: Task;
  taskReason: string;
  classes: string[];
  metric: { name: string; label: string; greaterIsBetter: boolean };
  /** The metric of the ensemble's out-of-fold predictions. */
  crossValidationScore: number;
  evaluation: Evaluation;
  /** What it does: curves, weak spots, groups of people. */
  trust: TrustReport;
  importance: ColumnImportance[];
  droppedColumns: DroppedColumn[];
  warnings: string[];
  /** Those among the warnings that come from the learners of the model. */
  notes: string[];
  rows: { training: number; holdout: number; withoutTarget: number };
  timing: { seconds: number; preparingSeconds: number; searchingSeconds: number; finishingSeconds: number };
}
