// Brings a database to the tables that this version of Pilvi knows: drizzle's numbered migrations, the role that
// work in a workspace runs as, and what that role may do. Safe when several servers start at once (an advisory lock
// makes them take turns), and all or nothing (each start is one transaction).
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { drizzle } from 'drizzle-orm/node-postgres';
import { migrate } from 'drizzle-orm/node-postgres/migrator';
import { Problem } from '../../base/problems.ts';
import type { Connection } from './database.ts';
import { tenantRole } from './table.ts';

/** Where the numbered migrations lie. */
export const migrationsFolder = fileURLToPath(new URL('./migrations', import.meta.url));

// Any number that no other program locks in this database.
const lockKey = 0x70696c7669;

/**
 * Migrates the database that `client` is connected to.
 * Throws `database-unusable` when it was made by another version, or when the role is missing and may not be made.
 */
export async function migrateDatabase(client: Connection): Promise<void> {
  if (await isUpToDate(client)) return;
  await client.query('select pg_advisory_lock($1)', [lockKey]);
  try {
    await ensureTenantRole(client);
    await checkHistory(client);
    await migrate(drizzle(client), { migrationsFolder });
    await client.query(grantByPolicy);
  } finally {
    await client.query('select pg_advisory_unlock($1)', [lockKey]);
  }
}

/**
 * Whether nothing is left to do: a look that costs a start little where doing it all again would cost it much. What
 * the look needs and does not find (a table, the role) is left to do.
 */
async function isUpToDate(client: Connection): Promise<boolean> {
  try {
    const { rows } = await client.query(standing);
    const { hashes, is_granted: isGranted } = rows[0];
    return isGranted && JSON.stringify(hashes) === JSON.stringify(await migrationHashes());
  } catch (error) {
    const { code } = error as { code?: string };
    if (code === '42P01' || code === '42704') return false;
    throw error;
  }
}

/** Hashes of the migrations of this version, oldest first. */
export async function migrationHashes(): Promise<string[]> {
  const journal = JSON.parse(await readFile(`${migrationsFolder}/meta/_journal.json`, 'utf8')) as {
    entries: { tag: string }[];
  };
  const files = journal.entries.map(({ tag }) => readFile(`${migrationsFolder}/${tag}.sql`, 'utf8'));
  return (await Promise.all(files)).map((text) => createHash('sha256').update(text).digest('hex'));
}

// Roles belong to the whole server, so that the lock of one database does not keep two databases' migrations apart:
// whoever comes second meets one of these exceptions and finds the work done.
const makeTenantRole = `
do $$
begin
  if not exists (select from pg_roles where rolname = '${tenantRole.name}') then
    create role ${tenantRole.name} nologin;
  end if;
exception when duplicate_object or unique_violation then null;
end
$$;
do $$
begin
  if not pg_has_role(current_user, '${tenantRole.name}', 'member') then
    execute format('grant ${tenantRole.name} to %I', current_user);
  end if;
exception when unique_violation or internal_error then null;
end
$$`;

async function ensureTenantRole(client: Connection): Promise<void> {
  try {
    await client.query(makeTenantRole);
    await client.query(`begin; set local role ${tenantRole.name}; rollback`);
  } catch (error) {
    if ((error as { code?: unknown }).code !== '42501') throw error;
    await client.query('rollback');
    throw new Problem(
      'database-unusable',
      `The database user may neither make nor take the role "${tenantRole.name}", which keeps workspaces apart. ` +
        `Have an administrator run: CREATE ROLE ${tenantRole.name} NOLOGIN; GRANT ${tenantRole.name} TO <user of DATABASE_URL>;`,
      { cause: error },
    );
  }
}

/** Refuses a database whose migrations are not the beginning of ours: it is newer, or of another line. */
async function checkHistory(client: Connection): Promise<void> {
  const { rows: found } = await client.query("select to_regclass('drizzle.__drizzle_migrations') as history");
  if (found[0].history === null) return;
  const { rows } = await client.query('select hash from drizzle.__drizzle_migrations order by id');
  const known = await migrationHashes();
  const foreign = rows.findIndex(({ hash }, index) => hash !== known[index]);
  if (foreign === -1) return;
  throw new Problem(
    'database-unusable',
    `The database holds a migration that this version of Pilvi does not have (number ${foreign + 1} of ${rows.length}). ` +
      'Start the version that made it, or use another database.',
  );
}

// What a policy allows is what is granted, so that a table's declaration is the only place that says it: a table
// without a policy is closed to tenants, one that they may only append to cannot be updated by them.
const grantByPolicy = `
do $$
declare policy record;
begin
  grant usage on schema public to ${tenantRole.name};
  revoke all on all tables in schema public from public, ${tenantRole.name};
  for policy in
    select distinct tablename, case cmd when 'ALL' then 'select, insert, update, delete' else cmd end as verbs
    from pg_policies where schemaname = 'public' and '${tenantRole.name}' = any (roles)
  loop
    execute format('grant %s on table public.%I to ${tenantRole.name}', policy.verbs, policy.tablename);
  end loop;
end
$$`;

// What has been migrated, and whether the role can be taken and has what its policies speak of: the block above grants
// all of a table's verbs at once, so one of them tells. Planned in a few milliseconds on a database that just woke up.
const standing = `
select
  (select json_agg(hash order by id) from drizzle.__drizzle_migrations) as hashes,
  pg_has_role(current_user, '${tenantRole.name}', 'member')
  and has_schema_privilege('${tenantRole.name}', 'public', 'usage')
  and not exists (
    select from pg_policy where not has_table_privilege('${tenantRole.name}', polrelid,
      case polcmd when 'r' then 'select' when 'w' then 'update' when 'd' then 'delete' else 'insert' end)
  ) as is_granted`;
