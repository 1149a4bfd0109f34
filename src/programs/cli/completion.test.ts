import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { completionScript, shells } from './completion.ts';
import { buildProgram } from './program.ts';
import { runPilvi, temporaryFolder } from './testing.ts';

/** What bash offers after these words, the last of which is being typed. */
async function complete(scriptPath: string, ...words: string[]): Promise<string[]> {
  const driver = `source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _pilvi; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout } = await promisify(execFile)('bash', ['-c', driver, 'bash', scriptPath, 'pilvi', ...words]);
  return stdout.split('\n').filter((line) => line !== '');
}

test('bash completes commands, options and choices wherever they stand', async () => {
  await using folder = await temporaryFolder();
  const path = folder.at('completion.bash');
  await writeFile(path, completionScript(buildProgram(), 'bash'));
  assert.deepEqual(await complete(path, 'data'), ['dataset']);
  assert.deepEqual(await complete(path, 'dataset', 've'), ['versions']);
  assert.deepEqual(await complete(path, '--json', 'dataset', 'down'), ['download']);
  assert.deepEqual(await complete(path, 'fit', 'a.csv', '--ta'), ['--target', '--task']);
  assert.deepEqual(await complete(path, 'fit', '--task', 'mu'), ['multiclass']);
  assert.deepEqual(await complete(path, 'completion', ''), [...shells]);
  // The value of an option is no command, even when it looks like one.
  assert.deepEqual(await complete(path, 'dataset', 'list', '--project', 'mod'), []);
  // Nothing of its own to offer: bash falls back to file names.
  assert.deepEqual(await complete(path, 'dataset', 'create', 'x'), []);
});

test('every command and option is in every script', () => {
  const program = buildProgram();
  const scripts = shells.map((shell) => completionScript(program, shell));
  for (const command of program.commands.flatMap((child) => [child, ...child.commands])) {
    for (const script of scripts) assert.ok(script.includes(command.name()), command.name());
    for (const { long } of command.options)
      for (const script of scripts) assert.ok(script.includes(long!.replace('--', '')), long);
  }
});

for (const shell of shells) {
  test(`the script for ${shell} is valid`, async (context) => {
    if (spawnSync(shell, ['--version']).error) return context.skip(`${shell} is not installed here`);
    await using folder = await temporaryFolder();
    const path = folder.at('completion');
    const { code, stdout } = await runPilvi(['completion', shell]);
    assert.equal(code, 0);
    await writeFile(path, stdout);
    await promisify(execFile)(shell, ['-n', path]);
  });
}
