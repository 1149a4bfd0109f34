// `pilvi update`: keep an endpoint fresh by itself, and see what was done.
import type { Command } from 'commander';
import { setTimeout as sleep } from 'node:timers/promises';
import { listAll } from '../../../sdk/list-all.ts';
import type { AnswerFor, InputFor } from '../../../sdk/types.ts';
import { act } from '../act.ts';
import { UsageError } from '../failure.ts';
import { strategyOf, type StrategyOptions } from '../release-strategy.ts';
import { findEndpoint } from '../find.ts';
import type { Session } from '../session.ts';
import { printProperties, printTable } from '../table.ts';
import { print } from '../terminal.ts';
import { choice, nameList, numberWithin, usd, wholeNumber } from '../values.ts';
import { timeInWords } from '../words.ts';

type Policy = AnswerFor<'getUpdatePolicy'>;
type Settings = InputFor<'setUpdatePolicy'>['body'];
type Update = AnswerFor<'getUpdate'>;

interface SetOptions {
  on?: boolean;
  off?: boolean;
  newData?: boolean;
  alerts?: string[];
  newEngine?: boolean;
  everyHours?: number;
  neverByClock?: boolean;
  restHours?: number;
  maxUsd?: number;
  takesOver?: Exclude<StrategyOptions['strategy'], 'challenger'>;
  steps?: string;
  bake: string;
  leastRequests?: number;
}

const lookEveryMs = 1000;

export function addUpdateCommands(program: Command): void {
  const update = program
    .command('update')
    .description('keep an endpoint fresh: train again, compare, and let the new version take over');
  const command = (name: string, description: string, argument = '<endpoint>'): Command =>
    update
      .command(name)
      .description(description)
      .argument(argument, argument === '<endpoint>' ? 'name or id' : 'an id');
  command('policy', 'when an endpoint is updated by itself').action(act(getPolicy, showPolicy));
  command('set', 'change when an endpoint is updated by itself')
    .option('--on', 'let triggers start updates')
    .option('--off', 'update only when somebody asks')
    .option('--new-data', 'update when its dataset gets a new version')
    .option('--no-new-data', 'do not')
    .option(
      '--alerts <measures>',
      'update when these alerts open, with commas in between; none: ""',
      nameList,
    )
    .option('--new-engine', 'update when Pilvi learned to learn better')
    .option('--no-new-engine', 'do not')
    .option('--every-hours <hours>', 'update by the clock', wholeNumber(1, 8784))
    .option('--never-by-clock', 'do not')
    .option('--rest-hours <hours>', 'so long no trigger starts another one', numberWithin(0, 8784))
    .option('--max-usd <amount>', 'begin no update that could cost more', usd)
    .addOption(
      choice('--takes-over <kind>', 'how a new version takes over', [
        'canary',
        'linear',
        'all-at-once',
        'shadow',
      ]),
    )
    .option('--steps <list>', 'of a canary: SHARE=TIME with commas, such as 5%=15m,50%=1h')
    .option('--bake <time>', 'of the others: how long each step is watched', '30m')
    .option('--least-requests <count>', 'it answers so many in each step', wholeNumber(0, 1_000_000))
    .action(act(setPolicy, showPolicy));
  command('start', 'update now, and wait for its end').action(act(start, showUpdate));
  command('list', 'the updates of an endpoint, newest first').action(act(list, showList));
  command('show', 'one update with its steps', '<update>').action(act(get, showUpdate));
  command('cancel', 'end an update that runs', '<update>').action(act(cancel, showUpdate));
  command('take-back', 'put back the versions that answered before', '<update>').action(
    act(takeBack, showUpdate),
  );
}

async function endpointId(session: Session, reference: string): Promise<string> {
  return (await findEndpoint(await session.client(), await session.projectId(), reference)).id;
}

async function getPolicy(session: Session, _options: object, reference: string): Promise<Policy> {
  const client = await session.client();
  return client.getUpdatePolicy({ endpointId: await endpointId(session, reference) });
}

