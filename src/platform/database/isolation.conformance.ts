// No table leaks between workspaces or projects: the suite finds all tables in the catalogue, fills each with rows of
// two workspaces and several projects, and tries to read, add, change, move and remove across. A table that is added
// later is tested the day it is added; one without a policy has to be closed altogether.
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { sql, type SQL } from 'drizzle-orm';
import type { Database, Scope, Transaction } from '../ports/database.ts';
import type { OpenedDatabase } from './database.conformance.ts';
import { QueryFailure } from './errors.ts';

interface Column {
  name: string;
  type: string;
}

interface Table {
  name: string;
  /** The columns that a row needs or that scopes look at. */
  columns: Column[];
  workspaceColumn: string | undefined;
  hasProject: boolean;
  hasPolicy: boolean;
}

/** Rows of these owners are in each table. */
const owners = [
  { workspaceId: 'ws_a', projectId: 'prj_1' },
  { workspaceId: 'ws_a', projectId: 'prj_2' },
  { workspaceId: 'ws_b', projectId: 'prj_3' },
];
/** Who tries: a member, a key that is bound to a project, and two strangers. */
const scopes: Scope[] = [
  { workspaceId: 'ws_a', projectId: null },
  { workspaceId: 'ws_a', projectId: 'prj_1' },
  { workspaceId: 'ws_b', projectId: null },
  { workspaceId: 'ws_c', projectId: null },
  { workspaceId: 'ws_b', projectId: 'prj_1' },
];

/** Runs the suite on the database that `open` opens, which it spoils for other uses. */
export function isolationConformance(name: string, open: () => Promise<OpenedDatabase>): void {
  suite(`${name} keeps workspaces and projects apart in every table`, () => {
    let opened: OpenedDatabase;
    let tables: Table[];

    before(async () => {
      opened = await open();
      tables = await opened.database.asSystem('test', async (transaction) => {
        await dropForeignRules(transaction);
        const found = await readTables(transaction);
        for (const table of found) for (const owner of owners) await addRow(transaction, table, owner);
        return found;
      });
    });
    after(() => opened.close());

    test('the catalogue is read', () => {
      const names = tables.map((table) => table.name);
      for (const known of ['workspaces', 'projects', 'outbox_events', 'event_deliveries'])
        assert.ok(names.includes(known), `${known} is missing in ${names.join()}`);
    });

    test('each row that is seen is in scope', () =>
      forEach(opened.database, tables, async ({ table, scope, attempt }) => {
        const rows = await attempt<Record<string, unknown>>(sql`select * from ${sql.identifier(table.name)}`);
        for (const row of rows ?? []) assertInScope(table, scope, row);
        const isOpen = table.hasPolicy && scope.projectId === null && scope.workspaceId !== 'ws_c';
        if (isOpen && rows) assert.ok(rows.length > 0, `${table.name} hides a workspace's own rows from it`);
      }));

    test('no row can be added for someone else', () =>
      forEach(opened.database, tables, async ({ table, scope, attempt }) => {
        for (const owner of owners) {
          const isForeign =
            owner.workspaceId !== scope.workspaceId ||
            (table.hasProject && scope.projectId !== null && owner.projectId !== scope.projectId);
          if (!isForeign || !table.workspaceColumn) continue;
          const added = await attempt(insertInto(table, owner));
          assert.equal(added, undefined, `a row of ${owner.projectId} can be added to ${table.name}`);
        }
      }));

    test('no row out of scope can be changed or removed, and none moved out of it', () =>
      forEach(opened.database, tables, async ({ table, scope, attempt }) => {
        const name = sql.identifier(table.name);
        if (table.workspaceColumn === undefined) return;
        const column = sql.identifier(table.workspaceColumn);
        for (const victim of ['ws_a', 'ws_b'].filter((id) => id !== scope.workspaceId)) {
          const where = sql`where ${column} = ${victim}`;
          assertProtected(
            table,
            await attempt(sql`update ${name} set ${column} = ${column} ${where} returning 1`),
          );
          assertProtected(table, await attempt(sql`delete from ${name} ${where} returning 1`));
          const moved = await attempt(sql`update ${name} set ${column} = ${victim} returning 1`);
          assertProtected(table, moved, 'moved out of');
        }
        if (!table.hasProject || scope.projectId === null) return;
        const foreign = sql`where project_id <> ${scope.projectId}`;
        assertProtected(
          table,
          await attempt(sql`update ${name} set ${column} = ${column} ${foreign} returning 1`),
        );
        assertProtected(table, await attempt(sql`delete from ${name} ${foreign} returning 1`));
      }));

    test('a table without a policy is closed', async () => {
      const closed = tables.filter((table) => !table.hasPolicy);
      await forEach(opened.database, closed, async ({ table, attempt }) => {
        const name = sql.identifier(table.name);
        for (const statement of [sql`select 1 from ${name}`, sql`delete from ${name}`, sql`truncate ${name}`])
          assert.equal(await attempt(statement), undefined, `${table.name} is open`);
      });
    });

    test('schemas of the machinery are closed', () =>
      forEach(opened.database, tables.slice(0, 1), async ({ attempt }) => {
        assert.equal(await attempt(sql`select 1 from drizzle.__drizzle_migrations`), undefined);
        assert.equal(await attempt(sql`create table mine (a int)`), undefined);
      }));
  });
}

