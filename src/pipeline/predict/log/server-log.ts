// What one server has of the log besides parts: records in memory, written to segments ten times a second, and segments
// on their way into Parquet. Recording waits for nothing. What the disk does not take is tried again for as long as
// memory lasts (`maxMemoryBytes`), then counted as lost, in the operator's log and on the endpoint's page.
import { AsyncLocalStorage } from 'node:async_hooks';
import { minuteMs, secondMs } from '../../../base/time.ts';
import type { Services } from '../../../platform/context.ts';
import type { Transaction } from '../../../platform/ports/database.ts';
import { convertSegment, PartsChanged } from './convert.ts';
import type { LogStream } from './record.ts';
import { flushChannel, forgetPending, tellServer } from './rows.ts';
import { append, type Segment, type SegmentFolder } from './segments.ts';

export type LogServices = Pick<Services, 'database' | 'blobs' | 'jobs' | 'clock' | 'log' | 'newId'>;

const writeEveryMs = 100;
const tendEveryMs = secondMs;
const maxMemoryBytes = 33_554_432;
/** A segment becomes a part when it is so large or so old. */
const fullBytes = 33_554_432;
const fullMs = 15 * minuteMs;
/** A segment that could not be made into a part is tried again so much later. */
const retryMs = 30 * secondMs;
/** Servers with rows to come say that they live; see `livingMs` in log.ts. */
const tellAgainMs = 20 * secondMs;
const mostAttempts = 5;

interface Open {
  stream: LogStream;
  lines: string[];
  lineBytes: number;
  segment?: Segment | undefined;
}

interface Counts {
  workspaceId: string;
  projectId: string;
  pendingRowCount: number;
  /** Since it was last told. */
  lostRowCount: number;
  lostAt: Date | null;
}

/** One server's part of the log. */
export class ServerLog {
  readonly serverId: string;
  readonly #services: LogServices;
  readonly #folder: SegmentFolder;
  readonly #open = new Map<string, Open>();
  readonly #closed = new Set<Segment>();
  readonly #notBefore = new Map<Segment, number>();
  readonly #counts = new Map<string, Counts>();
  readonly #toTell = new Set<string>();
  readonly #stopping = new AbortController();
  readonly #timer: NodeJS.Timeout;
  readonly #unlisten: Promise<(() => Promise<void>) | undefined>;
  #memoryBytes = 0;
  /** When the oldest line in memory came, by the monotonic clock. */
  #oldestAtMs: number | undefined;
  #writeTimer: NodeJS.Timeout | undefined;
  /** Writing and converting happen one after the other. */
  #writing: Promise<void> = Promise.resolve();
  #converting: Promise<void> = Promise.resolve();
  #tending: Promise<void> | undefined;
  #toldAtMs: number;

  constructor(services: LogServices, folder: SegmentFolder) {
    this.#services = services;
    this.#folder = folder;
    this.serverId = folder.serverId;
    this.#toldAtMs = services.clock.monotonicMs();
    this.#timer = setInterval(() => void this.tend(), tendEveryMs);
    this.#timer.unref();
    // Notifications arrive within the transaction of whoever sent them, when that is this process.
    const outside = AsyncLocalStorage.snapshot();
    this.#unlisten = services.database
      .listen(flushChannel, (endpointId) => {
        void outside(() => this.flush(endpointId)).catch((error: unknown) => this.#warn(error));
      })
      .catch((error: unknown) => {
        services.log.warn({ error }, 'Other servers cannot ask this one for its newest predictions.');
        return undefined;
      });
  }

  /** Takes over what servers left behind that are gone. */
  async adopt(): Promise<void> {
    const { segments, serverIds } = await this.#folder.adopt();
    for (const segment of segments) {
      this.#closed.add(segment);
      this.#count(segment.stream).pendingRowCount += segment.rowCount;
    }
    if (serverIds.length === 0) return;
    await this.#services.database.asSystem('take over a prediction log', async (transaction) => {
      await forgetPending(transaction, serverIds);
      for (const endpointId of this.#toTell) await this.#tellIn(transaction, endpointId);
    });
  }

  /** Keeps lines, one for each record; `undefined` stands for a record that cannot be written. */
  add(stream: LogStream, lines: readonly (string | undefined)[]): void {
    this.#oldestAtMs ??= this.#services.clock.monotonicMs();
    const open = this.#openFor(stream);
    const counts = this.#count(stream);
    for (const line of lines) {
      if (line === undefined || this.#memoryBytes + line.length > maxMemoryBytes) {
        this.#lose(counts, 1);
        continue;
      }
      open.lines.push(line);
      open.lineBytes += line.length;
      this.#memoryBytes += line.length;
      counts.pendingRowCount++;
    }
    this.#writeTimer ??= setTimeout(() => void this.write(), writeEveryMs).unref();
  }

