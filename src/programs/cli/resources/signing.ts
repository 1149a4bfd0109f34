// `pilvi model signers`, `withdraw-signer` and `sign`: the keys that a server vouches for model files with.
import type { Command } from 'commander';
import type { AnswerFor } from '../../../sdk/types.ts';
import { act } from '../act.ts';
import { UsageError } from '../failure.ts';
import { findModelVersion } from '../find.ts';
import type { Session } from '../session.ts';
import { printTable } from '../table.ts';
import { print } from '../terminal.ts';
import { timeInWords } from '../words.ts';

type Signers = AnswerFor<'listSigningKeys'>['items'];
type Version = AnswerFor<'signModelVersion'>;

/** Adds them to `pilvi model`. */
export function addSigningCommands(model: Command): void {
  model
    .command('signers')
    .description('the public keys that the server signs model files with, and those that were withdrawn')
    .action(act(listSigners, showSigners));
  model
    .command('withdraw-signer')
    .description(
      'withdraw a signing key, for good: what it signed is no longer used until it is signed anew; for the owner of the server',
    )
    .argument('<key>', 'the public key, or its first digits')
    .action(act(withdrawSigner, showSigners));
  model
    .command('sign')
    .description('sign a version anew whose key was withdrawn: you vouch for the file that was registered')
    .argument('<model>', 'NAME, NAME@VERSION, NAME@ALIAS or an id')
    .action(act(signVersion, showSigned));
}

async function listSigners(session: Session): Promise<Signers> {
  return (await (await session.client()).listSigningKeys()).items;
}

async function withdrawSigner(session: Session, _options: object, beginning: string): Promise<Signers> {
  const client = await session.client();
  const { items } = await client.listSigningKeys();
  const meant = items.filter(({ publicKey }) => publicKey.startsWith(beginning.toLowerCase()));
  if (meant.length > 1) throw new UsageError(`"${beginning}" begins more than one key; give more digits`);
  const [{ publicKey } = { publicKey: beginning }] = meant;
  return (await client.withdrawSigningKey({ publicKey })).items;
}

async function signVersion(session: Session, _options: object, reference: string): Promise<Version> {
  const client = await session.client();
  const { id: versionId } = await findModelVersion(client, await session.projectId(), reference);
  return client.signModelVersion({ versionId });
}

function showSigners(signers: Signers): void {
  printTable(
    ['public key', 'since', 'state'],
    signers.map(({ publicKey, createdAt, withdrawnAt, isCurrent }) => [
      publicKey,
      timeInWords(createdAt),
      withdrawnAt === null ? (isCurrent ? 'signs' : 'trusted') : `withdrawn ${timeInWords(withdrawnAt)}`,
    ]),
    'No keys yet.',
  );
}

function showSigned({ modelName, number, signature }: Version): void {
  print(`Signed ${modelName}@${number} with the key ${signature!.publicKey}.`);
}