interface Try {
  table: Table;
  scope: Scope;
  /** What the statement returned, undone afterwards; undefined when the database refused it. */
  attempt<T extends Record<string, unknown>>(statement: SQL): Promise<T[] | undefined>;
}

async function forEach(
  database: Database,
  tables: Table[],
  check: (each: Try) => Promise<void>,
): Promise<void> {
  for (const scope of scopes) {
    for (const table of tables)
      await check({ table, scope, attempt: (statement) => attemptIn(database, scope, statement) });
  }
}

const undo = new Error('undo');

async function attemptIn<T extends Record<string, unknown>>(
  database: Database,
  scope: Scope,
  statement: SQL,
): Promise<T[] | undefined> {
  let rows: T[] | undefined;
  const work = database.inWorkspace(scope, async (transaction) => {
    rows = (await transaction.execute(statement)).rows as T[];
    throw undo;
  });
  await assert.rejects(work, (error) => {
    // 42501: no privilege, or against a row-level policy. Anything else is a fault of this suite.
    return error === undo || (error instanceof QueryFailure && error.sqlState === '42501') || fail(error);
  });
  return rows;
}

function fail(error: unknown): never {
  throw error;
}

function assertProtected(table: Table, rows: unknown[] | undefined, how = 'changed from outside'): void {
  assert.equal(rows?.length ?? 0, 0, `rows of ${table.name} can be ${how}`);
}

function assertInScope(table: Table, scope: Scope, row: Record<string, unknown>): void {
  if (table.workspaceColumn) {
    assert.equal(row[table.workspaceColumn], scope.workspaceId, `${table.name} shows another workspace`);
  }
  if (table.hasProject && scope.projectId !== null) {
    assert.equal(row['project_id'], scope.projectId, `${table.name} shows another project`);
  }
}

/** Rows of this suite refer to nothing and mean nothing: only policies are left to refuse them. */
async function dropForeignRules(transaction: Transaction): Promise<void> {
  await transaction.execute(sql`
    do $$
    declare rule record;
    begin
      for rule in select conname, conrelid::regclass as owner from pg_constraint
        where contype in ('f', 'c') and connamespace = 'public'::regnamespace order by contype desc
      loop
        execute format('alter table %s drop constraint %I', rule.owner, rule.conname);
      end loop;
    end
    $$`);
}

async function readTables(transaction: Transaction): Promise<Table[]> {
  const { rows } = await transaction.execute<{ name: string; has_policy: boolean; columns: ColumnRow[] }>(sql`
    select c.relname as name, exists (select from pg_policy p where p.polrelid = c.oid) as has_policy,
      (select json_agg(json_build_object('name', a.attname, 'type', format_type(a.atttypid, null),
        'needed', a.attnotnull and not a.atthasdef and a.attidentity = '', 'generated', a.attgenerated <> ''))
        from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped) as columns
    from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') order by 1`);
  return rows.map(({ name, has_policy: hasPolicy, columns }) => {
    const has = (column: string): boolean => columns.some((each) => each.name === column);
    const workspaceColumn = has('workspace_id') ? 'workspace_id' : name === 'workspaces' ? 'id' : undefined;
    const isNeeded = (column: ColumnRow): boolean =>
      !column.generated && (column.needed || ['workspace_id', 'project_id'].includes(column.name));
    return {
      name,
      columns: columns.filter(isNeeded),
      workspaceColumn,
      hasProject: has('project_id'),
      hasPolicy,
    };
  });
}

interface ColumnRow extends Column {
  needed: boolean;
  generated: boolean;
}

async function addRow(transaction: Transaction, table: Table, owner: Owner): Promise<void> {
  // The table of workspaces has one row for each, not one for each project.
  await transaction.execute(sql`${insertInto(table, owner)} on conflict do nothing`);
}

type Owner = (typeof owners)[number];
let serial = 0;

function insertInto(table: Table, owner: Owner): SQL {
  serial++;
  const names = table.columns.map((column) => sql.identifier(column.name));
  const values = table.columns.map((column) => valueFor(table, column, owner));
  return sql`insert into ${sql.identifier(table.name)} (${sql.join(names, sql`, `)}) values (${sql.join(values, sql`, `)})`;
}

/** A value of the column's type that no other row has. */
function valueFor(table: Table, column: Column, owner: Owner): SQL {
  if (column.name === table.workspaceColumn) return sql`${owner.workspaceId}`;
  if (column.name === 'project_id' || (table.name === 'projects' && column.name === 'id'))
    return sql`${owner.projectId}`;
  const type = sql.raw(column.type);
  const base = column.type.replace(/\(.*/, '');
  if (base.endsWith('[]')) return sql`'{}'::${type}`;
  if (['text', 'character varying', 'bytea'].includes(base)) return sql`${`test ${serial}`}::${type}`;
  if (['json', 'jsonb'].includes(base)) return sql`${`{"serial":${serial}}`}::${type}`;
  if (['smallint', 'integer', 'bigint', 'numeric', 'real', 'double precision'].includes(base))
    return sql`${serial}::${type}`;
  if (base === 'boolean') return sql`true`;
  if (base.startsWith('timestamp') || base === 'date') return sql`now()::${type}`;
  throw new Error(`give this suite a value for the type ${column.type} of ${table.name}.${column.name}`);
}
