// The search of a training, over all rows of the content, or, where these are too many to be in memory, over a sample of
// them, after which boosted trees learn from all rows (ml/search/all-rows.ts).
import type { Recipe } from '../../contract/training.ts';
import { systemClock } from '../../base/time.ts';
import type { Column, Frame } from '../../ml/frame/frame.ts';
import type { Draws } from '../../ml/frame/row-stream.ts';
import { trainOnAllRows } from '../../ml/search/all-rows.ts';
import type { SearchInput, SearchResult } from '../../ml/search/recipe.ts';
import { search } from '../../ml/search/search.ts';
import { readColumns } from '../data/read-columns.ts';
import { searchRecipe } from './engine-recipe.ts';
import { summariseFields, type FieldSummary } from './field-summaries.ts';
import { frameOf } from './frame.ts';
import { rowPartsOf, type RowParts } from './row-parts.ts';

export interface SearchedRows {
  found: SearchResult;
  fields: FieldSummary[];
  rows: RowCounts;
}

/** Which rows a training used. */
export interface RowCounts {
  /** Of the dataset version. */
  total: number;
  /** That models were compared on. */
  search: number;
  /** That the final model learned from. */
  model: number;
  /** That neither saw, and the final model is judged by. */
  holdout: number;
}

export interface RowsToSearch extends Omit<SearchInput, 'frame' | 'recipe' | 'clock'> {
  contentPath: string;
  recipe: Recipe;
  /** What the search may take beyond its frame. */
  memoryBytes: number;
  workFolder: string;
}

/** Of the time, what the search may take where trees learn from all rows afterwards. */
const sampleShare = 0.4;
/**
 * What reading a value twice and putting it into its bin takes at least: 3.2e-7 s of a processor (bench/large.ts), shared
 * by two. And the share of the time that it may take; the rest is for trees.
 */
const secondsPerCell = 1.6e-7;
const mostReadingShare = 0.5;
const mostSpentShare = 0.9;

/** Reads the content and searches. */
export async function searchRows(input: RowsToSearch): Promise<SearchedRows> {
  const parts = await rowPartsOf(input.contentPath, input);
  if (!parts) return searchAll(input);
  try {
    return await searchSample(input, parts);
  } finally {
    parts.stream.close();
  }
}

async function searchAll({
  contentPath,
  recipe,
  memoryBytes,
  workFolder,
  ...rest
}: RowsToSearch): Promise<SearchedRows> {
  const frame = frameOf(await readColumns(contentPath, { workFolder }));
  const found = await search({
    ...rest,
    frame,
    recipe: searchRecipe(recipe, memoryBytes),
    clock: systemClock,
  });
  const { training, holdout } = found.rows;
  return {
    found,
    fields: summariseFields(frame, recipe.target),
    rows: { total: frame.rowCount, search: training, model: learnedFrom(found), holdout },
  };
}

async function searchSample(input: RowsToSearch, parts: RowParts): Promise<SearchedRows> {
  const { recipe, memoryBytes, contentPath: _, workFolder: __, ...rest } = input;
  const { rowCount, columnNames } = parts.stream;
  const { seconds, trials } = recipe.budget;
  const readingSeconds = rowCount * columnNames.length * secondsPerCell;
  const hasTime = trials !== null || readingSeconds <= mostReadingShare * seconds;
  const { found, fields, kinds, startMs } = await searchDrawn(input, parts, hasTime ? sampleShare : 1);
  const whole = hasTime
    ? await trainOnAllRows({
        ...rest,
        ...parts,
        found,
        recipe: searchRecipe(recipe, memoryBytes),
        read: readerOf(input, parts, kinds),
        memoryBytes,
        clock: systemClock,
        ...(trials === null && { deadlineMs: startMs + seconds * 1000 }),
      })
    : tooLittleTime(found, rowCount);
  const elapsedSeconds = (systemClock.monotonicMs() - startMs) / 1000;
  return {
    found: { ...whole, timing: { ...whole.timing, seconds: elapsedSeconds } },
    fields,
    rows: {
      total: rowCount,
      search: found.rows.training,
      model: learnedFrom(whole),
      holdout: whole.rows.holdout,
    },
  };
}

/**
 * Searches among the sample, in this share of the time. `kinds` is a frame without rows that says what its columns are:
 * the sample itself is not kept, to leave its memory to what follows.
 */
async function searchDrawn(
  { contentPath, recipe, memoryBytes, workFolder, ...rest }: RowsToSearch,
  { sample }: RowParts,
  share: number,
): Promise<{ found: SearchResult; kinds: Frame; fields: FieldSummary[]; startMs: number }> {
  const drawn = { ...sample, seed: recipe.seed };
  const frame = frameOf(await readColumns(contentPath, { workFolder, drawn }));
  const startMs = systemClock.monotonicMs() - spentMs(rest.journal, recipe);
  const asked = searchRecipe(recipe, memoryBytes);
  const { seconds } = asked.budget;
  // What is to learn from all rows need not learn from the sample's holdout first.
  const refit = share === 1 && asked.refit !== false;
  const found = await search({
    ...rest,
    frame,
    recipe: {
      ...asked,
      refit,
      budget: { ...asked.budget, ...(seconds !== undefined && { seconds: seconds * share }) },
    },
    clock: systemClock,
    onProgress: (event) =>
      rest.onProgress?.(event.kind === 'progress' ? { kind: 'progress', share: event.share * share } : event),
  });
  return { found, kinds: withoutRows(frame), fields: summariseFields(frame, recipe.target), startMs };
}

/** What earlier tries have used of the time, as far as it counts (ml/search/search.ts). */
function spentMs(journal: SearchInput['journal'], { budget }: Recipe): number {
  return Math.min(journal?.spentMs ?? 0, mostSpentShare * budget.seconds * 1000);
}

function withoutRows({ columns }: Frame): Frame {
  return {
    rowCount: 0,
    columns: columns.map(({ name, kind }): Column => {
      if (kind === 'text') return { name, kind, values: [] };
      if (kind === 'categorical') return { name, kind, codes: new Int32Array(0), categories: [] };
      return { name, kind, values: new Float64Array(0) };
    }),
  };
}

function readerOf(
  { contentPath, recipe, workFolder }: RowsToSearch,
  { stream }: RowParts,
  kinds: Frame,
): (draws: Draws, mostRows?: number) => Promise<Frame> {
  return async ({ from, to }, mostRows = Infinity) => {
    const drawn = { from, to: Math.min(to, from + mostRows / stream.rowCount), seed: recipe.seed };
    return frameOf(await readColumns(contentPath, { workFolder, drawn }), kinds);
  };
}

function tooLittleTime(found: SearchResult, total: number): SearchResult {
  const warning = `The model learned from ${learnedFrom(found)} of ${total} rows, drawn at random: there was no time to learn from all. Allow a larger budget.`;
  const warnings = [...found.warnings, warning];
  found.model.manifest.warnings = warnings;
  return { ...found, warnings };
}

/** The rows of the final model, which may include those that had judged it. */
function learnedFrom({ model, rows }: SearchResult): number {
  return model.manifest.training.finalRowCount ?? rows.training;
}
