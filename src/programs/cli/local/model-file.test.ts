// Commands that read a model file: why it answers as it does, from the file alone, and whose files they take.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { freshSigner } from '../../../ml/model/testing/mend.ts';
import { runPilvi, temporaryFolder } from '../testing.ts';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let signer: string;
const row = ['--row', '{"length": 9, "colour": "red"}'];
const model = 'kinds.pilvi';

before(async () => {
  folder = await temporaryFolder();
  const lines = Array.from({ length: 120 }, (_, index) => {
    const length = (index * 37) % 11;
    return `${length},${['red', 'blue'][index % 2]},${length > 5 ? 'long' : 'short'}`;
  });
  await writeFile(folder.at('rows.csv'), `length,colour,kind\n${lines.join('\n')}\n`);
  await fit('--out', model);
  ({ signer } = JSON.parse(await said('model', 'verify', model, '--json')) as { signer: string });
});
after(() => folder?.[Symbol.asyncDispose]());

async function run(...words: string[]) {
  return runPilvi(words, { cwd: folder.path });
}

async function said(...words: string[]): Promise<string> {
  const { code, stdout, stderr } = await run(...words);
  assert.equal(code, 0, `${words.join(' ')}\n${stderr}`);
  return stdout;
}

async function fit(...options: string[]): Promise<void> {
  await said('fit', 'rows.csv', '--target', 'kind', '--trials', '2', '--seed', '3', ...options);
}

test('a file says why it answers as it does, without a server', async () => {
  assert.match(
    await said('model', 'explain', model, ...row),
    /^"long": .* on average \(for the sample rows in the model file\).*\ncolumn +value +adds\nlength +9 /,
  );
  const why = JSON.parse(await said('model', 'explain', model, ...row, '--class', 'short', '--json'));
  assert.equal(why.outcome, 'short');
  assert.equal(why.comparedWith, 'background-rows');
  const otherwise = ['model', 'counterfactual', model, ...row, '--class', 'short', '--fixed', 'colour'];
  const { counterfactuals } = JSON.parse(await said(...otherwise, '--json'));
  assert.equal(counterfactuals[0].changes[0].column, 'length');
  assert.match(await said('explain', model), /rows that it learned from.*Whoever has the file can read them/);
  assert.match(
    await said('explain', model),
    /## Who signed the file\n\nSigned with the key .* of this machine/,
  );
});

test('a file without sample rows holds none, and says so', async () => {
  await fit('--out', 'bare.pilvi', '--no-background-rows');
  assert.match(await said('model', 'explain', 'bare.pilvi', ...row), /the file holds no sample rows/);
  assert.doesNotMatch(await said('explain', 'bare.pilvi'), /rows that it learned from/);
});

test('every command that reads a model file takes only those of the keys that it is told', async () => {
  const { publicKey: other } = await freshSigner();
  const commands = [
    ['predict', model, 'rows.csv', '--out', 'answers.csv'],
    ['explain', model],
    ['export', model, '--out', 'kinds.onnx'],
    ['model', 'verify', model],
    ['model', 'explain', model, ...row],
    ['model', 'counterfactual', model, ...row, '--class', 'short'],
  ];
  for (const words of commands) {
    await said(...words, '--trust', other, '--trust', signer);
    const { code, stdout } = await run(...words, '--trust', other, '--json');
    assert.equal(code, 1, words.join(' '));
    assert.equal((JSON.parse(stdout) as { code: string }).code, 'model-file-untrusted');
  }
  assert.equal((await run('explain', model, '--trust', 'abc')).code, 2);
});

test('of what is on a server no keys are asked: that they are given is a mistake', async () => {
  for (const words of [
    ['predict', 'live', 'rows.csv'],
    ['explain', 'late'],
    ['export', 'late'],
    ['model', 'explain', 'late', ...row],
    ['model', 'counterfactual', 'late', ...row, '--class', 'short'],
  ]) {
    const { code, stderr } = await run(...words, '--trust', signer);
    assert.equal(code, 2, words.join(' '));
    assert.match(stderr, /--trust is for model files/);
  }
});
