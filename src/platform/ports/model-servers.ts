// Model servers: worker processes that keep one model open and answer questions with it, away from the server's own
// memory and thread. The replicas of a model are as many as its traffic wants and the machine allows.
//
// Guarantees (platform/model-servers/*.test.ts):
// - A question is answered once or fails with a Problem. When its process ends before it answered, it is asked once more,
//   alone, in another one: so questions must change nothing. Then it fails with `unavailable`, or the process's problem.
// - However many ask at once, a model without replicas is opened by one process; they wait for it. What waits is bounded:
//   beyond the bound it is `unavailable` with the seconds after which there is room. Starting and ending replicas fails
//   no question.
// - Questions that wait together go to a process together, at most so many; one that need not wait goes at once, alone.
// - A process over its memory is ended and replaced, and the status says why.
import type { Problem, ProblemDocument } from '../../base/problems.ts';

/** A model and how it is served. Asking with the same name again may change the rest: the newest counts. */
export interface ServedModel {
  /** One set of replicas for each name. */
  name: string;
  /** File URL of the module whose `run` export is a task of {@link ModelTaskInput}. */
  taskModule: URL;
  /** What the task needs to open the model (such as a local path); asked for each time that a process starts. */
  source(): Promise<object>;
  /** Resident memory of one replica. */
  memoryBytes: number;
  scale: Scale;
}

/** How many replicas there may be. */
export interface Scale {
  maxReplicas: number;
  /** Without a question for so long, the last replica ends, too. */
  idleMs: number;
}

/** A question to a model, which a process answers as its task defines. */
export interface Question {
  /** Crosses a process boundary: JSON. */
  input: object;
  /** Rows that are asked about: what bounds waiting and batches. */
  rowCount: number;
}

/** What a process is given: the model at first, then questions, some at a time. */
export type ModelTaskInput<Source extends object = object, Input extends object = object> =
  | { kind: 'open'; source: Source }
  | { kind: 'answer'; questions: Input[] };

/** One for each question, in their order. */
export interface ModelTaskOutput<Answer = unknown> {
  answers: ({ answer: Answer } | { problem: Pick<ProblemDocument, 'code' | 'detail' | 'errors'> })[];
}

/** How a model is served on this server at the moment. */
export interface ModelServerStatus {
  /** `queued`: it waits until the machine has room for a process. */
  state: 'cold' | 'queued' | 'loading' | 'warm';
  /** While it is loading: how much of the work is done, 0 to 1. */
  loadedShare: number | null;
  replicas: { ready: number; loading: number };
  waitingCount: number;
  /** The last process that ended without being told to, and why. */
  lastFailure: { atMs: number; problem: Problem } | null;
}

/** The port. */
export interface ModelServers {
  /** Throws `unavailable` when too many wait or processes die, what the task says, and what opening the model throws. */
  ask<Answer>(model: ServedModel, question: Question): Promise<Answer>;
  /** Keeps so many replicas of each of these ready, asked or not, and no longer of those that were named before. */
  keepReady(models: readonly { model: ServedModel; minReplicas: number }[]): void;
  /** Undefined for one that was not asked for a while. */
  statusOf(name: string): ModelServerStatus | undefined;
}
