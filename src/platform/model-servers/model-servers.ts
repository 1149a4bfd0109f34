// Model servers: the replicas of all models of this server, within what the machine allows. This file is what other
// folders see. A model that nobody asks gives its processes up, at once where another one needs the room.
import { secondMs, type Clock } from '../../base/time.ts';
import { openWorkFolders } from '../jobs/work-folders.ts';
import type { Log } from '../ports/log.ts';
import type { ModelServers } from '../ports/model-servers.ts';
import { Machine, machineLimits, type MachineLimits } from './machine.ts';
import { ReplicaSet, type SetTools } from './replica-set.ts';

const tendEveryMs = secondMs;
/** A model without a process waits so long before another one gives up a replica that is at work. */
const patienceMs = 500;

export interface ModelServersOptions {
  clock: Clock;
  log: Log;
  /** Where processes get their folders; made when it is not there, swept of what a killed server left. */
  workFolder: string;
  /** What processes may take in all; left out: what the machine allows. */
  machine?: MachineLimits;
  /** Upkeep happens by itself; tests do it themselves. */
  isTended?: boolean;
}

export interface OpenedModelServers extends ModelServers {
  /** A round of upkeep. */
  tend(): void;
  /** Ends every process; who waits is told that the server is stopping. */
  close(): Promise<void>;
}

/** Opens the port; no process is started before somebody asks. */
export async function openModelServers(options: ModelServersOptions): Promise<OpenedModelServers> {
  const { clock, log, workFolder, machine = machineLimits(), isTended = true } = options;
  const folders = await openWorkFolders(workFolder, log);
  const sets = new Map<string, ReplicaSet>();
  let isMakingRoom = false;
  const starving = (): ReplicaSet[] => {
    const nowMs = clock.monotonicMs();
    return [...sets.values()]
      .filter((set) => set.isStarving)
      .toSorted((a, b) => b.longestWaitMs(nowMs) - a.longestWaitMs(nowMs));
  };
  const wantRoom = (): void => {
    if (isMakingRoom) return;
    // The one whose last question is longest ago gives up a process; when that is gone, those that starve get theirs.
    const others = [...sets.values()].toSorted((a, b) => a.lastUsedMs - b.lastUsedMs);
    isMakingRoom = others.some((set) => set.giveUpIdle());
  };
  const tools: SetTools = {
    folders,
    log,
    clock,
    machine: new Machine(machine),
    wantRoom,
    roomGiven: () => {
      isMakingRoom = false;
      for (const set of starving()) set.feed();
    },
    mustYield: (set) =>
      starving().some((other) => other !== set && other.longestWaitMs(clock.monotonicMs()) > patienceMs),
  };
  const tend = (): void => {
    for (const [name, set] of sets) {
      set.tend();
      if (set.isEmpty) sets.delete(name);
    }
    for (const set of starving()) set.feed();
  };
  const setOf = (model: Parameters<ModelServers['ask']>[0]): ReplicaSet => {
    let set = sets.get(model.name);
    if (!set) {
      set = new ReplicaSet(tools, model);
      sets.set(model.name, set);
    }
    return set;
  };
  const timer = isTended ? setInterval(tend, tendEveryMs) : undefined;
  timer?.unref();
  return {
    ask: async <Answer>(...[model, question]: Parameters<ModelServers['ask']>) =>
      (await setOf(model).ask(model, question)) as Answer,
    keepReady(models) {
      const kept = new Set(models.map(({ model }) => model.name));
      for (const { model, minReplicas } of models) setOf(model).keep(model, minReplicas);
      for (const [name, set] of sets) if (!kept.has(name)) set.release();
    },
    statusOf: (name) => sets.get(name)?.status(),
    tend,
    async close() {
      clearInterval(timer);
      await Promise.all([...sets.values()].map((set) => set.close()));
      await folders.close();
    },
  };
}
