// `--trust KEY`, the same for every command that reads a model file: it is used only if one of these keys signed it.
import type { Command } from 'commander';
import type { Trust } from '../../ml/model/header.ts';
import { UsageError } from './failure.ts';
import { publicKeys } from './values.ts';

export interface TrustOption {
  trust?: string[];
}

/** Declares the option. */
export function addTrustOption(command: Command): Command {
  return command.option(
    '--trust <key>',
    'use a model file only if this public key signed it; may be given several times',
    publicKeys,
  );
}

/** Whose files may be opened. */
export function trustOf({ trust }: TrustOption): Trust {
  return trust ? { trusted: trust } : {};
}

/** For what is on a server. @throws UsageError where keys were given: they would not be asked for */
export function refuseTrust({ trust }: TrustOption): void {
  if (trust)
    throw new UsageError('--trust is for model files; of its own models a server checks the keys itself');
}
