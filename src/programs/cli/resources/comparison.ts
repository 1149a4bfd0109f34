// `pilvi compare`: what would change if another model version answered, and the rule that holds versions back.
import type { Command } from 'commander';
import { listAll } from '../../../sdk/list-all.ts';
import type { AnswerFor } from '../../../sdk/types.ts';
import { act } from '../act.ts';
import { UsageError } from '../failure.ts';
import { findEndpoint, findModelVersion } from '../find.ts';
import { followJob } from '../jobs.ts';
import type { Session } from '../session.ts';
import { printProperties, printTable } from '../table.ts';
import { print } from '../terminal.ts';
import { numberWithin, wholeNumber } from '../values.ts';
import { countInWords, timeInWords } from '../words.ts';

type Comparison = AnswerFor<'getComparison'>;
type Listed = AnswerFor<'listComparisons'>['items'][number];
type Flip = AnswerFor<'listComparisonFlips'>['items'][number];
type Rule = AnswerFor<'getGateRule'>;

interface StartOptions {
  from?: string;
  to?: string;
  threshold?: number;
  tolerance?: number;
  maxRows?: number;
}

export function addComparisonCommands(program: Command): void {
  const compare = program
    .command('compare')
    .description('what would change if another model version answered for an endpoint');
  compare
    .command('start')
    .description('replay logged requests on a version, and compare its decisions with those of now')
    .argument('<endpoint>', 'name or id')
    .argument('<version>', 'the candidate: NAME, NAME@NUMBER, NAME@ALIAS or an id')
    .option('--from <time>', 'replay requests from then on, such as 2026-11-01T00:00:00Z')
    .option('--to <time>', 'replay requests before it')
    .option('--threshold <probability>', 'two classes: decide from this probability on', numberWithin(0, 1))
    .option(
      '--tolerance <number>',
      'numbers: a change up to this is no flip',
      numberWithin(0, Number.MAX_VALUE),
    )
    .option('--max-rows <count>', 'replay a sample of more requests', wholeNumber(1, 5_000_000))
    .action(act(start, showComparison));
  compare
    .command('list')
    .description('the comparisons of an endpoint, newest first')
    .argument('<endpoint>', 'name or id')
    .action(act(list, showList));
  compare
    .command('show')
    .description('one comparison')
    .argument('<comparison>', 'an id')
    .action(act(get, showComparison));
  compare
    .command('flips')
    .description('flipped requests with both explanations: largest money first, else the most certain')
    .argument('<comparison>', 'an id')
    .action(act(flips, showFlips));
  compare
    .command('rule')
    .description('the rule that a new version has to keep to; with a rule, sets it')
    .argument('<endpoint>', 'name or id')
    .argument('[rule]', 'such as "flipped <= 2% and worst_segment <= 5%"')
    .option('--remove', 'hold nothing back')
    .action(act(rule, showRule));
}

async function endpointId(session: Session, reference: string): Promise<string> {
  return (await findEndpoint(await session.client(), await session.projectId(), reference)).id;
}

async function start(
  session: Session,
  options: StartOptions,
  reference: string,
  version: string,
): Promise<Comparison> {
  const client = await session.client();
  const { id: modelVersionId } = await findModelVersion(client, await session.projectId(), version);
  const { id, jobId } = await client.createComparison({
    endpointId: await endpointId(session, reference),
    body: { ...options, modelVersionId },
  });
  await followJob(session, jobId, { cancelWhenInterrupted: true });
  return client.getComparison({ comparisonId: id });
}

async function list(session: Session, _options: object, reference: string): Promise<Listed[]> {
  const client = await session.client();
  return Array.fromAsync(
    listAll(client.listComparisons, { endpointId: await endpointId(session, reference) }),
  );
}

async function get(session: Session, _options: object, comparisonId: string): Promise<Comparison> {
  return (await session.client()).getComparison({ comparisonId });
}

async function flips(session: Session, _options: object, comparisonId: string): Promise<Flip[]> {
  const client = await session.client();
  return Array.fromAsync(listAll(client.listComparisonFlips, { comparisonId }));
}

