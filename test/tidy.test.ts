// The architecture as a test: shelves, stages, owners, words. A rule that no machine checks decays.
// What each rule is for stands in ARCHITECTURE.md.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { dirname, join, relative } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { problemKinds } from '../src/base/problems.ts';
import { variables } from '../src/programs/configuration.ts';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Left to right: a shelf imports only shelves to its left (and itself). */
const shelves = ['base', 'contract', 'ml', 'platform', 'pipeline', 'capabilities', 'protocols', 'programs'];
/** Siblings on one level of the order: neither imports the other. */
const apart = new Set(['contract>ml', 'ml>contract']);
const stages = [
  'data',
  'train',
  'registry',
  'deploy',
  'predict',
  'batch',
  'monitor',
  'compare',
  'release',
  'update',
];
/** What other stages may import of a stage: its public file, and the worker's side of it where there is one. */
const publicFiles: Record<string, string[]> = {
  data: [
    'data.ts',
    'made-version.ts',
    'query.ts',
    'read-columns.ts',
    'row-stream.ts',
    'column-types.ts',
    'convert-file.ts',
    'import/source-limits.ts',
  ],
  deploy: ['deploy.ts', 'revisions.ts'],
  predict: ['predict.ts', 'csv.ts', 'log/log.ts', 'log/layout.ts'],
  registry: ['registry.ts', 'explain.ts'],
  release: ['release.ts', 'advance.ts'],
  monitor: ['monitor.ts', 'slices.ts', 'watched.ts', 'performance.ts'],
  billing: ['billing.ts', 'storage.ts'],
};
const forbiddenFolders = ['shared', 'utils', 'util', 'common', 'helpers', 'misc', 'lib', 'v1'];

interface SourceFile {
  path: string;
  text: string;
  /** Paths from the root for our files, package names for the rest. */
  imports: string[];
}

const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  cwd: root,
  encoding: 'utf8',
})
  .split('\n')
  .filter((path) => path !== '' && existsSync(join(root, path)));
const files: SourceFile[] = listed.filter((path) => /^src\/.*\.ts$/.test(path)).map(readSource);
const product = files.filter((file) => !isTestSupport(file.path));

function readSource(path: string): SourceFile {
  const text = readFileSync(join(root, path), 'utf8');
  const specifiers = [
    ...text.matchAll(/^(?:import|export)\s[^;]*?from\s+'([^']+)'/gm),
    ...text.matchAll(/^import\s+'([^']+)'/gm),
    ...text.matchAll(/\bimport\(\s*'([^']+)'/g),
    ...text.matchAll(/new URL\(\s*'(\.[^']+\.ts)'/g),
    ...text.matchAll(/import\.meta\.resolve\('(\.[^']+)'\)/g),
  ].map((match) => match[1]!);
  const imports = specifiers.map((specifier) =>
    specifier.startsWith('.') ? relative(root, join(root, dirname(path), specifier)) : specifier,
  );
  return { path, text, imports: [...new Set(imports)] };
}

function isTestSupport(path: string): boolean {
  return /\.(test|conformance|fixture)\.ts$|\/testing(\.ts|\/)/.test(path);
}

function shelfOf(path: string): string | undefined {
  return /^src\/([^/]+)\//.exec(path)?.[1];
}

function failures(found: string[]): void {
  assert.equal(found.length, 0, `\n${found.join('\n')}`);
}

test('a shelf imports only shelves to its left', () => {
  const found: string[] = [];
  for (const file of product) {
    const from = shelfOf(file.path)!;
    for (const target of file.imports) {
      const to = shelfOf(target);
      if (to === undefined || to === from) continue;
      if (from === 'sdk') {
        if (to !== 'contract' && to !== 'base')
          found.push(`${file.path} imports ${target}: the SDK knows only the contract`);
      } else if (to === 'sdk') {
        if (from !== 'programs') found.push(`${file.path} imports ${target}: only programs use the SDK`);
      } else if (shelves.indexOf(to) > shelves.indexOf(from) || apart.has(`${from}>${to}`)) {
        found.push(`${file.path} imports ${target}: ${from} is left of ${to}`);
      }
    }
  }
  failures(found);
});

