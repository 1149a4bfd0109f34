// A server that dies at the worst moment: `node crash.fixture.ts FOLDER`. It commits three events, then its reaction
// to the second kills the process as `kill -9` does.
import { sql } from 'drizzle-orm';
import { openLog } from '../drivers/log.ts';
import { openPglite } from '../drivers/pglite.ts';
import { migratedTemplate, openTestServices } from '../testing.ts';
import { deliverDue } from './dispatcher.ts';

const database = await openPglite({
  storage: { folder: process.argv[2]! },
  template: await migratedTemplate(),
  log: openLog({ level: 'silent' }),
});
const { services, contextFor } = await openTestServices({ database });
await database.textQuery(null, 'create table effects (event_number int)');
const context = contextFor({ workspaceId: 'ws_1' });
for (const number of [1, 2, 3]) {
  await context.transaction((transaction) =>
    context.publish(transaction, { name: 'test-happened', projectId: null, data: { number } }),
  );
}
await deliverDue({
  services,
  reactions: [
    {
      event: 'test-happened',
      name: 'die',
      react: async (_context, event) => {
        const number = Number(event.data['number']);
        if (number === 2) process.kill(process.pid, 'SIGKILL');
        await database.asSystem('test', (transaction) =>
          transaction.execute(sql`insert into effects values (${number})`),
        );
      },
    },
  ],
});