  /** Counts records that were given up before they came here. */
  lose(stream: LogStream, rowCount: number): void {
    if (rowCount > 0) this.#lose(this.#count(stream), rowCount);
  }

  /** Rows of an endpoint that are in no part yet, and rows lost that the database does not know of. */
  countsOf(endpointId: string): Readonly<Counts> | undefined {
    return this.#counts.get(endpointId);
  }

  /** What is only in memory: how much, and how long the oldest of it has been waiting for the disk. */
  get waiting(): { bytes: number; lagMs: number } {
    const lagMs = this.#services.clock.monotonicMs() - (this.#oldestAtMs ?? 0);
    return { bytes: this.#memoryBytes, lagMs: this.#memoryBytes === 0 ? 0 : lagMs };
  }

  /** Counts of all endpoints; see {@link countsOf}. */
  counts(): ReadonlyMap<string, Readonly<Counts>> {
    return this.#counts;
  }

  /** Writes what is in memory to the segments. */
  write(): Promise<void> {
    clearTimeout(this.#writeTimer);
    this.#writeTimer = undefined;
    this.#writing = this.#writing.then(() => this.#writeAll());
    return this.#writing;
  }

  /** Makes parts of all that is here of an endpoint. Throws what that fails with. */
  async flush(endpointId: string): Promise<void> {
    if (!this.#counts.get(endpointId)?.pendingRowCount) return;
    await this.write();
    for (const open of this.#open.values()) if (open.stream.endpointId === endpointId) this.#close(open);
    const segments = [...this.#closed].filter(({ stream }) => stream.endpointId === endpointId);
    await this.#convert(segments, () => true);
  }

  /** A path for a file on its way into the blobs; on the disk of the segments. */
  pathFor(name: string): string {
    return this.#folder.pathFor(name);
  }

  /** One round of upkeep: segments that are full or old become parts, and the database is told the counts. */
  async tend(): Promise<void> {
    this.#tending ??= this.#tendOnce().finally(() => {
      this.#tending = undefined;
    });
    await this.#tending;
  }

  /** Writes what is in memory and ends; the segments wait for the next start. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await (
      await this.#unlisten
    )?.();
    this.#stopping.abort();
    await this.#tending;
    await this.write();
    await this.#converting.catch(() => undefined);
    await this.#tell().catch((error: unknown) => this.#warn(error));
    await this.#folder.close();
  }

  #openFor(stream: LogStream): Open {
    let open = this.#open.get(stream.deploymentId);
    if (!open) {
      open = { stream, lines: [], lineBytes: 0 };
      this.#open.set(stream.deploymentId, open);
    }
    return open;
  }

  #count({ endpointId, workspaceId, projectId }: LogStream): Counts {
    let counts = this.#counts.get(endpointId);
    if (!counts) {
      counts = { workspaceId, projectId, pendingRowCount: 0, lostRowCount: 0, lostAt: null };
      this.#counts.set(endpointId, counts);
    }
    this.#toTell.add(endpointId);
    return counts;
  }

  #lose(counts: Counts, rowCount: number): void {
    counts.lostRowCount += rowCount;
    counts.lostAt = new Date(this.#services.clock.nowMs());
  }

  async #writeAll(): Promise<void> {
    const beganAtMs = this.#services.clock.monotonicMs();
    let hasFailed = false;
    for (const open of this.#open.values()) {
      if (open.lines.length === 0) continue;
      const { lines, lineBytes } = open;
      open.lines = [];
      open.lineBytes = 0;
      try {
        open.segment ??= await this.#folder.begin(
          this.#services.newId('logPart'),
          open.stream,
          this.#services.clock.monotonicMs(),
        );
        await append(open.segment, lines.join(''), lines.length);
        this.#memoryBytes -= lineBytes;
      } catch (error) {
        hasFailed = true;
        // Kept for the next try; what comes meanwhile goes behind it.
        open.lines = [...lines, ...open.lines];
        open.lineBytes += lineBytes;
        this.#services.log.error(
          { error, endpointId: open.stream.endpointId, waitingRowCount: open.lines.length },
          'Predictions cannot be written to their log; they wait in memory as long as there is room.',
        );
      }
    }
    if (!hasFailed) this.#oldestAtMs = this.#memoryBytes === 0 ? undefined : beganAtMs;
  }

  async #tendOnce(): Promise<void> {
    try {
      if (this.#memoryBytes > 0) await this.write();
      const nowMs = this.#services.clock.monotonicMs();
      for (const open of this.#open.values()) {
        const { segment } = open;
        if (segment && (segment.sizeBytes >= fullBytes || nowMs - segment.beganAtMs >= fullMs))
          this.#close(open);
      }
      await this.#tell();
      const isDue = (segment: Segment): boolean => nowMs >= (this.#notBefore.get(segment) ?? 0);
      await this.#convert([...this.#closed].filter(isDue), isDue);
    } catch (error) {
      this.#warn(error);
    }
  }

  #close(open: Open): void {
    if (open.segment) this.#closed.add(open.segment);
    open.segment = undefined;
    if (open.lines.length === 0) this.#open.delete(open.stream.deploymentId);
  }

  /** @param isDue asked again when it is the segment's turn: another's try may have failed meanwhile */
  async #convert(segments: readonly Segment[], isDue: (segment: Segment) => boolean): Promise<void> {
    for (const segment of segments) {
      const turn = this.#converting.then(async () => {
        if (isDue(segment)) await this.#convertOne(segment);
      });
      this.#converting = turn.catch(() => undefined);
      await turn;
    }
  }

