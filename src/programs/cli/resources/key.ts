// `pilvi key`: what programs sign in with.
import type { Command } from 'commander';
import { listAll } from '../../../sdk/list-all.ts';
import type { AnswerFor, InputFor } from '../../../sdk/types.ts';
import { act } from '../act.ts';
import { findProject, pick } from '../find.ts';
import type { Session } from '../session.ts';
import { printTable } from '../table.ts';
import { note, print } from '../terminal.ts';
import { choice, wholeNumber } from '../values.ts';
import { timeInWords } from '../words.ts';
import { roleNames } from './workspace.ts';

type Key = AnswerFor<'listKeys'>['items'][number];

interface CreateOptions {
  role: NonNullable<InputFor<'createKey'>['body']['role']>;
  onlyProject?: string;
  expiresInDays?: number;
}

export function addKeyCommands(program: Command): void {
  const key = program.command('key').description('what programs sign in with');
  key.command('list').description('the keys of the workspace').action(act(listKeys, showKeys));
  key
    .command('create')
    .description('make a key; prints its secret, this once')
    .argument('<name>')
    .addOption(choice('--role <role>', 'what it may do', roleNames).default('editor'))
    .option('--only-project <project>', 'the only project it may touch, by name or id')
    .option('--expires-in-days <number>', 'when it ends by itself', wholeNumber(1, 3650))
    .action(act(createKey, showSecret));
  key
    .command('revoke')
    .description('revoke a key; it stops working at once')
    .argument('<key>', 'name or id')
    .action(act(revokeKey, ({ name }) => print(`Revoked "${name}".`)));
}

/** All keys, revoked ones too. */
export async function listKeys(session: Session): Promise<Key[]> {
  return Array.fromAsync(listAll((await session.client()).listKeys, {}));
}

async function createKey(
  session: Session,
  { role, onlyProject, expiresInDays }: CreateOptions,
  name: string,
) {
  const client = await session.client();
  const projectId = onlyProject === undefined ? null : (await findProject(client, onlyProject)).id;
  return client.createKey({ body: { name, role, projectId, expiresInDays: expiresInDays ?? null } });
}

async function revokeKey(session: Session, _options: object, reference: string) {
  const keys = await listKeys(session);
  const { id, name } = pick(
    'key',
    reference,
    keys.toSorted((a, b) => Number(a.revokedAt !== null) - Number(b.revokedAt !== null)),
  );
  await (await session.client()).revokeKey({ keyId: id });
  return { revoked: id, name };
}

function showKeys(keys: Key[]): void {
  printTable(
    ['name', 'begins with', 'role', 'project', 'last used', 'expires', 'state', 'id'],
    keys.map((key) => [
      key.name,
      key.hint,
      key.role,
      key.projectId ?? 'all',
      timeInWords(key.lastUsedAt) || 'never',
      timeInWords(key.expiresAt) || 'never',
      key.revokedAt === null ? 'works' : 'revoked',
      key.id,
    ]),
    'No keys yet; "pilvi key create NAME" makes one.',
  );
}

function showSecret({ key, secret }: AnswerFor<'createKey'>): void {
  note(`The key "${key.name}" (${key.role}). This is the only time that its secret is shown; keep it safe:`);
  print(secret);
}
