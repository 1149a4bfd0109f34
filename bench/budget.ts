// Whether trainings keep to what they promise: time (at most 1 % and 0.2 s over), memory (below the limit), a first model
// within two seconds, and scores that do not fall when more time is given. The last is judged on rows that no training saw,
// by whether 200 resamplings of them leave room for chance.
// Usage: node bench/budget.ts FOLDER [tables = all, or names with commas] [seconds = 10] [seeds = 1] [MiB = 2048] [log]
// FOLDER holds INDEX.json and the tables it names; `seconds` and `seeds` may be several, with commas. Each training runs in a
// process of its own. With `log`, results are added to that file as they come, and those that are there are not run again.
// The whole contract, `10,60,300` and seeds `1,2,3`, takes eight hours.
import { execFileSync } from 'node:child_process';
import { cpus, loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { seededRandom } from '../src/base/random.ts';
import { metricFor, utilityOf } from '../src/ml/metrics/metrics.ts';
import type { BudgetRun } from './budget-run.ts';
import { dataFileOf, ResultLog, tablesIn, tellingColumnsOf, type ListedTable } from './tables.ts';

interface Result extends BudgetRun {
  table: string;
  budgetSeconds: number;
  seed: number;
  load: number;
}

const resamplings = 200;

const [folder, tablesText, secondsText, seedsText, memoryText, logFile] = process.argv.slice(2);
if (!folder) throw new Error('Usage: node bench/budget.ts FOLDER [tables] [seconds] [seeds] [MiB] [log]');
const budgets = numbersIn(secondsText ?? '10').toSorted((a, b) => a - b);
const seeds = numbersIn(seedsText ?? '1');
const memoryMiB = Number(memoryText ?? 2048);
const tables = tablesIn(folder, tablesText);
const log = new ResultLog<Result>(logFile);
const shown: Result[] = [];

console.log(
  `machine: ${cpus().length} x ${cpus()[0]?.model.trim()}, Node ${process.version}, ${memoryMiB} MiB`,
);
for (const table of tables)
  for (const seed of seeds)
    for (const seconds of budgets) {
      const result = known(table.name, seconds, seed) ?? run(table, seconds, seed);
      shown.push(result);
      report(result);
    }
reportAll();

function numbersIn(text: string): number[] {
  return text.split(',').map(Number);
}

function known(table: string, seconds: number, seed: number): Result | undefined {
  return log.results.find((one) => one.table === table && one.budgetSeconds === seconds && one.seed === seed);
}

function run(table: ListedTable, seconds: number, seed: number): Result {
  const { name, target } = table;
  const script = fileURLToPath(new URL('./budget-run.ts', import.meta.url));
  const output = execFileSync(
    process.execPath,
    [
      script,
      dataFileOf(folder!, table),
      target,
      String(seconds),
      String(seed),
      String(memoryMiB),
      tellingColumnsOf(table).join(','),
    ],
    { encoding: 'utf8', maxBuffer: 2 ** 30, stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const measured = JSON.parse(output.trim().split('\n').at(-1)!) as BudgetRun;
  const result = { table: name, budgetSeconds: seconds, seed, load: loadavg()[0]!, ...measured };
  log.add(result);
  return result;
}

function overSeconds({ seconds, budgetSeconds }: Result): number {
  return seconds - (budgetSeconds * 1.01 + 0.2);
}

function report(one: Result): void {
  const { table, budgetSeconds, seed, seconds, finishingSeconds, baselineSeconds, peakMiB, trialCount } = one;
  const faults = [
    overSeconds(one) > 0 && `OVER by ${overSeconds(one).toFixed(2)} s`,
    peakMiB > memoryMiB && 'TOO MUCH MEMORY',
    baselineSeconds > 2 && 'LATE BASELINE',
  ].filter((fault) => fault !== false);
  console.log(
    [
      table.padEnd(24),
      `${budgetSeconds} s, seed ${seed}:`,
      `${seconds.toFixed(2)} s`,
      `(finishing ${finishingSeconds.toFixed(2)}, baseline after ${baselineSeconds.toFixed(2)}, CPU ${one.cpuSeconds.toFixed(1)})`,
      `${Math.round(peakMiB)} MiB, ${trialCount} trials, ${one.metric} ${Math.abs(scoreOf(one)).toPrecision(4)}`,
      `load ${one.load.toFixed(1)}`,
      ...(faults.length > 0
        ? [faults.join(', '), one.longest.map(({ label, seconds: took }) => `${label} ${took} s`).join(', ')]
        : []),
    ].join('  '),
  );
}

function reportAll(): void {
  const over = shown.filter((one) => overSeconds(one) > 0);
  const late = shown.filter(({ baselineSeconds }) => !(baselineSeconds <= 2));
  const large = shown.filter(({ peakMiB }) => peakMiB > memoryMiB);
  const most = (values: number[]): string => Math.max(...values).toFixed(2);
  console.log(
    `\n${shown.length} trainings. Over time: ${over.length}; most over the budget: ${most(shown.map(({ seconds, budgetSeconds }) => seconds - budgetSeconds))} s.`,
    `Baseline after 2 s: ${late.length}; latest ${most(shown.map(({ baselineSeconds }) => baselineSeconds))} s.`,
    `Beyond ${memoryMiB} MiB: ${large.length}; most ${Math.round(Math.max(...shown.map(({ peakMiB }) => peakMiB)))} MiB.`,
  );
  const steps = shown.flatMap((one) => {
    const next = budgets[budgets.indexOf(one.budgetSeconds) + 1];
    const more = shown.find(
      ({ table, seed, budgetSeconds }) => table === one.table && seed === one.seed && budgetSeconds === next,
    );
    return more ? [{ one, more, gain: gainOf(one, more) }] : [];
  });
  if (steps.length === 0) return;
  const worse = steps.filter(({ gain }) => gain.highest < 0);
  const better = steps.filter(({ gain }) => gain.lowest > 0);
  console.log(
    `More time: ${steps.length} steps, clearly better ${better.length}, clearly worse ${worse.length}, no clear difference ${steps.length - better.length - worse.length}.`,
  );
  for (const { one, more, gain } of worse)
    console.log(
      `  worse: ${one.table} seed ${one.seed}, ${one.budgetSeconds} to ${more.budgetSeconds} s: ${scoreOf(one).toPrecision(5)} to ${scoreOf(more).toPrecision(5)} (95 %: ${gain.lowest.toPrecision(2)} to ${gain.highest.toPrecision(2)})`,
    );
}

/** The metric of the rows at `rows`, all of them otherwise, so that more is better. */
function scoreOf(result: BudgetRun, rows?: Int32Array): number {
  const { actual, answers, task, classCount } = result;
  const outputCount = task === 'regression' ? 1 : classCount;
  const taken = (rows ?? Int32Array.from(actual, (_, row) => row)).filter(
    (row) => task === 'regression' || actual[row]! >= 0,
  );
  const probabilities = new Float64Array(taken.length * outputCount);
  taken.forEach((row, index) => {
    for (let output = 0; output < outputCount; output++)
      probabilities[index * outputCount + output] = answers[row * outputCount + output]!;
  });
  const metric = metricFor(result.metric, task);
  const scored = {
    task,
    actual: Float64Array.from(taken, (row) => actual[row]!),
    predicted: probabilities,
    probabilities,
    classCount,
    positiveClass: classCount - 1,
  };
  return utilityOf(metric, metric.compute(scored));
}

/** Where 95 of 100 resamplings of the rows put what more time brought. */
function gainOf(one: Result, more: Result): { lowest: number; highest: number } {
  const random = seededRandom(5);
  const count = one.actual.length;
  const gains = Array.from({ length: resamplings }, () => {
    const rows = Int32Array.from({ length: count }, () => random.below(count));
    return scoreOf(more, rows) - scoreOf(one, rows);
  }).sort((a, b) => a - b);
  return {
    lowest: gains[Math.floor(resamplings * 0.025)]!,
    highest: gains[Math.ceil(resamplings * 0.975) - 1]!,
  };
}