  async #convertOne(segment: Segment): Promise<void> {
    if (!this.#closed.has(segment) || this.#stopping.signal.aborted) return;
    const { endpointId } = segment.stream;
    const counts = this.#count(segment.stream);
    const told = (transaction: Transaction): Promise<void> =>
      tellServer(transaction, {
        ...this.#rowOf(endpointId, counts),
        pendingRowCount: counts.pendingRowCount - segment.rowCount,
        lostRowCount: 0,
        lostAt: null,
      });
    const work = { folder: this.#folder, segment, signal: this.#stopping.signal };
    for (let attempt = 1; ; attempt++) {
      try {
        const lostRowCount = await convertSegment(this.#services, work, told);
        this.#closed.delete(segment);
        this.#notBefore.delete(segment);
        counts.pendingRowCount -= segment.rowCount;
        if (lostRowCount > 0) this.#lose(counts, lostRowCount);
        return;
      } catch (error) {
        if (error instanceof PartsChanged && attempt < mostAttempts) continue;
        this.#notBefore.set(segment, this.#services.clock.monotonicMs() + retryMs);
        throw error;
      }
    }
  }

  /** Tells the database what changed; losses also the operator. */
  async #tell(): Promise<void> {
    const nowMs = this.#services.clock.monotonicMs();
    if (nowMs - this.#toldAtMs >= tellAgainMs) {
      this.#toldAtMs = nowMs;
      for (const [endpointId, { pendingRowCount }] of this.#counts)
        if (pendingRowCount > 0) this.#toTell.add(endpointId);
    }
    if (this.#toTell.size === 0) return;
    const endpointIds = [...this.#toTell];
    this.#toTell.clear();
    const told = new Map<string, number>();
    try {
      await this.#services.database.asSystem('count logged predictions', async (transaction) => {
        for (const endpointId of endpointIds) {
          const { lostRowCount } = this.#counts.get(endpointId)!;
          told.set(endpointId, lostRowCount);
          await this.#tellIn(transaction, endpointId);
        }
      });
    } catch (error) {
      for (const endpointId of endpointIds) this.#toTell.add(endpointId);
      throw error;
    }
    for (const [endpointId, lostRowCount] of told) {
      this.#counts.get(endpointId)!.lostRowCount -= lostRowCount;
      if (lostRowCount > 0)
        this.#services.log.error({ endpointId, lostRowCount }, 'Predictions were lost from the log.');
    }
  }

  async #tellIn(transaction: Transaction, endpointId: string): Promise<void> {
    await tellServer(transaction, this.#rowOf(endpointId, this.#counts.get(endpointId)!));
  }

  #rowOf(endpointId: string, counts: Counts): Parameters<typeof tellServer>[1] {
    const updatedAt = new Date(this.#services.clock.nowMs());
    return { ...counts, serverId: this.serverId, endpointId, updatedAt };
  }

  #warn(error: unknown): void {
    if (this.#stopping.signal.aborted) return;
    this.#services.log.warn({ error }, 'The prediction log could not be tended; it is tried again.');
  }
}
