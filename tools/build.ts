// Builds what people run: the web application (ui/dist), the server (dist) and, for browsers, the predictor and the
// explainer. The sources run as they are, too; the
// built form starts in a fraction of the time: nothing has to strip types, and a few files are loaded instead of a
// thousand. Everything lies flat in dist, so that a module finds its neighbours (tasks, policies, migrations) by the
// same relative names as in the sources.
import { spawnSync } from 'node:child_process';
import { cpSync, globSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';
import { bundlePredictor, explainer } from './bundle-predictor.ts';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const output = join(root, 'dist');

/** What is started or imported by name: the command, the parts of the client, and every module that code starts by its address. */
const entries: Record<string, string> = { pilvi: 'src/programs/cli/pilvi.ts' };
for (const part of ['client', 'embed', 'list-all', 'upload', 'wait-for-job'])
  entries[part] = `src/sdk/${part}.ts`;
for (const path of globSync('src/**/*.ts', {
  cwd: root,
  exclude: (name) => /\.(test|fixture|conformance)\.ts$/.test(name),
})) {
  for (const [, name] of readFileSync(join(root, path), 'utf8').matchAll(
    /new URL\(\s*'\.\/([\w-]+)\.ts',\s*import\.meta\.url/g,
  )) {
    entries[name!] = join(dirname(path), `${name}.ts`);
  }
}

/** Packages that bring WebAssembly or native files of their own, and optional ones that are not there. */
const external = [
  /^node:/,
  '@electric-sql/pglite',
  '@duckdb/node-api',
  /^@cedar-policy\//,
  /^onnxruntime-web/,
  'pg-native',
  'pino',
];

rmSync(output, { recursive: true, force: true });
run('vite', ['build', 'ui', '--logLevel', 'warn']);
const bundle = await rolldown({ cwd: root, input: entries, external, platform: 'node', logLevel: 'warn' });
await bundle.write({
  dir: output,
  format: 'esm',
  entryFileNames: '[name].js',
  chunkFileNames: 'chunk-[hash].js',
  minify: false,
});
await bundle.close();
writeFileSync(join(output, 'predictor.js'), (await bundlePredictor()).code);
writeFileSync(join(output, 'explainer.js'), (await bundlePredictor(explainer)).code);
run('tsc', ['-p', 'tsconfig.build.json']);
for (const file of globSync('src/platform/security/policy/*.cedar*', { cwd: root }))
  cpSync(join(root, file), join(output, basename(file)));
cpSync(join(root, 'src/platform/database/migrations'), join(output, 'migrations'), { recursive: true });

function run(program: string, args: string[]): void {
  const { status } = spawnSync(join(root, 'node_modules', '.bin', program), args, {
    cwd: root,
    stdio: 'inherit',
  });
  if (status !== 0) process.exit(status ?? 1);
}
