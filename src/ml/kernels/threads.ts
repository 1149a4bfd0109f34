// Several threads on one training's memory. The host brings threads (KernelThreads); each of them calls serveKernels and
// waits in shared memory for loops. A loop is cut into parts, which threads take one after the other: nobody waits for a
// thread that is not there yet, sleeps or is busy with something else, only for parts that it has taken. Parts never
// overlap and sums are whole numbers, so results do not depend on who takes which.
//
// Waiting spins for up to 0.2 milliseconds, which is longer than the pauses between loops, then sleeps. Who spun in
// vain spins half as long the next time: where other programs need the processor, spinning would take it from them.
import { startShared, type Exports, type SharedStart } from './web-assembly.ts';

/** Threads besides the caller's, brought by the host. They serve one training after the other. */
export interface KernelThreads {
  readonly count: number;
  /** Hands to thread `index` what it must call {@link serveKernels} with. */
  send: (index: number, start: ThreadStart) => void;
}

/** Can be sent to another thread as it is. */
export interface ThreadStart extends SharedStart {
  index: number;
  /** Where the shared words begin in the memory. */
  controlAt: number;
}

/** Functions of the module that can be shared: the last arguments are where a part begins and ends, thread and part. */
export type SharedLoop = Exclude<keyof Exports, 'divideAlone' | 'readCells'>;

export interface Team {
  /** Threads that are there now, the caller's included. */
  size: () => number;
  /** Threads have numbers below this, in whatever order they come. */
  readonly threadCount: number;
  /**
   * Runs a loop for the parts from `cuts[i]` to `cuts[i + 1] - 1`, at most {@link mostParts}, and returns when all are
   * done. The caller is thread 0, and takes at least one part, the last.
   */
  run: (name: SharedLoop, places: readonly number[], cuts: readonly number[]) => void;
  /** Ends the service; the threads are free for the next training. */
  close: () => void;
}

export const mostParts = 64;
/** More parts than threads: who is late takes fewer. */
const partsPerThread = 4;

/** Cuts 0 to `count` into parts of at least `fewest`, at multiples of `step`. */
export function cutsOf(team: Team, count: number, fewest: number, step = 64): number[] {
  const size = team.size();
  const partCount = size === 1 ? 1 : Math.min(mostParts, size * partsPerThread, Math.floor(count / fewest));
  if (partCount <= 1) return [0, count];
  const cuts = Array.from(
    { length: partCount },
    (_, part) => Math.floor((count * part) / partCount / step) * step,
  );
  return [...cuts, count];
}

/** Number of the loop, times 256, plus parts that nobody has taken: in one word, so that both change together. */
const openWord = 0;
/** Parts that threads other than the caller's have done, ever. */
const doneWord = 1;
/** Threads that sleep until there is a loop, and whether the caller sleeps until its parts are done. */
const sleeperWord = 2;
const callerWord = 3;
const closedWord = 4;
const readyWord = 5;
const functionWord = 6;
const placeCountWord = 7;
const firstCut = 16;
const firstPlace = firstCut + mostParts + 16;
const mostPlaces = 24;
const wordCount = firstPlace + 2 * mostPlaces;
const partsMask = 255;
/** Of about 10 nanoseconds. */
const mostSpins = 20_000;
const fewestSpins = 500;
const sleepMs = 1000;

/** Bytes that a team needs for its words. */
export const controlBytes = wordCount * 4;

/** The caller's side of `threads`. */
export function openTeam(
  threads: KernelThreads,
  start: Omit<ThreadStart, 'index'>,
  { run, buffer }: { run: Exports; buffer: ArrayBufferLike },
): Team {
  const control = controlOf(buffer, start.controlAt);
  const { words, places: sharedPlaces } = control;
  const names = Object.keys(run);
  for (let index = 0; index < threads.count; index++) threads.send(index, { ...start, index });
  const patience = newPatience();
  let loop = 0;
  let doneByOthers = 0;
  return {
    size: () => 1 + Atomics.load(words, readyWord),
    threadCount: 1 + threads.count,
    run: (name, places, cuts) => {
      const last = cuts.length - 2;
      const own = run[name] as SharedFunction;
      if (last > 0) {
        words[functionWord] = names.indexOf(name);
        words[placeCountWord] = places.length;
        words.set(cuts, firstCut);
        sharedPlaces.set(places);
        loop = (loop + 1) & 0x7fffff;
        Atomics.store(words, openWord, (loop << 8) | last);
        if (Atomics.load(words, sleeperWord) > 0) Atomics.notify(words, openWord);
      }
      own(...places, cuts[last]!, cuts[last + 1]!, 0, last);
      if (last === 0) return;
      let part = takePart(words);
      let taken = 1;
      for (; part >= 0; part = takePart(words)) {
        own(...places, cuts[part]!, cuts[part + 1]!, 0, part);
        taken++;
      }
      doneByOthers = (doneByOthers + last + 1 - taken) | 0;
      awaitOthers(words, doneByOthers, patience);
    },
    close: () => {
      Atomics.store(words, closedWord, 1);
      Atomics.add(words, openWord, 1 << 8);
      Atomics.notify(words, openWord);
    },
  };
}

