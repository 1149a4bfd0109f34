// What explains the answers of a model file and needs nothing but the file: in a server's worker, on the command line and,
// bundled as dist/explainer.js, in a page.
import type { ModelContent, ModelManifest } from '../model/manifest.ts';
import type { Trust } from '../model/header.ts';
import { readModel } from '../model/model.ts';
import {
  comparisonOf,
  explainerOf,
  type Comparison,
  type Explainer,
  type Explanation,
} from './attributions.ts';
import {
  findCounterfactuals,
  type CounterfactualAnswer,
  type CounterfactualQuestion,
} from './counterfactuals.ts';

type Rows = readonly Record<string, unknown>[];

export interface WhyOptions {
  /** The class to explain; by default the one predicted. */
  outcome?: string;
  /** Rows to compare with, instead of those that the file holds. */
  compareWith?: Rows;
}

/** Why answers came out as they did. */
export interface Why {
  explanations: Explanation[];
  comparedWith: Comparison;
}

export interface ModelExplainer {
  manifest: ModelManifest;
  /** What each column adds to the answers for rows. @throws Problem `prediction-input` or `invalid-request` */
  explain: (rows: Rows, options?: WhyOptions) => Why;
  /** What would have to be otherwise. @throws Problem `prediction-input` or `invalid-request` */
  findCounterfactuals: (question: CounterfactualQuestion) => CounterfactualAnswer;
}

/** An explainer from the bytes of a model file, which then belong to it. @throws Problem as `openModel` does */
export async function openExplainer(bytes: Uint8Array, trust?: Trust): Promise<ModelExplainer> {
  return modelExplainer(await readModel(bytes, trust));
}

/** An explainer for a model in memory. */
export function modelExplainer(content: ModelContent): ModelExplainer {
  /** With what the file holds; made once, for that takes longer than to explain a row. */
  let own: Explainer | undefined;
  return {
    manifest: content.manifest,
    explain: (rows, { outcome, compareWith = [] } = {}) => {
      const explainer =
        compareWith.length > 0 ? explainerOf(content, compareWith) : (own ??= explainerOf(content));
      return { explanations: explainer(rows, outcome), comparedWith: comparisonOf(content, compareWith) };
    },
    findCounterfactuals: (question) => findCounterfactuals(content, question),
  };
}