test('every folder of src is a shelf', () => {
  const names = new Set(files.map((file) => shelfOf(file.path)));
  failures(
    [...names]
      .filter((name) => name !== undefined && name !== 'sdk' && !shelves.includes(name))
      .map((name) => `src/${name}`),
  );
});

test('a stage imports the public files of stages to its left, a capability no other capability', () => {
  const found: string[] = [];
  for (const file of product) {
    const here = /^src\/(pipeline|capabilities)\/([^/]+)\//.exec(file.path);
    for (const target of file.imports) {
      const there = /^src\/(pipeline|capabilities)\/([^/]+)\/(.+)$/.exec(target);
      if (!there || (here && here[1] === there[1] && here[2] === there[2])) continue;
      const [, shelf, folder, name] = there as unknown as [string, string, string, string];
      const allowed = [
        ...(publicFiles[folder] ?? [`${folder}.ts`]),
        ...(shelfOf(file.path) === 'programs'
          ? ['routes.ts', 'jobs.ts', 'reactions.ts', 'import-task.ts', 'preview-task.ts', 'training-task.ts']
          : []),
      ];
      if (!allowed.includes(name)) found.push(`${file.path} imports ${target}, which is not public`);
      if (
        here?.[1] === 'pipeline' &&
        shelf === 'pipeline' &&
        stages.indexOf(folder) > stages.indexOf(here[2]!)
      ) {
        found.push(`${file.path} imports ${target}: ${here[2]} is left of ${folder}`);
      }
      if (here?.[1] === 'capabilities' && shelf === 'capabilities')
        found.push(`${file.path} imports ${target}: no capability knows another`);
      if (here?.[2] === 'predict' && folder === 'train')
        found.push(`${file.path} imports ${target}: predict never imports train`);
    }
  }
  failures(found);
});

test('there are no import cycles', () => {
  const graph = new Map(
    files.map((file) => [file.path, file.imports.filter((path) => path.startsWith('src/'))]),
  );
  const state = new Map<string, 'open' | 'done'>();
  const found: string[] = [];
  const visit = (path: string, trail: string[]): void => {
    if (state.get(path) === 'done') return;
    if (state.get(path) === 'open') {
      const cycle = [...trail.slice(trail.indexOf(path)), path];
      // Type-only imports are no cycles at run time, but they are still two files that cannot be read apart.
      found.push(cycle.join(' -> '));
      return;
    }
    state.set(path, 'open');
    for (const next of valueImports(path, graph)) visit(next, [...trail, path]);
    state.set(path, 'done');
  };
  for (const path of graph.keys()) visit(path, []);
  failures(found);
});

function valueImports(path: string, graph: Map<string, string[]>): string[] {
  const text = files.find((file) => file.path === path)?.text ?? '';
  const typeOnly = new Set(
    [...text.matchAll(/^import type\s[^;]*?from\s+'(\.[^']+)'/gm)].map((match) =>
      relative(root, join(root, dirname(path), match[1]!)),
    ),
  );
  return (graph.get(path) ?? []).filter((target) => !typeOnly.has(target));
}

test('tables are declared in rows.ts, and rows.ts is read by its own folder alone', () => {
  const found: string[] = [];
  const owners = new Map<string, string>();
  for (const file of product) {
    for (const [, table] of file.text.matchAll(/\bpgTable\(\s*'([^']+)'/g)) {
      if (!file.path.endsWith('/rows.ts')) found.push(`${file.path} declares table ${table}`);
      const owner = owners.get(table!);
      if (owner !== undefined) found.push(`table ${table} is declared by ${owner} and ${file.path}`);
      owners.set(table!, file.path);
    }
    for (const target of file.imports) {
      if (target.endsWith('/rows.ts') && dirname(target) !== dirname(file.path))
        found.push(`${file.path} imports ${target}`);
    }
  }
  assert.ok(owners.size > 5, 'no tables were found: the test looks in the wrong place');
  failures(found);
});