async function setPolicy(session: Session, options: SetOptions, reference: string): Promise<Policy> {
  const body = { ...settingsOf(options), ...takesOverOf(options) };
  if (Object.keys(body).length === 0) throw new UsageError('nothing to change: name at least one option');
  const client = await session.client();
  return client.setUpdatePolicy({ endpointId: await endpointId(session, reference), body });
}

function settingsOf(options: SetOptions): Settings {
  const { on, off, newData, alerts, newEngine, everyHours, neverByClock, restHours, maxUsd } = options;
  if (on && off) throw new UsageError('--on and --off exclude each other');
  if (everyHours !== undefined && neverByClock)
    throw new UsageError('--every-hours and --never-by-clock exclude each other');
  return {
    ...((on || off) && { isOn: on === true }),
    ...(newData !== undefined && { onNewData: newData }),
    ...(alerts !== undefined && { onAlerts: alerts as NonNullable<Settings['onAlerts']> }),
    ...(newEngine !== undefined && { onNewEngine: newEngine }),
    ...(everyHours !== undefined && { everyHours }),
    ...(neverByClock && { everyHours: null }),
    ...(restHours !== undefined && { restHours }),
    ...(maxUsd !== undefined && { maxMicroUsdPerRun: maxUsd }),
  };
}

function takesOverOf({ takesOver, steps, bake, leastRequests }: SetOptions): Settings {
  if (takesOver === undefined) {
    if (steps !== undefined || leastRequests !== undefined)
      throw new UsageError('--steps and --least-requests go with --takes-over');
    return {};
  }
  const options = { strategy: takesOver, bake, stepCount: 5, role: 'live', ...(steps && { steps }) } as const;
  return { takesOver: { strategy: strategyOf(options), leastRequests: leastRequests ?? 0 } };
}

async function start(session: Session, _options: object, reference: string): Promise<Update> {
  const client = await session.client();
  let update = await client.startUpdate({ endpointId: await endpointId(session, reference) });
  while (update.endedAt === null) {
    await sleep(lookEveryMs, undefined, { signal: session.signal });
    update = await client.getUpdate({ updateId: update.id });
  }
  return update;
}

async function list(session: Session, _options: object, reference: string): Promise<Update[]> {
  const client = await session.client();
  return Array.fromAsync(listAll(client.listUpdates, { endpointId: await endpointId(session, reference) }));
}

async function get(session: Session, _options: object, updateId: string): Promise<Update> {
  return (await session.client()).getUpdate({ updateId });
}

async function cancel(session: Session, _options: object, updateId: string): Promise<Update> {
  return (await session.client()).cancelUpdate({ updateId });
}

async function takeBack(session: Session, _options: object, updateId: string): Promise<Update> {
  return (await session.client()).takeBackUpdate({ updateId });
}

function showPolicy({ settings, nextAt, restsUntil, waiting }: Policy): void {
  print(settings.isOn ? 'It is updated by itself.' : 'It is updated only when somebody asks.');
  print('');
  printProperties([
    ['after new data', settings.onNewData ? 'yes' : 'no'],
    ['after alerts', settings.onAlerts.join(', ') || 'no'],
    ['after a new engine', settings.onNewEngine ? 'yes' : 'no'],
    ['by the clock', settings.everyHours === null ? 'no' : `every ${settings.everyHours} hours`],
    ['takes over', settings.takesOver.strategy.kind],
    ['next', timeInWords(nextAt)],
    ['rest in between', `${settings.restHours} hours`],
    ['rests until', timeInWords(restsUntil)],
    ['waiting', waiting?.words ?? ''],
  ]);
}

function showList(updates: Update[]): void {
  printTable(
    ['began', 'because', 'state', 'version', 'id'],
    updates.map(({ createdAt, trigger, state, candidate, id }) => [
      timeInWords(createdAt),
      trigger.words,
      state,
      candidate ? String(candidate.versionNumber) : '',
      id,
    ]),
    'No updates yet; "pilvi update start ENDPOINT" makes one.',
  );
}

function showUpdate({ state, steps, reasons }: Update): void {
  print(`The update is ${state}.`);
  for (const reason of reasons) print(`Because: ${reason}`);
  print('');
  printTable(
    ['when', 'state', 'what'],
    steps.map((step) => [timeInWords(step.at), step.state, step.words]),
    '',
  );
}
