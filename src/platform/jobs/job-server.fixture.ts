// A server of jobs and nothing else, made to be killed: `node job-server.fixture.ts FOLDER [POSTGRES_URL]`. Starts a
// test job for each line of JSON on its input and prints the job's id; `wait` prints `idle` once every job has ended;
// `stop`, or the end of the input, stops it.
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { idSource } from '../../base/ids.ts';
import { openLog } from '../drivers/log.ts';
import { openPglite } from '../drivers/pglite.ts';
import { openPostgres } from '../drivers/postgres.ts';
import { openTestJobs, startTestJob, type Behaviour } from './jobs.fixture.ts';

const [folder, url] = process.argv.slice(2) as [string, string | undefined];
const log = openLog({ level: 'silent' });
const database = await (url === undefined
  ? openPglite({ storage: { folder: join(folder, 'database') }, log })
  : openPostgres({ url, log }));
const newId = idSource();
const { jobs, services, close } = await openTestJobs(
  { database, log, workFolder: join(folder, 'work') },
  { concurrency: 3, stopGraceMs: 100 },
);
console.log('ready');

for await (const line of createInterface({ input: process.stdin })) {
  if (line === 'stop') break;
  if (line === 'wait') {
    while ((await unfinishedCount()) > 0) await sleep(100);
    console.log('idle');
  } else console.log(await startTestJob(services, jobs, JSON.parse(line) as Behaviour, newId('workspace')));
}
process.stdin.destroy();
await close();
await database.close();

async function unfinishedCount(): Promise<number> {
  const { rows } = await database.textQuery(null, `select count(*) as n from jobs where finished_at is null`);
  return Number(rows[0]!.n);
}