test('packages are imported where they belong', () => {
  const allowed: Record<string, RegExp> = {
    base: /^$/,
    contract: /^zod$/,
    ml: /^@jax-js\/jax$/,
    sdk: /^$/,
    platform: /^(node:|zod$|drizzle-orm|hono|@hono\/zod-openapi$)/,
    pipeline: /^(node:|zod$|drizzle-orm|csv-parse|csv-stringify|iconv-lite$)/,
    capabilities: /^(node:|zod$|drizzle-orm)/,
    protocols: /^(node:|zod$)/,
    programs: /^(node:|zod$|hono|@hono\/|commander$|cli-progress$)/,
  };
  const found: string[] = [];
  for (const file of product) {
    if (file.path.startsWith('src/platform/drivers/')) continue;
    for (const target of file.imports) {
      if (target.startsWith('src/') || target.startsWith('..') || target === 'package.json') continue;
      if (!allowed[shelfOf(file.path)!]?.test(target)) found.push(`${file.path} imports ${target}`);
    }
  }
  failures(found);
});

test('only programs read the environment', () => {
  failures(
    product
      .filter((file) => /\bprocess\.env\b/.test(file.text) && shelfOf(file.path) !== 'programs')
      .map((file) => file.path),
  );
});

test('no eval, no shell', () => {
  const found = product
    .filter((file) => /\beval\(|new Function\(|\bexecSync\(|\bexec\(\s*['"`]|shell:\s*true/.test(file.text))
    .map((file) => file.path);
  failures(found);
});

test('every stage, capability and platform piece with tables has a README of a page', () => {
  const folders = new Set<string>();
  for (const { path } of product) {
    const match =
      /^src\/(?:pipeline|capabilities)\/[^/]+/.exec(path) ??
      (path.endsWith('/rows.ts') ? /^src\/platform\/[^/]+/.exec(path) : null);
    if (match) folders.add(match[0]);
  }
  failures([...folders].filter((folder) => !existsSync(join(root, folder, 'README.md'))));
});

test('folders have names that say something', () => {
  const found = new Set<string>();
  for (const path of listed) {
    if (!/^(src|ui|test|bench)\//.test(path)) continue;
    for (const part of dirname(path).split('/'))
      if (forbiddenFolders.includes(part)) found.add(dirname(path));
  }
  failures([...found]);
});

test('every problem and every variable is documented', () => {
  const problems = readFileSync(join(root, 'docs/problems.md'), 'utf8');
  const configuration = readFileSync(join(root, 'docs/configuration.md'), 'utf8');
  failures([
    ...Object.keys(problemKinds).filter((code) => !problems.includes(`\`${code}\``)),
    ...Object.keys(variables).filter((name) => !configuration.includes(`\`${name}\``)),
  ]);
  assert.ok(Object.keys(variables).length <= 40, 'more than 40 variables are a product smell');
});

test('every run-time dependency has its line', () => {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Record<
    string,
    Record<string, string>
  >;
  const lines = readFileSync(join(root, 'docs/dependencies.md'), 'utf8');
  const names = Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies });
  failures(names.filter((name) => !lines.includes(`\`${name}\``)));
});

test('the repository names no machine path and no registry host', () => {
  const found: string[] = [];
  const hosts = ['registry.' + 'npmjs', 'pypi.' + 'org', 'deb.' + 'debian', 'files.' + 'pythonhosted'];
  for (const path of listed) {
    if (/\.(png|ico|woff2?|gz|parquet|pilvi|wasm)$/.test(path)) continue;
    const text = readFileSync(join(root, path), 'utf8');
    if (/(^|[\s'"`(])\/(work|root|home\/[a-z]+)\//m.test(text)) found.push(`${path}: a machine path`);
    for (const host of hosts) if (text.includes(host)) found.push(`${path}: ${host}`);
  }
  failures(found);
});
