// What a model knows about itself: everything in a model file except the long arrays. Plain JSON.
import type { JsonObject } from '../../base/json.ts';
import type { Encoding } from '../frame/encoding.ts';
import type { ColumnSchema, Task } from '../frame/schema.ts';
import type { Calibration } from './calibration.ts';
import type { DecisionCosts } from './costs.ts';
import type { IntervalTable } from './intervals.ts';
import type { RowModel } from './row-model.ts';
import type { PredictionSets } from './sets.ts';

/** Version of the engine that wrote the file; for people, not for deciding whether it can be read. */
export const engineVersion = '0.1.0';

/** How much worse the model gets when one column is shuffled: what the column is worth to it. */
export interface ColumnImportance {
  column: string;
  /** Loss of the metric, in its unit; near zero or below means that the column does not matter. */
  importance: number;
  /** Share of the sum of all positive importances, 0 to 1. */
  share: number;
}

/** What a model keeps to, whatever the data says. */
export interface ColumnConstraints {
  /** Answers (the probability of the positive class) never fall as these rise. */
  increasing: readonly string[];
  /** Answers never rise as these rise. */
  decreasing: readonly string[];
  /** Columns act together only within a group; a column in none acts on its own. Without it, all may act together. */
  interactionGroups?: readonly (readonly string[])[];
}

export interface ModelManifest {
  engineVersion: string;
  task: Task;
  /** Name of the column that it predicts. */
  target: string;
  /** Classes in the order of probabilities; empty for a regression. */
  classes: string[];
  /** Binary: the class whose probability scores speak of. */
  positiveClass?: string;
  /** What goes in, with the categories known from training. */
  schema: ColumnSchema[];
  /** Columns that were there in training and do not matter: accepted and ignored. */
  ignoredColumns: { column: string; reason: string }[];
  encoding: Encoding;
  calibration: Calibration;
  /** Classification: the class of largest probability times weight is predicted. */
  decisionWeights: number[];
  /** With them, the class of least expected cost is predicted instead; chances are probabilities times weights. */
  costs?: DecisionCosts;
  /** Regression: how far the truth lies from the prediction, as seen in cross-validation. */
  intervals?: IntervalTable;
  /** Classification: which classes may hold the truth, by what was seen in cross-validation. */
  sets?: PredictionSets;
  quality: {
    /** What the search optimised. */
    metric: string;
    crossValidationScore: number;
    holdoutRowCount: number;
    holdout: Record<string, number>;
  };
  importance: ColumnImportance[];
  constraints?: ColumnConstraints;
  warnings: string[];
  training: {
    /** Rows that the figures above are of models that learned from. */
    rowCount: number;
    /** Rows that these models learned from, when they learned once more after having been judged. */
    finalRowCount?: number;
    foldCount: number;
    seed: number;
    trialCount: number;
    /** Rows of the background in the file, where it has one. */
    backgroundRowCount?: number;
  };
}

/** One trial in the ensemble: its fold models are averaged, the members weighted. */
export interface EnsembleMember {
  learner: string;
  label: string;
  hyperparameters: JsonObject;
  /** Members' weights sum to one; that of a baseline may be below zero. */
  weight: number;
  models: RowModel[];
}

/** A whole model in memory. */
export interface ModelContent {
  manifest: ModelManifest;
  members: EnsembleMember[];
  /** Up to 32 input rows; their exact outputs are stored beside them and checked when the file is opened. */
  goldenRows: JsonObject[];
  /** Rows that it learned from, for explanations to compare with; none in files that keep no background. */
  background: JsonObject[];
}
