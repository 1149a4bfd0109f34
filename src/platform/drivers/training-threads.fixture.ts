// A process that ends its threads while they are asked something, many times, and then says so. Run by
// training-threads.test.ts: a process that nothing keeps alive ends too soon, without a word.
import { openTrainingThreads } from './training-threads.ts';

for (let round = 0; round < 8; round++) {
  const threads = openTrainingThreads(1);
  await threads.ask(0, { kind: 'material' });
  threads.ask(0, { kind: 'material' }).catch(() => undefined);
  await threads.close();
}
console.log('ended');
