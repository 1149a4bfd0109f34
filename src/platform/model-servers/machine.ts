// What the machine has for model servers: so many processes, each with the memory that it may come to use. What is taken
// is given back when the process is gone, never before.
import { availableParallelism, totalmem } from 'node:os';
import { assert } from '../../base/assert.ts';

export interface MachineLimits {
  processes: number;
  memoryBytes: number;
}

/** The share of the machine's memory that model servers may come to use in all. */
const memoryShare = 0.75;
/** Replicas that wait for questions need no core, so there may be more of them than cores. */
const processesPerCore = 2;
const fewestProcesses = 4;

/** What this machine, or the container that it is, allows. */
export function machineLimits(): MachineLimits {
  const constrained = process.constrainedMemory();
  const memory = constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
  return {
    processes: Math.max(fewestProcesses, processesPerCore * availableParallelism()),
    memoryBytes: memoryShare * memory,
  };
}

export class Machine {
  readonly #limits: MachineLimits;
  #processCount = 0;
  #memoryBytes = 0;

  constructor(limits: MachineLimits) {
    this.#limits = limits;
  }

  /** Takes room for a process, if there is; one is always possible, however small the machine. */
  tryTake(memoryBytes: number): boolean {
    const fits =
      this.#processCount < this.#limits.processes &&
      this.#memoryBytes + memoryBytes <= this.#limits.memoryBytes;
    if (!fits && this.#processCount > 0) return false;
    this.#processCount++;
    this.#memoryBytes += memoryBytes;
    return true;
  }

  giveBack(memoryBytes: number): void {
    assert(this.#processCount > 0, 'only room that was taken can be given back');
    this.#processCount--;
    this.#memoryBytes -= memoryBytes;
  }
}
