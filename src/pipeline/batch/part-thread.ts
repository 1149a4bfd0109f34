// One thread of a batch: writes the parts that it is sent, one after the other, until it is ended. Each has the model
// and an engine of its own, so that threads wait for nothing but the disk.
import { parentPort, workerData } from 'node:worker_threads';
import { present } from '../../base/assert.ts';
import { Problem, type ProblemDocument } from '../../base/problems.ts';
import { asEngineProblem } from './engine-problem.ts';
import { openPartWriter, type PartWriterOptions, type RowRange } from './part-writer.ts';

/** What a thread tells. */
export type ThreadMessage =
  | { kind: 'rows'; rowCount: number }
  | { kind: 'written' }
  | { kind: 'failed'; problem: ProblemDocument };

const port = present(parentPort, 'port to the batch');
const tell = (message: ThreadMessage): void => port.postMessage(message);
const opening = openPartWriter(workerData as PartWriterOptions);
// It is told when the first part is asked for.
opening.catch(() => undefined);

port.on('message', (range: RowRange) => void write(range));

async function write(range: RowRange): Promise<void> {
  try {
    const writer = await opening;
    await writer.write(range, (rowCount) => tell({ kind: 'rows', rowCount }));
    tell({ kind: 'written' });
  } catch (error) {
    const problem = asEngineProblem(error);
    // What is nobody's fault but ours ends the thread, and reaches the log with its stack.
    if (!(problem instanceof Problem)) throw error;
    tell({ kind: 'failed', problem: problem.toDocument() });
  }
}
