// One thread for the kernels of ml/: serves the training of each message until that training ends.
import { parentPort } from 'node:worker_threads';
import { present } from '../../base/assert.ts';
import { serveKernels, type ThreadStart } from '../../ml/kernels/threads.ts';

present(parentPort, 'port to the training').on('message', (start: ThreadStart) => serveKernels(start));
