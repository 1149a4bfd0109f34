// The wire between the `pg` client and PGlite: a stream that looks like the client's socket and hands what is written
// to the engine, which answers at once. It knows two messages of the Postgres protocol, the first and the last
// (https://www.postgresql.org/docs/current/protocol-message-formats.html); all others pass through unread.
import { Duplex } from 'node:stream';
import type { PGlite } from '@electric-sql/pglite';

/** AuthenticationOk, then ReadyForQuery (idle): the embedded database asks for no password. */
const welcome = Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 0, 0x5a, 0, 0, 0, 5, 0x49]);
const terminate = 0x58;
/** Query `rollback`: the engine has one session, which an earlier client may have left inside a transaction. */
const rollback = Buffer.from([0x51, 0, 0, 0, 13, ...Buffer.from('rollback\0')]);

/** One client's connection to `engine`; at most one is in use at a time. */
export class PgliteStream extends Duplex {
  readonly #engine: PGlite;
  #isWelcome = false;

  constructor(engine: PGlite) {
    super();
    this.#engine = engine;
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
      this.push(await this.#answer(message));
    } catch (cause) {
      failure = new Error('The embedded database stopped', { cause });
    }
    done(failure);
  }

  async #answer(message: Buffer): Promise<Uint8Array> {
    if (this.#isWelcome) {
      return message[0] === terminate ? new Uint8Array() : this.#engine.execProtocolRaw(message);
    }
    this.#isWelcome = true;
    await this.#engine.execProtocolRaw(rollback);
    return welcome;
  }
}
