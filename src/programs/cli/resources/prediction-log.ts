// `pilvi endpoint log`: what is kept of the predictions of an endpoint. Looking at them is `pilvi prediction`.
import type { Command } from 'commander';
import type { AnswerFor } from '../../../sdk/types.ts';
import { act } from '../act.ts';
import { UsageError } from '../failure.ts';
import { findEndpoint } from '../find.ts';
import type { Session } from '../session.ts';
import { printProperties } from '../table.ts';
import { collect, numberWithin, wholeNumber } from '../values.ts';
import { bytesInWords, countInWords, timeInWords } from '../words.ts';

type Endpoint = AnswerFor<'getEndpoint'>;
type Log = AnswerFor<'getPredictionLog'>;

interface LogOptions {
  share?: number;
  redact?: string[];
  redactNothing?: boolean;
  days?: number;
}

/** Adds `log` to `pilvi endpoint`. */
export function addLogCommand(endpoint: Command): void {
  endpoint
    .command('log')
    .description('what is kept of the predictions, and how much there is; options change it, from now on')
    .argument('<endpoint>', 'name or id')
    .option('--share <share>', 'the share of requests that is logged, 0 to 1', numberWithin(0, 1))
    .option(
      '--redact <field>',
      'a field whose values are never written down; may be given several times, for all of them',
      collect,
    )
    .option('--redact-nothing', 'write the values of all fields down')
    .option('--days <number>', 'how many days records are kept', wholeNumber(1, 3650))
    .action(act(setLog, showLog));
}

async function setLog(session: Session, options: LogOptions, reference: string): Promise<Log> {
  const { share, redact, redactNothing, days } = options;
  if (redact && redactNothing) throw new UsageError('name fields to redact, or --redact-nothing');
  const client = await session.client();
  const { id: endpointId } = await findEndpoint(client, await session.projectId(), reference);
  if (Object.keys(options).length > 0) {
    const body = { share, redactedColumns: redactNothing ? [] : redact, keptDays: days };
    await client.setLogSettings({ endpointId, body });
  }
  return client.getPredictionLog({ endpointId });
}

function showLog({ settings, ...log }: Log): void {
  printProperties([
    ['log', logInWords({ log: settings })],
    ['predictions', countInWords(log.rowCount)],
    ['outcomes', countInWords(log.outcomeCount)],
    ['size', bytesInWords(log.sizeBytes)],
    [
      'lost',
      log.lostRowCount > 0 ? `${countInWords(log.lostRowCount)}, last ${timeInWords(log.lostAt)}` : '',
    ],
  ]);
}

/** The settings in a line. */
export function logInWords({ log: { share, redactedColumns, keptDays } }: Pick<Endpoint, 'log'>): string {
  if (share === 0) return 'nothing is logged';
  const requests = share === 1 ? 'every request' : `${Number((share * 100).toFixed(2))} % of requests`;
  const without = redactedColumns.length > 0 ? `, without ${redactedColumns.join(', ')}` : '';
  return `${requests}${without}, kept for ${keptDays} days`;
}
