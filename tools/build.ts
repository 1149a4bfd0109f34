// Builds what people run: the web application (ui/dist) and the server as JavaScript (dist). The sources run as they
// are, too; the built form starts faster and needs less memory, because nothing has to strip types.
import { spawnSync } from 'node:child_process';
import { cpSync, globSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
/** Files beside the code that it reads when it runs. */
const assets = ['src/**/*.cedar', 'src/**/*.cedarschema', 'src/platform/database/migrations/**/*.{sql,json}'];

rmSync(join(root, 'dist'), { recursive: true, force: true });
run('vite', ['build', 'ui', '--logLevel', 'warn']);
run('tsc', ['-p', 'tsconfig.build.json']);
for (const file of globSync(assets, { cwd: root })) cpSync(join(root, file), join(root, file.replace(/^src/, 'dist')));

function run(program: string, args: string[]): void {
  const { status } = spawnSync(join(root, 'node_modules', '.bin', program), args, { cwd: root, stdio: 'inherit', shell: false });
  if (status !== 0) process.exit(status ?? 1);
}
