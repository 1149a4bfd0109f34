// Writes the one migration anew from all rows.ts files: `node src/platform/database/regenerate.ts`.
// Only while nothing is released. From the first release on, `npm run migration -- --name WHAT` adds numbered
// migrations and this file goes.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { migrationsFolder } from './migrate.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const schema = './src/**/rows.ts';
// Made beside the old ones and then put in their place, so that tests that run meanwhile find one or the other.
const freshName = `src/platform/database/migrations.${process.pid}`;
const fresh = `${root}/${freshName}`;

try {
  const kit = ['node_modules/drizzle-kit/bin.cjs', 'generate', '--dialect', 'postgresql', '--schema', schema];
  execFileSync(process.execPath, [...kit, '--out', freshName, '--name', 'initial'], {
    cwd: root,
    stdio: 'inherit',
  });
  // The same tables again would only look newer, to databases that have them.
  if (tablesIn(fresh) !== tablesIn(migrationsFolder)) {
    rmSync(migrationsFolder, { recursive: true, force: true });
    renameSync(fresh, migrationsFolder);
  }
} finally {
  rmSync(fresh, { recursive: true, force: true });
}

function tablesIn(folder: string): string {
  const path = `${folder}/0000_initial.sql`;
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
}
