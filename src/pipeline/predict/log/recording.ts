// Which answers are recorded, and how. Nothing here waits for the database or the disk: lines go into memory.
//
// Of JSON requests every row is kept. Of a CSV file the first 5,000 rows are, and of the rest fewer the further in they
// are (every 2nd, then every 4th, ...: 2,500 for each doubling), so that one file of a million rows neither drowns the
// requests of a day nor is known by its beginning alone.
import { hash32 } from '../../../base/hash.ts';
import type { LogSettings } from '../../../contract/endpoint.ts';
import type { PredictedColumns } from '../../../ml/model/predictor.ts';
import type { Context } from '../../../platform/context.ts';
import { serverLog } from './log.ts';
import { recordLine, type LogStream } from './record.ts';

/** Where an endpoint's answers go. */
export interface LogTarget {
  stream: LogStream;
  settings: LogSettings;
}

/** Rows that are written before other work gets its turn. */
const sliceRows = 1_000;
const wholeRows = 5_000;
/** Of one file; rows beyond are counted as lost. */
const maxFileBytes = 8_388_608;

/** Whether a request is logged: the same for all its rows and on all servers, and independent of who answers it. */
export function isLogged({ share }: LogSettings, requestId: string): boolean {
  return share >= 1 || hash32(`log ${requestId}`) / 4_294_967_296 < share;
}

/** Whether a row of a CSV file is kept. */
export function isRowKept(rowIndex: number): boolean {
  if (rowIndex < wholeRows) return true;
  return rowIndex % 2 ** (Math.floor(Math.log2(rowIndex / wholeRows)) + 1) === 0;
}

/** Records the rows of a request; gives way to other work now and then when they are many. */
export async function recordAnswers(
  context: Context,
  { stream, settings }: LogTarget,
  answered: {
    /** By the monotonic clock. */
    beganMs: number;
    rows: readonly Readonly<Record<string, unknown>>[];
    answers: readonly object[];
  },
): Promise<void> {
  const log = serverLog(context);
  const { clock, requestId, actor } = context;
  if (!log || !isLogged(settings, requestId)) return;
  const { beganMs, rows, answers } = answered;
  const shared = {
    requestId,
    timeMs: clock.nowMs(),
    latencyMs: clock.monotonicMs() - beganMs,
    askedBy: actor.id,
    form: 'json' as const,
  };
  const redacted = new Set(settings.redactedColumns);
  for (let first = 0; first < rows.length; first += sliceRows) {
    if (first > 0) await new Promise((resolve) => setImmediate(resolve));
    const lines = rows
      .slice(first, first + sliceRows)
      .map((given, index) =>
        recordLine({ ...shared, rowIndex: first + index, given, answer: answers[first + index]! }, redacted),
      );
    log.add(stream, lines);
  }
}

/** Holds the records of a CSV file until all of it is answered: a file that is refused leaves none. */
export class FileRecorder {
  readonly #context: Context;
  readonly #target: LogTarget;
  readonly #beganMs: number;
  readonly #redacted: ReadonlySet<string>;
  readonly #isLogged: boolean;
  #lines: (string | undefined)[] = [];
  #bytes = 0;
  #lostRowCount = 0;

  /** @param beganMs by the monotonic clock */
  constructor(context: Context, target: LogTarget, beganMs: number) {
    this.#context = context;
    this.#target = target;
    this.#beganMs = beganMs;
    this.#redacted = new Set(target.settings.redactedColumns);
    this.#isLogged = serverLog(context) !== undefined && isLogged(target.settings, context.requestId);
  }

  /** Takes a block of rows, the first of which is row `firstIndex` of the file. */
  take(
    firstIndex: number,
    {
      asked,
      answered,
      rowCount,
    }: { asked: Record<string, string[]>; answered: PredictedColumns; rowCount: number },
  ): void {
    if (!this.#isLogged) return;
    const { requestId, actor, clock } = this.#context;
    const names = Object.keys(asked);
    const timeMs = clock.nowMs();
    const latencyMs = clock.monotonicMs() - this.#beganMs;
    for (let row = 0; row < rowCount; row++) {
      const rowIndex = firstIndex + row;
      if (!isRowKept(rowIndex)) continue;
      if (this.#bytes > maxFileBytes) {
        this.#lostRowCount++;
        continue;
      }
      const given = Object.fromEntries(names.map((name) => [name, asked[name]![row]]));
      const answer = answerAt(answered, row);
      const line = recordLine(
        { requestId, rowIndex, timeMs, latencyMs, askedBy: actor.id, form: 'text', given, answer },
        this.#redacted,
      );
      this.#lines.push(line);
      this.#bytes += line?.length ?? 0;
    }
  }

  /** Records what was taken. */
  record(): void {
    const log = serverLog(this.#context);
    if (!log || !this.#isLogged) return;
    log.add(this.#target.stream, this.#lines);
    log.lose(this.#target.stream, this.#lostRowCount);
  }
}

/** A row of answers by columns, as the answer to a row of JSON has it; without what CSV answers do not have. */
export function answerAt(
  { prediction, probabilities, lower, upper }: PredictedColumns,
  row: number,
): Record<string, unknown> {
  return {
    prediction: prediction[row],
    ...(probabilities && {
      probabilities: Object.fromEntries(
        Object.entries(probabilities).map(([name, values]) => [name, values[row]]),
      ),
    }),
    ...(lower && { lower: lower[row] }),
    ...(upper && { upper: upper[row] }),
  };
}
