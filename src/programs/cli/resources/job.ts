// `pilvi job`: background work of a server.
import type { Command } from 'commander';
import type { JobState } from '../../../contract/job.ts';
import type { AnswerFor } from '../../../sdk/types.ts';
import { act } from '../act.ts';
import { followJob } from '../jobs.ts';
import type { Session } from '../session.ts';
import { printProperties, printTable } from '../table.ts';
import { print } from '../terminal.ts';
import { choice, wholeNumber } from '../values.ts';
import { timeInWords } from '../words.ts';

type Job = AnswerFor<'getJob'>;

const states: readonly JobState[] = ['queued', 'running', 'succeeded', 'failed', 'cancelled'];

export function addJobCommands(program: Command): void {
  const job = program.command('job').description('background work');
  job
    .command('list')
    .description('jobs, newest first')
    .addOption(choice('--state <state>', 'only those in this state', states))
    .option('--limit <number>', 'how many', wholeNumber(1, 200), 20)
    .action(act(listJobs, showJobs));
  job.command('show').description('one job').argument('<job>', 'an id').action(act(getJob, showJob));
  job
    .command('watch')
    .description('follow a job to its end; Ctrl-C stops looking, not the job')
    .argument('<job>', 'an id')
    .action(act(watchJob, showJob));
  job
    .command('cancel')
    .description('ask a job to end')
    .argument('<job>', 'an id')
    .action(act(cancelJob, ({ id, state }: Job) => print(`${id} is ${state}.`)));
}

async function listJobs(
  session: Session,
  options: { state?: Job['state']; limit: number; project?: string },
): Promise<Job[]> {
  const client = await session.client();
  const projectId = options.project === undefined ? undefined : await session.projectId();
  return (await client.listJobs({ state: options.state, limit: options.limit, projectId })).items;
}

async function getJob(session: Session, _options: object, jobId: string): Promise<Job> {
  return (await session.client()).getJob({ jobId });
}

async function watchJob(session: Session, _options: object, jobId: string): Promise<Job> {
  await followJob(session, jobId, { cancelWhenInterrupted: false });
  return getJob(session, {}, jobId);
}

async function cancelJob(session: Session, _options: object, jobId: string): Promise<Job> {
  return (await session.client()).cancelJob({ jobId });
}

function showJobs(jobs: Job[]): void {
  printTable(
    ['id', 'kind', 'state', 'done', 'attempt', 'for', 'created'],
    jobs.map((job) => [
      job.id,
      job.kind,
      job.state,
      job.state === 'running' ? `${Math.floor(job.progress.share * 100)} %` : '',
      job.attempt,
      job.subjectId,
      timeInWords(job.createdAt),
    ]),
    'No jobs.',
  );
}

function showJob(job: Job): void {
  printProperties([
    ['job', job.id],
    ['kind', job.kind],
    ['state', job.state],
    ['for', job.subjectId],
    [
      'progress',
      job.state === 'running' ? `${Math.floor(job.progress.share * 100)} %, ${job.progress.message}` : null,
    ],
    ['attempt', job.attempt],
    ['problem', job.problem?.detail],
    ['what to do', job.problem?.remedy],
    ['created', timeInWords(job.createdAt)],
    ['started', timeInWords(job.startedAt)],
    ['finished', timeInWords(job.finishedAt)],
  ]);
}
