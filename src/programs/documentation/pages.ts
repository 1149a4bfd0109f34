// Everything in the repository that is generated, by its path: `npm run generate` writes it, documentation.test.ts
// fails when it is behind its source.
import { operations } from '../../contract/contract.ts';
import { operationsText } from '../../sdk/operations-text.ts';
import { commandPage } from './command-page.ts';
import { configurationPage } from './configuration-page.ts';
import { problemsPage } from './problems-page.ts';

/** Text of each generated file by its path below the project's root. */
export const pages: Readonly<Record<string, () => string>> = {
  'docs/cli.md': commandPage,
  'docs/configuration.md': configurationPage,
  'docs/problems.md': problemsPage,
  'src/sdk/operations.ts': () => operationsText(operations),
};
