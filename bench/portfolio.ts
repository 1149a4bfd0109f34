// Learns the order of src/ml/search/portfolio.ts: many settings on many tables, then greedily the next entry that most
// improves what is reached so far, for the time it takes (after Feurer et al., Auto-sklearn 2.0, 2022, and Salinas and
// Erickson, TabRepo, 2024). What is reached is a blend, since the search ends with an ensemble: each entry is added with the
// weight that out-of-fold rows like best, and judged on the holdout. Whether the order generalises is told by leaving out
// a fifth of the sources at a time, beside the order there, which was made by hand.
// Usage: node bench/portfolio.ts FOLDER CACHE [part = 1/1] [most processor seconds = 1200]
// FOLDER holds the public data sets; CACHE keeps what was run: stop and go on as you like, or run parts (1/2 and 2/2) side
// by side. The order is learned from the tables that are complete.
import { cpus } from 'node:os';
import { mean } from './averages.ts';
import { drawnSettings, handMade, judgeOf, prepareTable, readRuns, runAll } from './portfolio-runs.ts';
import type { Judge, Run, Setting } from './portfolio-runs.ts';
import { portfolioTables, type Table } from './portfolio-tables.ts';

/** A table, and what the settings reached on it. */
interface Known {
  table: Table;
  judge: Judge;
  runs: ReadonlyMap<string, Run>;
  /** Utility as a share of what lies between the best setting (0) and the middle one (1). */
  errorOf: (utility: number) => number;
  /** What the default boosted trees took. */
  unitSeconds: number;
  /** Of orders that begin alike, the beginning is judged once. */
  reached: Map<string, Reached>;
}

interface Reached {
  outOfFold: Float64Array;
  holdout: Float64Array;
  utility: number;
  error: number;
  /** Of the default boosted trees' time. */
  time: number;
}

const first = 'Baseline';
const unit = 'Boosted trees';
const entryCount = 12;
/** Parts of the sources, each left out once. */
const leftOutParts = 5;
const blendWeights = [0.2, 0.5, 1];
const worstError = 3;
const times = [1, 3, 10, 30];
const counts = [3, 6, 9, 12];

const [folder, cache, partText, secondsText] = process.argv.slice(2);
if (!folder || !cache) throw new Error('Usage: node bench/portfolio.ts FOLDER CACHE [part] [seconds]');
const [part, partCount] = (partText ?? '1/1').split('/').map(Number);
const tables = portfolioTables(folder);
const settings = distinct([...handMade, ...drawnSettings()]);
console.log(`machine: ${cpus().length} x ${cpus()[0]?.model.trim()}, Node ${process.version}`);
console.log(`${settings.length} settings, ${tables.length} tables`);
const own = tables.filter((_, index) => index % partCount! === part! - 1);
await runAll(own, settings, { cache, mostSeconds: Number(secondsText ?? 1200) });

const complete = tables.filter((table) => {
  const runs = readRuns(table, cache);
  return settings.every(({ name }) => runs.has(name));
});
if (complete.length < tables.length)
  console.log(`Only ${complete.length} tables are complete: for the others run again, or other parts.`);
if (complete.length > 1) report(complete.map(know));

/** Each setting once, by its first name. */
function distinct(all: readonly Setting[]): Setting[] {
  return [...new Map(all.toReversed().map((one) => [keyOf(one), one])).values()].toReversed();
}

function keyOf({ learner, hyperparameters }: Setting): string {
  return JSON.stringify([learner, Object.entries(hyperparameters).sort()]);
}

/** Names of settings as they are known here. */
function namesOf(order: readonly Setting[]): string[] {
  return order.flatMap((one) => settings.find((setting) => keyOf(setting) === keyOf(one))?.name ?? []);
}

function know(table: Table): Known {
  const judge = judgeOf(prepareTable(table));
  const runs = new Map([...readRuns(table, cache!)].flatMap(([name, run]) => (run ? [[name, run]] : [])));
  const utilities = [...runs.values()].map((run) => judge.holdout(run.holdout)).sort((a, b) => b - a);
  const best = utilities[0]!;
  const middle = utilities[utilities.length >> 1]!;
  const spread = Math.max(best - middle, 0.03 * (best - utilities.at(-1)!), 1e-12);
  return {
    table,
    judge,
    runs,
    errorOf: (utility) => Math.min(worstError, (best - utility) / spread),
    unitSeconds: runs.get(unit)!.seconds,
    reached: new Map(),
  };
}