async function rule(
  session: Session,
  { remove }: { remove?: boolean },
  reference: string,
  text: string | undefined,
): Promise<Rule> {
  if (remove && text !== undefined) throw new UsageError('--remove and a rule exclude each other');
  const client = await session.client();
  const id = await endpointId(session, reference);
  if (!remove && text === undefined) return client.getGateRule({ endpointId: id });
  return client.setGateRule({ endpointId: id, body: { rule: text ?? null } });
}

function showComparison({ state, candidate, answering, result, verdict, problem }: Comparison): void {
  const name = ({ modelName, versionNumber }: Comparison['candidate']): string =>
    `${modelName} version ${versionNumber}`;
  print(`${name(candidate)} in place of ${name(answering)}`);
  if (!result) return print(problem?.detail ?? `The comparison is ${state}.`);
  const { flipped, rowCount, outcomes, money, moves, segments, notes } = result;
  print('');
  printProperties([
    ['requests replayed', countInWords(rowCount)],
    ['decided otherwise', `${countInWords(flipped.count)} (${interval(flipped)})`],
    ['which ones', moves.map(({ from, to, count }) => `${from} to ${to}: ${count}`).join(', ')],
    [
      'who was right',
      outcomes
        ? `only the candidate ${outcomes.onlyCandidateRight}, only the version of now ${outcomes.onlyAnsweringRight}`
        : '',
    ],
    ['costs more', money ? `${money.lost.value.toFixed(2)} ${money.currency}`.trim() : ''],
    ['gate', verdict ? (verdict.passed ? 'passed' : 'blocked') : 'the endpoint has no rule'],
  ]);
  for (const reason of verdict?.reasons ?? []) print(`Blocked: ${reason}`);
  print('');
  printTable(
    ['where', 'requests', 'flipped'],
    segments.map(({ column, segment, rowCount: count, flipped: share }) => [
      `${column}: ${segment}`,
      countInWords(count),
      interval(share),
    ]),
    '',
  );
  for (const note of notes) print(`Note: ${note}`);
}

function showList(comparisons: Listed[]): void {
  printTable(
    ['made', 'candidate', 'requests', 'flipped', 'gate', 'id'],
    comparisons.map(({ createdAt, candidate, result, verdict, state, id }) => [
      timeInWords(createdAt),
      `${candidate.modelName} ${candidate.versionNumber}`,
      countInWords(result?.rowCount),
      result ? interval(result.flipped) : state,
      verdict ? (verdict.passed ? 'passed' : 'blocked') : '',
      id,
    ]),
    'No comparisons yet; "pilvi compare start ENDPOINT VERSION" makes one.',
  );
}

function showFlips(found: Flip[]): void {
  printTable(
    ['now', 'then', 'costs more', 'true', 'because now', 'because then', 'prediction'],
    found.map(({ answering, candidate, lostMoney, actual, predictionId }) => [
      answering.decision,
      candidate.decision,
      lostMoney?.toFixed(2) ?? '',
      actual ?? '',
      because(answering),
      because(candidate),
      predictionId,
    ]),
    'No request is decided otherwise.',
  );
}

function because({ explanation }: Flip['answering']): string {
  return (explanation?.contributions ?? [])
    .slice(0, 2)
    .map(({ column, value, contribution }) => `${column} ${String(value)} ${contribution.toFixed(2)}`)
    .join(', ');
}

function showRule({ rule: text, suggestion, measures }: Rule): void {
  print(text ?? `There is no rule. To begin with: ${suggestion}`);
  print('');
  printTable(
    ['measure', 'what it is'],
    measures.map(({ name, words }) => [name, words]),
    '',
  );
}

function interval({ value, lower, upper }: { value: number; lower: number; upper: number }): string {
  const percent = (share: number): string => (100 * share).toFixed(1);
  return `${percent(value)} %, ${percent(lower)} to ${percent(upper)}`;
}
