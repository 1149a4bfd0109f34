// Decides whether SQL that somebody wrote may run, from the engine's own parse tree: one SELECT, over known tables,
// with functions that look at nothing but their arguments. What is not known to be harmless is refused. The engine's
// bounds (ports/data-engine.ts) are the second wall: even what slipped through could reach no file and no network.
import { Problem } from '../../../base/problems.ts';
import { sql, type DataEngine } from '../../../platform/ports/data-engine.ts';
import { listed } from '../import/column-names.ts';

/** Table functions that make rows from their arguments alone. */
const allowedTableFunctions = new Set([
  'generate_series',
  'generate_subscripts',
  'json_each',
  'json_tree',
  'range',
  'repeat',
  'unnest',
]);

/** Functions that tell of the server, wait, run other SQL or keep state. */
const forbiddenFunctions = new Set([
  'checkpoint',
  'col_description',
  'current_catalog',
  'current_connection_id',
  'current_database',
  'current_query',
  'current_query_id',
  'current_role',
  'current_schema',
  'current_schemas',
  'current_setting',
  'current_transaction_id',
  'current_user',
  'currval',
  'format_pg_type',
  'get_block_size',
  'getenv',
  'getvariable',
  'in_search_path',
  'json_deserialize_sql',
  'json_execute_serialized_sql',
  'json_serialize_plan',
  'json_serialize_sql',
  'nextval',
  'obj_description',
  'query',
  'query_table',
  'session_user',
  'shobj_description',
  'sleep',
  'sleep_ms',
  'stats',
  'txid_current',
  'user',
  'version',
  'which_secret',
  'write_log',
]);
const forbiddenPrefixes = [
  'duckdb_',
  'has_',
  'inet_',
  'pg_',
  'pragma_',
  'read_',
  'parquet_',
  'icu_',
  'sniff_',
  '__internal_',
];
const harmlessPgFunctions = new Set(['pg_typeof', 'pg_size_pretty']);

/** References to tables that hold no more than what is inside them. */
const plainReferences = new Set(['EMPTY', 'EXPRESSION_LIST', 'JOIN', 'PIVOT', 'SUBQUERY']);

type Node = { [key: string]: unknown };

interface Parsed {
  error: boolean;
  error_type?: string;
  error_message?: string;
  position?: string;
  statements?: Node[];
}

/**
 * The names among `tables` that the query reads.
 * @throws Problem `query-invalid` when it is no SQL or names what is not there, `query-forbidden` when it may not run
 */
export async function checkQuery(
  engine: DataEngine,
  text: string,
  tables: readonly string[],
): Promise<string[]> {
  const [[json]] = (await engine.rows(
    sql`SELECT json_serialize_sql(${text}, skip_default := true, skip_null := true, skip_empty := true)`,
  )) as [[string]];
  const parsed = JSON.parse(json) as Parsed;
  if (parsed.error) throw parseProblem(parsed, text);
  if (parsed.statements?.length !== 1)
    throw new Problem('query-invalid', 'The query must be exactly one SELECT statement.');
  const known = new Map(tables.map((name) => [name.toLowerCase(), name]));
  const walk: Walk = { known, views: viewNames(parsed.statements), used: new Set() };
  visit(parsed.statements, walk);
  return [...walk.used];
}

interface Walk {
  known: ReadonlyMap<string, string>;
  /** Names that the query itself gives to sub-queries (WITH). */
  views: ReadonlySet<string>;
  used: Set<string>;
}

function visit(value: unknown, walk: Walk): void {
  if (Array.isArray(value)) {
    for (const item of value) visit(item, walk);
    return;
  }
  if (value === null || typeof value !== 'object') return;
  const node = value as Node;
  if (node['type'] === 'BASE_TABLE') visitTable(node, walk);
  else if (node['type'] === 'TABLE_FUNCTION') visitTableFunction(node['function'] as Node);
  else if (node['class'] === 'FUNCTION' || node['class'] === 'WINDOW') visitFunction(node);
  for (const [key, child] of Object.entries(node)) {
    if (key === 'from_table') visitReference(child as Node);
    visit(child, walk);
  }
}

/** What stands after FROM; its parts are visited with everything else. */
function visitReference(reference: Node): void {
  const type = String(reference['type']);
  if (type === 'JOIN') {
    visitReference(reference['left'] as Node);
    visitReference(reference['right'] as Node);
  } else if (type === 'PIVOT') visitReference(reference['source'] as Node);
  const isKnown = plainReferences.has(type) || type === 'BASE_TABLE' || type === 'TABLE_FUNCTION';
  if (!isKnown) throw forbidden('it asks about the database itself');
}

function visitTable(node: Node, { known, views, used }: Walk): void {
  const name = String(node['table_name']);
  if (node['schema_name'] !== undefined || node['catalog_name'] !== undefined)
    throw forbidden(`it names "${name}" in another schema or catalog`);
  if (node['at_clause'] !== undefined) throw forbidden('it asks for another point in time');
  const lower = name.toLowerCase();
  const table = known.get(lower);
  if (table !== undefined) used.add(table);
  else if (!views.has(lower)) throw noSuchTable(name, [...known.values()]);
}

function visitTableFunction(call: Node): void {
  const name = String(call['function_name']).toLowerCase();
  const isPlain = call['catalog'] === undefined && (call['schema'] ?? 'main') === 'main';
  if (!isPlain || !allowedTableFunctions.has(name)) throw forbidden(`it uses the table function "${name}"`);
}

function visitFunction(call: Node): void {
  const name = String(call['function_name'] ?? '').toLowerCase();
  const isForbidden =
    forbiddenFunctions.has(name) ||
    (forbiddenPrefixes.some((prefix) => name.startsWith(prefix)) && !harmlessPgFunctions.has(name));
  const isElsewhere = call['catalog'] !== undefined || (call['schema'] ?? 'main') !== 'main';
  if (isForbidden || isElsewhere) throw forbidden(`it uses the function "${name}"`);
}

/** Names given by WITH. Those that could be taken for files are refused, wherever they are used. */
function viewNames(statements: unknown): Set<string> {
  const names = new Set<string>();
  const collect = (value: unknown): void => {
    if (Array.isArray(value)) value.forEach(collect);
    else if (value !== null && typeof value === 'object') {
      const entries = (value as Node)['cte_map'] as { map?: { key: string }[] } | undefined;
      for (const { key } of entries?.map ?? []) names.add(key.toLowerCase());
      Object.values(value).forEach(collect);
    }
  };
  collect(statements);
  for (const name of names)
    if (/[./\\:*?]/.test(name)) throw forbidden(`"${name}" is no name for a sub-query`);
  return names;
}

function parseProblem({ error_type, error_message, position }: Parsed, text: string): Problem {
  if (error_type === 'not implemented') return forbidden('it is no SELECT');
  const at = Number(position);
  const line = text.slice(0, at).split('\n').length;
  const where =
    position === undefined ? '' : ` (line ${line}, near "${text.slice(at, at + 30).split('\n')[0]}")`;
  return new Problem('query-invalid', `The query cannot be parsed: ${error_message}${where}.`);
}

function noSuchTable(name: string, tables: readonly string[]): Problem {
  const there = tables.length === 0 ? 'the project has no dataset yet' : `there are ${listed(tables, 20)}`;
  return new Problem('query-invalid', `There is no dataset "${name}"; ${there}.`);
}

function forbidden(why: string): Problem {
  return new Problem('query-forbidden', `The query is refused because ${why}.`);
}
