// `pilvi budget`: hard caps, what was charged, and what things cost.
import type { Command } from 'commander';
import type { AnswerFor, InputFor } from '../../../sdk/types.ts';
import { act } from '../act.ts';
import { UsageError } from '../failure.ts';
import { findProject, pick } from '../find.ts';
import type { Session } from '../session.ts';
import { printTable } from '../table.ts';
import { print } from '../terminal.ts';
import { choice, usd, wholeNumber } from '../values.ts';
import { scoreInWords, timeInWords, usdInWords } from '../words.ts';
import { listKeys } from './key.ts';

type Budget = AnswerFor<'setBudget'>;
type Scope = InputFor<'setBudget'>['body']['scope'];

interface SetOptions {
  forProject?: string;
  forKey?: string;
  period: 'month' | 'total';
}

export function addBudgetCommands(program: Command): void {
  const budget = program.command('budget').description('hard caps, what was charged, and what things cost');
  budget
    .command('list')
    .description('all caps with what is spent and reserved')
    .action(act(listBudgets, showBudgets));
  budget
    .command('set')
    .description('set the hard cap of the workspace, a project or a key')
    .argument('<usd>', 'the cap in US dollars, such as 20', usd)
    .option('--for-project <project>', 'name or id')
    .option('--for-key <key>', 'name or id')
    .addOption(
      choice('--period <period>', 'for each calendar month (UTC), or in all', ['month', 'total']).default(
        'month',
      ),
    )
    .action(act(setBudget, (changed: Budget) => showBudgets([changed])));
  budget
    .command('remove')
    .description('remove a cap')
    .argument('<budget>', 'an id')
    .action(act(removeBudget, ({ removed }) => print(`Removed ${removed}.`)));
  budget.command('prices').description('the price list').action(act(listPrices, showPrices));
  budget
    .command('charges')
    .description('what was charged, newest first')
    .option('--limit <number>', 'how many', wholeNumber(1, 200), 50)
    .action(act(listCharges, showCharges));
  budget
    .command('spending')
    .description('what was charged, by day and kind of use')
    .option('--days <number>', 'how far back', wholeNumber(1, 366), 30)
    .action(act(getSpending, showSpending));
}

async function listBudgets(session: Session): Promise<Budget[]> {
  return (await (await session.client()).listBudgets()).items;
}

async function setBudget(session: Session, options: SetOptions, capMicroUsd: number): Promise<Budget> {
  const client = await session.client();
  return client.setBudget({
    body: { scope: await scopeOf(session, options), period: options.period, capMicroUsd },
  });
}

async function scopeOf(session: Session, { forProject, forKey }: SetOptions): Promise<Scope> {
  if (forProject !== undefined && forKey !== undefined)
    throw new UsageError('name a project or a key, not both');
  if (forProject !== undefined) {
    return { kind: 'project', projectId: (await findProject(await session.client(), forProject)).id };
  }
  if (forKey !== undefined) return { kind: 'key', keyId: pick('key', forKey, await listKeys(session)).id };
  return { kind: 'workspace' };
}

async function removeBudget(session: Session, _options: object, budgetId: string) {
  await (await session.client()).removeBudget({ budgetId });
  return { removed: budgetId };
}

async function listPrices(session: Session) {
  return (await (await session.client()).listPrices()).items;
}

async function listCharges(session: Session, { limit, project }: { limit: number; project?: string }) {
  const client = await session.client();
  const projectId = project === undefined ? undefined : await session.projectId();
  return (await client.listCharges({ limit, projectId })).items;
}

async function getSpending(session: Session, { days }: { days: number }) {
  return (await (await session.client()).getSpending({ days })).items;
}

function showBudgets(budgets: Budget[]): void {
  printTable(
    ['for', 'period', 'cap', 'spent', 'reserved', 'id'],
    budgets.map(({ id, scope, period, capMicroUsd, spentMicroUsd, reservedMicroUsd }) => [
      scope.kind === 'workspace' ? 'workspace' : scope.kind === 'project' ? scope.projectId : scope.keyId,
      period,
      usdInWords(capMicroUsd),
      usdInWords(spentMicroUsd),
      usdInWords(reservedMicroUsd),
      id,
    ]),
    'No caps; "pilvi budget set USD" sets one.',
  );
}

function showPrices(prices: AnswerFor<'listPrices'>['items']): void {
  printTable(
    ['use', 'price', 'for each'],
    prices.map(({ label, unit, unitPriceMicroUsd, perUnits }) => [
      label,
      usdInWords(unitPriceMicroUsd),
      `${perUnits} ${unit}`,
    ]),
    'Everything is free.',
  );
}

function showCharges(charges: AnswerFor<'listCharges'>['items']): void {
  printTable(
    ['time', 'use', 'quantity', 'amount', 'project', 'for'],
    charges.map(({ at, unit, quantity, amountMicroUsd, projectId, subjectId }) => [
      timeInWords(at),
      unit,
      Number(scoreInWords(quantity)),
      usdInWords(amountMicroUsd),
      projectId,
      subjectId,
    ]),
    'Nothing was charged yet.',
  );
}

function showSpending(days: AnswerFor<'getSpending'>['items']): void {
  printTable(
    ['day', 'use', 'quantity', 'amount'],
    days.map(({ day, unit, quantity, amountMicroUsd }) => [
      day,
      unit,
      Number(scoreInWords(quantity)),
      usdInWords(amountMicroUsd),
    ]),
    'Nothing was charged.',
  );
}