/** What an order reaches on a table. Entries that do not fit it are passed over. */
function reach(known: Known, order: readonly string[]): Reached {
  const key = order.join('|');
  const remembered = known.reached.get(key);
  if (remembered) return remembered;
  const name = order.at(-1)!;
  const run = known.runs.get(name);
  const earlier = order.length > 1 ? reach(known, order.slice(0, -1)) : undefined;
  const found = run ? blend(known, run, earlier) : earlier!;
  known.reached.set(key, found);
  return found;
}

function blend({ judge, errorOf, unitSeconds }: Known, run: Run, earlier: Reached | undefined): Reached {
  const time = (earlier?.time ?? 0) + run.seconds / unitSeconds;
  let best = earlier && { ...earlier, time };
  for (const weight of earlier ? blendWeights : [1]) {
    const outOfFold = mixed(earlier?.outOfFold, run.outOfFold, weight);
    const utility = judge.outOfFold(outOfFold);
    if (best && utility <= best.utility) continue;
    const holdout = mixed(earlier?.holdout, run.holdout, weight);
    best = { outOfFold, holdout, utility, error: errorOf(judge.holdout(holdout)), time };
  }
  return best!;
}

function mixed(old: Float64Array | undefined, added: Float64Array, weight: number): Float64Array {
  return old ? added.map((value, index) => weight * value + (1 - weight) * old[index]!) : added;
}

/** Greedy: the most error taken away for the square root of the time. */
function learn(from: readonly Known[]): string[] {
  const order = [first];
  const names = settings.map(({ name }) => name);
  while (order.length < entryCount) {
    let best: { name: string; promise: number } | undefined;
    for (const name of names.filter((one) => !order.includes(one))) {
      const gains = from.map((known) => reach(known, order).error - reach(known, [...order, name]).error);
      const costs = from.map(({ runs, unitSeconds }) => (runs.get(name)?.seconds ?? 0) / unitSeconds);
      const promise = mean(gains) / Math.sqrt(Math.max(0.05, mean(costs)));
      if (promise > (best?.promise ?? 0)) best = { name, promise };
    }
    if (!best) break;
    order.push(best.name);
  }
  return order;
}

function report(all: readonly Known[]): void {
  const learned = learn(all);
  console.log('\nThe order learned from all tables, error and time after each entry:');
  learned.forEach((name, index) => {
    const states = all.map((known) => reach(known, learned.slice(0, index + 1)));
    const { learner, hyperparameters } = settings.find((setting) => setting.name === name)!;
    console.log(
      [
        mean(states.map(({ error }) => error)).toFixed(3),
        `${mean(states.map(({ time }) => time)).toFixed(1)} x`.padStart(7),
        name,
        learner,
        JSON.stringify(hyperparameters),
      ].join('  '),
    );
  });
  const sources = [...new Set(all.map(({ table: { source } }) => source))];
  const partOf = ({ table: { source } }: Known): number => sources.indexOf(source) % leftOutParts;
  const orders = Array.from({ length: leftOutParts }, (_, index) =>
    learn(all.filter((known) => partOf(known) !== index)),
  );
  const contestants: Record<string, (known: Known) => readonly string[]> = {
    'made by hand': () => namesOf(handMade),
    'learned from the others': (known) => orders[partOf(known)]!,
    'learned from all': () => learned,
  };
  console.log(
    '\nMean error (0: best single setting, 1: middle one) after so many times the default trees, or entries:',
  );
  for (const [label, orderFor] of Object.entries(contestants)) {
    const byTime = times.map((time) => mean(all.map((known) => errorAt(known, orderFor(known), time))));
    const byCount = counts.map((count) =>
      mean(all.map((known) => reach(known, orderFor(known).slice(0, count)).error)),
    );
    console.log(
      `${label.padEnd(26)} ${times.map((time, at) => `${time} x: ${byTime[at]!.toFixed(3)}`).join('  ')}  |  ${counts.map((count, at) => `${count}: ${byCount[at]!.toFixed(3)}`).join('  ')}`,
    );
  }
  console.log('\nError by table after 10 x: made by hand, learned with its source left out');
  for (const known of all)
    console.log(
      `${known.table.name.padEnd(60)} ${errorAt(known, namesOf(handMade), 10).toFixed(2).padStart(6)} ${errorAt(known, orders[partOf(known)]!, 10).toFixed(2).padStart(6)}`,
    );
}

/** Of the entries that are done after so many times what the default boosted trees take; at least the first. */
function errorAt(known: Known, order: readonly string[], time: number): number {
  let error = reach(known, order.slice(0, 1)).error;
  for (let count = 2; count <= order.length; count++) {
    const reached = reach(known, order.slice(0, count));
    if (reached.time > time) break;
    error = reached.error;
  }
  return error;
}
