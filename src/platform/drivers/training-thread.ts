// One thread for the trainings of ml/: trains what it is asked for, or serves the kernels of a training until that ends.
import { parentPort } from 'node:worker_threads';
import { present } from '../../base/assert.ts';
import { asProblem, type ProblemDocument } from '../../base/problems.ts';
import { systemClock } from '../../base/time.ts';
import { serveKernels, type ThreadStart } from '../../ml/kernels/threads.ts';
import { openFitService, type FitMessage } from '../../ml/search/fit-service.ts';
import type { Fitted } from '../../ml/search/fit.ts';

export type ThreadMessage =
  | { kind: 'kernels'; start: ThreadStart }
  | { kind: 'fit'; id: number; message: FitMessage };

export type ThreadAnswer = { id: number } & (
  | { fitted: Fitted | undefined }
  | { problem: Pick<ProblemDocument, 'code' | 'detail' | 'errors'> }
);

const port = present(parentPort, 'port to the training');
const fit = openFitService(systemClock);

port.on('message', (received: ThreadMessage) => {
  if (received.kind === 'kernels') serveKernels(received.start);
  else void answer(received);
});

async function answer({ id, message }: ThreadMessage & { kind: 'fit' }): Promise<void> {
  try {
    post({ id, fitted: await fit(message) });
  } catch (error) {
    const { code, message: detail, errors } = asProblem(error);
    post({ id, problem: { code, detail, ...(errors && { errors }) } });
  }
}

function post(told: ThreadAnswer): void {
  port.postMessage(told);
}
