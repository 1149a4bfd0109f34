// The embedded database as the main thread sees it: something that answers messages of the Postgres protocol. The
// engine runs in a thread of its own (pglite-worker.ts), which is started again after it has failed: what was
// committed is in the folder. In memory it would be gone, so there a failure is final.
import { Worker } from 'node:worker_threads';
import { assert } from '../../base/assert.ts';
import { moduleUrl } from './module-url.ts';
import type { EngineAnswer, EngineQuestion, EngineRequest, EngineSettings } from './pglite-worker.ts';

/** The engine over one folder, or in memory. */
export class PgliteEngine {
  readonly #settings: EngineSettings;
  #thread: Promise<EngineThread> | undefined;
  #isClosed = false;

  constructor(settings: EngineSettings) {
    this.#settings = settings;
  }

  /** The running engine, started if need be. Throws when it cannot start. */
  async running(): Promise<EngineThread> {
    assert(!this.#isClosed, 'the embedded database is used after it was closed');
    const thread = await (this.#thread ??= this.#start());
    if (!thread.isEnding || this.#settings.folder === null) return thread;
    await thread.ended;
    return this.running();
  }

  /** Writes everything to the folder and ends the thread. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const thread = await this.#thread?.catch(() => undefined);
    await thread?.close();
  }

  async #start(): Promise<EngineThread> {
    const thread = new EngineThread(this.#settings);
    // No two engines may be in one folder: the next one starts when this one has ended, not when it has failed.
    void thread.ended.then(() => {
      if (this.#settings.folder !== null) this.#thread = undefined;
    });
    try {
      await thread.ready;
      return thread;
    } catch (error) {
      await thread.ended;
      throw error;
    }
  }
}

interface Waiting {
  resolve(bytes: Uint8Array<ArrayBuffer>): void;
  reject(error: Error): void;
}

/** One run of the engine. */
export class EngineThread {
  readonly ready: Promise<unknown>;
  readonly ended: Promise<void>;
  /** Whether it takes nothing more. */
  isEnding = false;
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;

  constructor(settings: EngineSettings) {
    this.#worker = new Worker(moduleUrl(new URL('./pglite-worker.ts', import.meta.url)), {
      name: 'pglite',
      workerData: settings,
    });
    this.ready = this.#answerTo(this.#lastId);
    this.#worker.on('message', (answer: EngineAnswer) => this.#take(answer));
    this.#worker.on('error', (error) => this.#end(error));
    const { promise, resolve } = Promise.withResolvers<void>();
    this.ended = promise;
    this.#worker.on('exit', () => {
      this.#end(undefined);
      resolve();
    });
  }

  /** Bytes of the protocol in, bytes of the protocol out. Throws when the engine stopped. */
  exchange(bytes: Uint8Array): Promise<Uint8Array> {
    return this.#ask({ kind: 'exchange', bytes });
  }

  /** The data folder as a tar file. */
  async dump(): Promise<Blob> {
    return new Blob([await this.#ask({ kind: 'dump' })]);
  }

  async close(): Promise<void> {
    if (!this.isEnding) await this.#ask({ kind: 'close' });
    this.#worker.ref();
    await this.ended;
  }

  #ask(question: EngineQuestion): Promise<Uint8Array<ArrayBuffer>> {
    const id = ++this.#lastId;
    const answered = this.#answerTo(id);
    if (this.isEnding) this.#end(undefined);
    else this.#worker.postMessage({ id, ...question } satisfies EngineRequest);
    return answered;
  }

  #answerTo(id: number): Promise<Uint8Array<ArrayBuffer>> {
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array<ArrayBuffer>>();
    this.#waiting.set(id, { resolve, reject });
    // An idle database keeps no process alive, one that is asked something does.
    this.#worker.ref();
    return promise;
  }

  #take(answer: EngineAnswer): void {
    if (answer.isLast) this.isEnding = true;
    const waiting = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    if (this.#waiting.size === 0) this.#worker.unref();
    if ('bytes' in answer) waiting?.resolve(answer.bytes);
    else waiting?.reject(stopped(Object.assign(new Error(answer.failure.message), answer.failure)));
  }

  #end(cause: unknown): void {
    this.isEnding = true;
    for (const { reject } of this.#waiting.values()) reject(stopped(cause));
    this.#waiting.clear();
  }
}

function stopped(cause: unknown): Error {
  return new Error('The embedded database stopped', cause === undefined ? {} : { cause });
}
