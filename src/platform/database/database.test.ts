// The database port's promises on both drivers, and what makes tables and migrations one thing.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { globSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';
import { generateDrizzleJson, generateMigration } from 'drizzle-kit/api';
import { openLog } from '../drivers/log.ts';
import { openTestDatabase, testPostgresUrl } from '../testing.ts';
import { databaseConformance } from './database.conformance.ts';
import { isolationConformance } from './isolation.conformance.ts';
import { migrationsFolder } from './migrate.ts';

const log = openLog({ level: 'silent' });

databaseConformance('PGlite', () => openTestDatabase('pglite', log));
isolationConformance('PGlite', () => openTestDatabase('pglite', log));

if (testPostgresUrl === undefined) {
  test('Postgres', { skip: 'PILVI_TEST_POSTGRES_URL is not set: run through test/with-postgres.ts' });
} else {
  databaseConformance('Postgres', () => openTestDatabase('postgres', log));
  isolationConformance('Postgres', () => openTestDatabase('postgres', log));
}

test('the migrations make exactly the tables that rows.ts files declare', async () => {
  const source = join(dirname(fileURLToPath(import.meta.url)), '../..');
  const declared: Record<string, unknown> = {};
  for (const path of globSync('**/rows.ts', { cwd: source })) {
    const module = (await import(join(source, path))) as Record<string, unknown>;
    for (const [name, value] of Object.entries(module)) declared[`${path} ${name}`] = value;
  }
  const { entries } = JSON.parse(await readFile(`${migrationsFolder}/meta/_journal.json`, 'utf8')) as {
    entries: { tag: string }[];
  };
  const newest = entries.at(-1)!.tag.split('_')[0];
  const snapshot = JSON.parse(await readFile(`${migrationsFolder}/meta/${newest}_snapshot.json`, 'utf8'));
  assert.deepEqual(await generateMigration(snapshot, generateDrizzleJson(declared)), []);
});