/** Without other threads. */
export function teamOfOne(run: Exports): Team {
  return {
    size: () => 1,
    threadCount: 1,
    run: (name, places, cuts) => {
      for (let part = 0; part + 1 < cuts.length; part++)
        (run[name] as SharedFunction)(...places, cuts[part]!, cuts[part + 1]!, 0, part);
    },
    close: () => {},
  };
}

/** A thread's side: takes parts until the training ends. Blocks. */
export function serveKernels(start: ThreadStart): void {
  const started = startShared(start);
  if (!started) return;
  const { run, buffer } = started;
  const { words, places } = controlOf(buffer, start.controlAt);
  const names = Object.keys(run) as SharedLoop[];
  const patience = newPatience();
  Atomics.add(words, readyWord, 1);
  while (awaitLoop(words, patience)) {
    const part = takePart(words);
    if (part < 0) continue;
    const loop = run[names[words[functionWord]!]!] as SharedFunction;
    const begin = words[firstCut + part]!;
    const end = words[firstCut + part + 1]!;
    loop(...places.subarray(0, words[placeCountWord]), begin, end, start.index + 1, part);
    Atomics.add(words, doneWord, 1);
    if (Atomics.load(words, callerWord) === 1) Atomics.notify(words, doneWord);
  }
}

type SharedFunction = (...places: number[]) => void;

interface Control {
  words: Int32Array;
  places: Float64Array;
}

function controlOf(buffer: ArrayBufferLike, at: number): Control {
  return {
    words: new Int32Array(buffer, at, wordCount),
    places: new Float64Array(buffer, at + firstPlace * 4, mostPlaces),
  };
}

/** A part of the open loop, from the last to the first; -1 when all are taken. What the words say of it stays until it is done. */
function takePart(words: Int32Array): number {
  for (;;) {
    const open = Atomics.load(words, openWord);
    const rest = open & partsMask;
    if (rest === 0) return -1;
    if (Atomics.compareExchange(words, openWord, open, open - 1) === open) return rest - 1;
  }
}

/** How long to spin, which experience changes. */
interface Patience {
  spins: number;
}

function newPatience(): Patience {
  return { spins: mostSpins };
}

/** Spins until the condition holds; `false` when patience ends first. */
function spinUntil(patience: Patience, isMet: () => boolean): boolean {
  for (let spin = 0; spin < patience.spins; spin++) {
    if (!isMet()) continue;
    patience.spins = Math.min(mostSpins, patience.spins * 2);
    return true;
  }
  patience.spins = Math.max(fewestSpins, patience.spins / 2);
  return false;
}

/** Waits for parts to take; `false` when there will be none. */
function awaitLoop(words: Int32Array, patience: Patience): boolean {
  const hasParts = (): boolean => (Atomics.load(words, openWord) & partsMask) !== 0;
  while (Atomics.load(words, closedWord) === 0) {
    if (spinUntil(patience, hasParts)) return true;
    const open = Atomics.load(words, openWord);
    if ((open & partsMask) !== 0) return true;
    Atomics.add(words, sleeperWord, 1);
    Atomics.wait(words, openWord, open, sleepMs);
    Atomics.sub(words, sleeperWord, 1);
  }
  return false;
}

/** The caller's wait: it may not sleep in a browser's main thread, where it spins on. */
function awaitOthers(words: Int32Array, expected: number, patience: Patience): void {
  const isDone = (): boolean => Atomics.load(words, doneWord) === expected;
  while (!spinUntil(patience, isDone)) {
    Atomics.store(words, callerWord, 1);
    const done = Atomics.load(words, doneWord);
    try {
      if (done !== expected) Atomics.wait(words, doneWord, done, sleepMs);
    } catch {
      // Not allowed here.
    }
    Atomics.store(words, callerWord, 0);
  }
}
