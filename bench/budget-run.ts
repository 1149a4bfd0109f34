// One training of bench/budget.ts in a process of its own, as a worker runs it: from the file to a model, on four fifths of
// the rows. Says in one line of JSON what it took, and what the model answers for the other fifth.
// Usage: node bench/budget-run.ts FILE TARGET budget-seconds seed memory-MiB [columns to leave out, with commas]
import { systemClock } from '../src/base/time.ts';
import { encodeFrame, copyFeatureRows } from '../src/ml/frame/encoding.ts';
import { columnNamed, selectRows, type Frame } from '../src/ml/frame/frame.ts';
import { foldRows } from '../src/ml/frame/split.ts';
import type { ModelContent } from '../src/ml/model/manifest.ts';
import { applyEnsemble } from '../src/ml/model/predictor.ts';
import { outputCountOf } from '../src/ml/model/row-model.ts';
import { search } from '../src/ml/search/search.ts';
import { readTarget } from '../src/ml/search/task.ts';
import type { TrialReport } from '../src/ml/search/recipe.ts';
import { readColumns } from '../src/pipeline/data/read-columns.ts';
import { frameOf } from '../src/pipeline/train/frame.ts';
import { openTrainingThreads } from '../src/platform/drivers/training-threads.ts';
import { importLocally } from '../src/programs/cli/local/import-file.ts';
import { localTaskContext } from '../src/programs/cli/local/local-task.ts';
import { withWorkFolder } from '../src/programs/cli/local/work-folder.ts';

/** What the line of JSON says. */
export interface BudgetRun {
  /** Wall clock of the search, which the budget is of, and its parts. */
  seconds: number;
  preparingSeconds: number;
  searchingSeconds: number;
  finishingSeconds: number;
  /** From the start of the search to the end of its first trial. */
  baselineSeconds: number;
  cpuSeconds: number;
  /** The largest memory that the process held, in MiB, reading and checking included. */
  peakMiB: number;
  trialCount: number;
  task: 'binary' | 'multiclass' | 'regression';
  metric: string;
  classCount: number;
  /** Of the rows that it did not see: the truth, and row-major probabilities or values. */
  actual: number[];
  answers: number[];
  /** The longest trials, to see what overran. */
  longest: { label: string; seconds: number }[];
}

/** Beside the search there are reading, the runtime and writing; as in trainings. */
const searchMemoryShare = 0.6;

if (import.meta.main) {
  const [file, target, seconds, seed, memoryMiB, without] = process.argv.slice(2);
  if (!memoryMiB)
    throw new Error('Usage: node bench/budget-run.ts FILE TARGET seconds seed memory-MiB [without]');
  const frame = await readTable(file!, without ? without.split(',') : []);
  const run = await runOnce(frame, {
    target: target!,
    seconds: Number(seconds),
    seed: Number(seed),
    memoryBytes: Number(memoryMiB) * 2 ** 20,
  });
  console.log(JSON.stringify(run));
}

async function readTable(file: string, without: readonly string[]): Promise<Frame> {
  return await withWorkFolder(async (workFolder) => {
    const quiet = { update: () => undefined, line: () => undefined, end: () => undefined };
    const context = localTaskContext({ workFolder, signal: new AbortController().signal, progress: quiet });
    const { contentPath } = await importLocally(file, {}, context);
    const { rowCount, columns } = frameOf(await readColumns(contentPath, { workFolder }));
    return { rowCount, columns: columns.filter(({ name }) => !without.includes(name)) };
  });
}

async function runOnce(
  frame: Frame,
  budget: { target: string; seconds: number; seed: number; memoryBytes: number },
): Promise<BudgetRun> {
  const { target, seconds, seed, memoryBytes } = budget;
  const recipe = {
    target,
    task: 'auto',
    metric: 'auto',
    budget: { seconds, memoryBytes: memoryBytes * searchMemoryShare },
    seed,
  } as const;
  const read = readTarget(columnNamed(frame, target), recipe);
  const strata = read.task === 'regression' ? {} : { strata: Int32Array.from(read.values) };
  const fold = foldRows({ rowCount: read.rows.length, foldCount: 5, seed: 11, ...strata })[seed % 5]!;
  const threads = openTrainingThreads();
  const startMs = performance.now();
  const begun = process.cpuUsage();
  let baselineSeconds = Number.NaN;
  const trials: TrialReport[] = [];
  const found = await search({
    frame: selectRows(
      frame,
      fold.training.map((row) => read.rows[row]!),
    ),
    recipe: { ...recipe, task: read.task },
    clock: systemClock,
    threads,
    memory: { limitBytes: memoryBytes, takenBytes: () => process.memoryUsage.rss() },
    onProgress: (event) => {
      if (event.kind !== 'trial-finished') return;
      if (event.trial.state === 'finished' && Number.isNaN(baselineSeconds))
        baselineSeconds = (performance.now() - startMs) / 1000;
      trials.push(event.trial);
    },
  }).finally(() => threads.close());
  const used = process.cpuUsage(begun);
  const truth = fold.validation.map((row) => read.rows[row]!);
  return {
    ...found.timing,
    baselineSeconds,
    cpuSeconds: (used.user + used.system) / 1e6,
    peakMiB: process.resourceUsage().maxRSS / 1024,
    trialCount: trials.length,
    task: found.task as BudgetRun['task'],
    metric: found.metric.name,
    classCount: found.classes.length,
    // Rare classes may be missing among the rows to learn from: then they have no number there, and are left out.
    actual: Array.from(fold.validation, (row) =>
      read.task === 'regression'
        ? read.values[row]!
        : found.classes.indexOf(read.classes[read.values[row]!]!),
    ),
    answers: [...answersOf(found.model, selectRows(frame, truth))],
    longest: trials
      .sort((a, b) => b.seconds - a.seconds)
      .slice(0, 3)
      .map(({ label, seconds: took }) => ({ label, seconds: Number(took.toFixed(2)) })),
  };
}

function answersOf(content: ModelContent, frame: Frame): Float64Array {
  const { encoding, task, classes } = content.manifest;
  const outputCount = outputCountOf(task, classes.length);
  const answers = new Float64Array(frame.rowCount * outputCount);
  const blockRows = 500;
  for (let from = 0; from < frame.rowCount; from += blockRows) {
    const rowCount = Math.min(blockRows, frame.rowCount - from);
    const rows = Int32Array.from({ length: rowCount }, (_, row) => from + row);
    const table = encodeFrame(selectRows(frame, rows), encoding);
    const block = new Float64Array(rowCount * table.features.length);
    copyFeatureRows(
      table,
      Int32Array.from(rows, (row) => row - from),
      block,
    );
    answers.set(applyEnsemble(content, block, rowCount), from * outputCount);
  }
  return answers;
}
