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

/** The statements, and the snapshot that the next migration begins from: a merge may have got only one of them right. */
function tablesIn(folder: string): string {
  const path = `${folder}/0000_initial.sql`;
  if (!existsSync(path)) return '';
  const snapshot = JSON.parse(readFileSync(`${folder}/meta/0000_snapshot.json`, 'utf8')) as object;
  return readFileSync(path, 'utf8') + JSON.stringify({ ...snapshot, id: '', prevId: '' });
}
