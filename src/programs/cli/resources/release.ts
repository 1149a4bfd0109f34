// `pilvi release`: a model version is brought to an endpoint step by step, watched, and taken back when it is worse.
import type { Command } from 'commander';
import { listAll } from '../../../sdk/list-all.ts';
import type { AnswerFor } from '../../../sdk/types.ts';
import { act } from '../act.ts';
import { strategies, strategyOf, type StrategyOptions } from '../release-strategy.ts';
import { findEndpoint, findModelVersion } from '../find.ts';
import type { Session } from '../session.ts';
import { printProperties, printTable } from '../table.ts';
import { print } from '../terminal.ts';
import { choice, numberWithin, wholeNumber } from '../values.ts';
import { countInWords, timeInWords } from '../words.ts';

type Release = AnswerFor<'getRelease'>;
type Listed = AnswerFor<'listReleases'>['items'][number];

interface StartOptions extends StrategyOptions {
  approvals?: number;
  approvalsBefore?: 'first-step' | 'all-traffic';
  notByStarter?: boolean;
  onAlarm?: 'roll-back' | 'pause';
  leastRequests?: number;
  note?: string;
}

export function addReleaseCommands(program: Command): void {
  const release = program
    .command('release')
    .description('bring a model version to an endpoint step by step, and take it back when it is worse');
  release
    .command('start')
    .description('start a release')
    .argument('<endpoint>', 'name or id')
    .argument('<model>', 'NAME, NAME@VERSION, NAME@ALIAS or an id')
    .addOption(choice('--strategy <kind>', 'how', strategies).default('canary'))
    .option('--steps <list>', 'of a canary: SHARE=TIME with commas; left out, 5%=15m,25%=15m,50%=15m')
    .option('--step-count <count>', 'of linear: so many equal steps', wholeNumber(2, 50), 5)
    .option('--bake <time>', 'of the others: how long each step is watched', '30m')
    .option('--share <share>', 'of shadow and challenger: of the requests, 0 to 1', numberWithin(0, 1))
    .addOption(choice('--role <role>', 'of a challenger', ['shadow', 'live']).default('live'))
    .option('--approvals <count>', 'so many people have to approve it', wholeNumber(0, 5))
    .addOption(choice('--approvals-before <what>', 'what waits for them', ['first-step', 'all-traffic']))
    .option('--not-by-starter', 'whoever starts it may not approve it')
    .addOption(choice('--on-alarm <what>', 'what happens when it is worse', ['roll-back', 'pause']))
    .option('--least-requests <count>', 'it answers so many in each step', wholeNumber(0, 1_000_000))
    .option('--note <text>', 'why')
    .action(act(startRelease, showRelease));
  release
    .command('list')
    .description('the releases of an endpoint, newest first')
    .argument('<endpoint>', 'name or id')
    .action(act(listReleases, showReleases));
  const command = (name: string, description: string): Command =>
    release.command(name).description(description).argument('<release>', 'an id');
  const withReason = (name: string, description: string): Command =>
    command(name, description).option('--reason <text>', 'why');
  command('show', 'one release with its history').action(act(getRelease, showRelease));
  command('approve', 'approve a release that waits for it')
    .option('--note <text>', 'why')
    .action(act(approveRelease, showRelease));
  withReason('pause', 'keep it at its step; it is still watched').action(act(pauseRelease, showRelease));
  withReason('resume', 'let it go on').action(act(resumeRelease, showRelease));
  withReason('promote', 'give it all of the traffic now').action(act(promoteRelease, showRelease));
  withReason('rollback', 'let the former versions answer again').action(act(rollBackRelease, showRelease));
}

async function startRelease(
  session: Session,
  options: StartOptions,
  ...[reference, model]: [string, string]
): Promise<Release> {
  const { approvals, approvalsBefore, notByStarter, onAlarm, leastRequests, note } = options;
  const strategy = strategyOf(options);
  const client = await session.client();
  const projectId = await session.projectId();
  const { id: endpointId } = await findEndpoint(client, projectId, reference);
  const { id: modelVersionId } = await findModelVersion(client, projectId, model);
  const { id: releaseId } = await client.startRelease({
    endpointId,
    body: {
      modelVersionId,
      strategy,
      guard: { ...(onAlarm && { onAlarm }), ...(leastRequests !== undefined && { leastRequests }) },
      approvals: {
        ...(approvals !== undefined && { count: approvals }),
        ...(approvalsBefore && { before: approvalsBefore }),
        ...(notByStarter && { notByStarter }),
      },
      ...(note !== undefined && { note }),
    },
  });
  return client.getRelease({ releaseId });
}

