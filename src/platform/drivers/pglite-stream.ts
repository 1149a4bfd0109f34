// The wire between the `pg` client and the embedded database: a stream that looks like the client's socket and hands
// what is written to the engine, which answers each message. It knows three messages of the Postgres protocol
// (https://www.postgresql.org/docs/current/protocol-message-formats.html); all others pass through unread.
import { Duplex } from 'node:stream';
import pg from 'pg';
import type { EngineThread, PgliteEngine } from './pglite-engine.ts';

/** AuthenticationOk, then ReadyForQuery (idle): the embedded database asks for no password. */
const welcome = Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 0, 0x5a, 0, 0, 0, 5, 0x49]);
const terminate = 0x58;

/** One client's connection to `engine`; at most one is in use at a time. */
export class PgliteStream extends Duplex {
  readonly #engine: PgliteEngine;
  readonly #channels: Iterable<string>;
  #session: EngineThread | undefined;

  /** @param channels what the session listens to from its beginning. */
  constructor(engine: PgliteEngine, channels: Iterable<string> = []) {
    super({ allowHalfOpen: false });
    this.#engine = engine;
    this.#channels = channels;
  }

  // What `pg` asks of a socket.
  connect(): this {
    queueMicrotask(() => this.emit('connect'));
    return this;
  }
  setNoDelay(): this {
    return this;
  }
  setKeepAlive(): this {
    return this;
  }
  ref(): this {
    return this;
  }
  unref(): this {
    return this;
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error) => void): void {
    void this.#exchange(chunk, done);
  }

  // Parse, bind, describe, execute and sync of one query arrive corked and travel as one.
  override _writev(chunks: { chunk: Buffer }[], done: (error?: Error) => void): void {
    void this.#exchange(Buffer.concat(chunks.map(({ chunk }) => chunk)), done);
  }

  override _final(done: () => void): void {
    this.push(null);
    done();
  }

  async #exchange(message: Buffer, done: (error?: Error) => void): Promise<void> {
    let failure: Error | undefined;
    try {
      if (!this.#session) await this.#begin();
      else if (message[0] !== terminate) this.push(await this.#session.exchange(message));
      // After its last answer a server hangs up: whoever waits for another one learns it.
      if (this.#session!.isEnding) this.push(null);
    } catch (error) {
      failure = error as Error;
    }
    done(failure);
  }

  /** The engine has one session: an earlier client may have left it in a transaction, or it is a new one. */
  async #begin(): Promise<void> {
    this.#session = await this.#engine.running();
    await this.#session.exchange(query('rollback'));
    for (const channel of this.#channels) {
      await this.#session.exchange(query(`listen ${pg.escapeIdentifier(channel)}`));
    }
    this.push(welcome);
  }
}

/** A Query message. */
function query(text: string): Uint8Array {
  const body = Buffer.from(`${text}\0`);
  const message = Buffer.alloc(5 + body.length);
  message.write('Q');
  message.writeInt32BE(4 + body.length, 1);
  body.copy(message, 5);
  return message;
}
