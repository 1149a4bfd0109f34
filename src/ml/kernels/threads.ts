// Several threads on one training's memory. The host brings threads (KernelThreads); each of them calls serveKernels and
// waits in shared memory for its share of a loop. Shares never overlap and sums are whole numbers, so results do not
// depend on how many threads take part: one that is not there yet is done without.
//
// Shared words: a counter of commands, one of shares done, and for each thread a mailbox with the number of the command
// that it holds. Waiting spins for some microseconds, then naps.
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

/** A function of the module and its arguments. */
export type Call = readonly [name: keyof Exports, ...places: number[]];

export interface Team {
  /** Threads that take part now, the caller's included. */
  size: () => number;
  /** Runs one call for each of `size()` parts, the caller's first, and returns when all are done. */
  run: (calls: readonly Call[]) => void;
  /** Ends the service; the threads are free for the next training. */
  close: () => void;
}

const commandWord = 0;
const doneWord = 1;
const sleeperWord = 2;
const firstMailbox = 16;
/** Words: number of the command, function, number of arguments, whether it is ready; then the arguments as float64. */
const mailboxWords = 64;
const mostArguments = 24;
const endOfService = -1;
const spins = 2000;
const napMs = 0.05;
const sleepMs = 1000;

/** Bytes that `count` threads need for their words. */
export function controlBytes(count: number): number {
  return (firstMailbox + count * mailboxWords) * 4;
}

/** The caller's side of `threads`. */
export function openTeam(
  threads: KernelThreads,
  start: Omit<ThreadStart, 'index'>,
  { run, buffer }: { run: Exports; buffer: ArrayBufferLike },
): Team {
  const words = new Int32Array(buffer, start.controlAt, controlBytes(threads.count) / 4);
  const numbers = new Float64Array(buffer, start.controlAt, words.length / 2);
  const names = Object.keys(run);
  for (let index = 0; index < threads.count; index++) threads.send(index, { ...start, index });
  /** Threads may come in any order; those that are there are counted before each loop. */
  let ready: number[] = [];
  const post = (index: number, functionNumber: number, places: readonly number[]): void => {
    const mailbox = firstMailbox + index * mailboxWords;
    words[mailbox] = words[commandWord]! + 1;
    words[mailbox + 1] = functionNumber;
    words[mailbox + 2] = places.length;
    numbers.set(places, mailbox / 2 + 2);
  };
  const announce = (): void => {
    Atomics.add(words, commandWord, 1);
    if (Atomics.load(words, sleeperWord) > 0) Atomics.notify(words, commandWord);
  };
  return {
    size: () => {
      ready = [];
      for (let index = 0; index < threads.count; index++)
        if (Atomics.load(words, firstMailbox + index * mailboxWords + 3) === 1) ready.push(index);
      return 1 + ready.length;
    },
    run: (calls) => {
      const others = calls.slice(1);
      const expected = Atomics.load(words, doneWord) + others.length;
      others.forEach(([name, ...places], part) => post(ready[part]!, names.indexOf(name), places));
      if (others.length > 0) announce();
      const [name, ...places] = calls[0]!;
      callOf(run, name)(...places);
      awaitValue(words, doneWord, expected);
    },
    close: () => {
      for (let index = 0; index < threads.count; index++) post(index, endOfService, []);
      announce();
    },
  };
}

/** A thread's side: runs its shares until the training ends. Blocks. */
export function serveKernels(start: ThreadStart): void {
  const started = startShared(start);
  if (!started) return;
  const { run, buffer } = started;
  const mailbox = firstMailbox + start.index * mailboxWords;
  const words = new Int32Array(buffer, start.controlAt, mailbox + mailboxWords);
  const places = new Float64Array(buffer, start.controlAt + (mailbox + 4) * 4, mostArguments);
  const names = Object.keys(run) as (keyof Exports)[];
  let seen = Atomics.load(words, commandWord);
  Atomics.store(words, mailbox + 3, 1);
  for (;;) {
    // A command that was given before this thread was there may already be the last.
    if (words[mailbox + 1] === endOfService) return;
    seen = awaitChange(words, seen);
    // The mailbox may still hold an earlier command: this one is for others.
    if (words[mailbox] !== seen || words[mailbox + 1] === endOfService) continue;
    callOf(run, names[words[mailbox + 1]!]!)(...places.subarray(0, words[mailbox + 2]));
    Atomics.add(words, doneWord, 1);
  }
}

function callOf(run: Exports, name: keyof Exports): (...places: number[]) => unknown {
  return run[name] as (...places: number[]) => unknown;
}

/** The caller's wait: it may not sleep in a browser's main thread, where naps turn into spinning. */
function awaitValue(words: Int32Array, word: number, expected: number): void {
  for (let spin = 0; Atomics.load(words, word) !== expected; spin++) {
    if (spin < spins) continue;
    try {
      Atomics.wait(words, word, Atomics.load(words, word), napMs);
    } catch {
      // Not allowed here.
    }
  }
}

function awaitChange(words: Int32Array, seen: number): number {
  for (let spin = 0; spin < spins; spin++) {
    const now = Atomics.load(words, commandWord);
    if (now !== seen) return now;
  }
  for (;;) {
    Atomics.add(words, sleeperWord, 1);
    Atomics.wait(words, commandWord, seen, sleepMs);
    Atomics.sub(words, sleeperWord, 1);
    const now = Atomics.load(words, commandWord);
    if (now !== seen) return now;
  }
}