async function listReleases(session: Session, _options: object, reference: string): Promise<Listed[]> {
  const client = await session.client();
  const { id: endpointId } = await findEndpoint(client, await session.projectId(), reference);
  return Array.fromAsync(listAll(client.listReleases, { endpointId }));
}

async function getRelease(session: Session, _options: object, releaseId: string): Promise<Release> {
  return (await session.client()).getRelease({ releaseId });
}

async function approveRelease(
  session: Session,
  { note }: { note?: string },
  releaseId: string,
): Promise<Release> {
  const client = await session.client();
  return client.approveRelease({ releaseId, body: { ...(note !== undefined && { note }) } });
}

interface Because {
  reason?: string;
}

async function pauseRelease(session: Session, body: Because, releaseId: string): Promise<Release> {
  return (await session.client()).pauseRelease({ releaseId, body });
}

async function resumeRelease(session: Session, body: Because, releaseId: string): Promise<Release> {
  return (await session.client()).resumeRelease({ releaseId, body });
}

async function promoteRelease(session: Session, body: Because, releaseId: string): Promise<Release> {
  return (await session.client()).promoteRelease({ releaseId, body });
}

async function rollBackRelease(session: Session, body: Because, releaseId: string): Promise<Release> {
  return (await session.client()).rollBackRelease({ releaseId, body });
}

function showReleases(releases: Listed[]): void {
  printTable(
    ['started', 'version', 'how', 'state', 'step', 'id'],
    releases.map((release) => [
      timeInWords(release.createdAt),
      versionInWords(release.candidate),
      release.strategy.kind,
      release.state,
      stepInWords(release),
      release.id,
    ]),
    'No releases yet; "pilvi release start ENDPOINT MODEL" starts one.',
  );
}

function showRelease(release: Release): void {
  const { candidate, former, strategy, state, waitingFor, reason, note, comparison, history, id } = release;
  printProperties([
    ['release', versionInWords(candidate)],
    ['id', id],
    ['in place of', former.map(versionInWords).join(', ')],
    ['how', strategy.kind],
    ['state', state],
    ['step', stepInWords(release)],
    ['waits for', waitingFor.join(' ')],
    ['reason', reason],
    ['note', note],
  ]);
  if (comparison) {
    const { candidate: one, current: other } = comparison;
    print('');
    printTable(
      ['', 'the new version', 'the current one'],
      [
        ['requests', countInWords(one.requestCount), countInWords(other.requestCount)],
        ['not answered', percent(one.errorShare), percent(other.errorShare)],
        [`slower than ${comparison.slowerThanMs} ms`, percent(one.slowShare), percent(other.slowShare)],
        ['outcomes known', countInWords(one.outcomeCount), countInWords(other.outcomeCount)],
        ['wrong or far off', percent(one.badShare), percent(other.badShare)],
      ],
      '',
    );
  }
  print('');
  printTable(
    ['when', 'what', 'by', 'note'],
    history.map(({ at, kind, stepIndex, by, note: why }) => [
      timeInWords(at),
      kind === 'step' && stepIndex !== null ? `step ${stepIndex + 1}` : kind,
      by,
      why,
    ]),
    '',
  );
}

function stepInWords({ state, stepIndex, steps }: Listed): string {
  if (stepIndex === null) return 'none yet';
  const { role, trafficShare } = steps[stepIndex]!;
  const share = state === 'finished' ? 1 : trafficShare;
  return `${stepIndex + 1} of ${steps.length}, ${percent(share)}${role === 'shadow' ? ' as a shadow' : ''}`;
}

function versionInWords({ modelName, versionNumber }: Listed['candidate']): string {
  return `${modelName}@${versionNumber}`;
}

function percent(share: number | null): string {
  return share === null ? '' : `${Number((100 * share).toPrecision(3))} %`;
}
