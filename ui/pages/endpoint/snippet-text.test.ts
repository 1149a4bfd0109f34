// The snippets are run, not compared: what arrives at the other end must be the row that was put in.
import { deepEqual, equal } from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Row } from './example.ts';
import { snippetOf } from './snippet-text.ts';

const address = 'http://127.0.0.1:4700/api/v1/endpoints/ep_1/predictions';
const key = 'pilvi_secret';
const hardRow: Row = {
  "it's": `a 'quoted' "value" with $HOME, \`back ticks\` and \\ a backslash`,
  'two\nlines': 'ä 漢字 🌧',
  number: -1.5e-7,
  yes: true,
  nothing: null,
};

test('the curl snippet gives the shell exactly the row', () => {
  const script = `curl() { printf '%s\\0' "$@"; }\n${snippetOf('curl', { address, key, row: hardRow })}`;
  const parts = execFileSync('sh', ['-c', script], { encoding: 'utf8' }).split('\0');
  equal(parts[0], address);
  equal(parts[2], `Authorization: Bearer ${key}`);
  deepEqual(JSON.parse(parts.at(-2)!), { rows: [hardRow] });
});

test('the TypeScript snippet sends exactly the row', async () => {
  const row = fc.dictionary(
    fc.string().filter((name) => name !== '__proto__'),
    fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null)),
    { noNullPrototype: true },
  );
  await fc.assert(
    fc.asyncProperty(row, async (values) => {
      const sent = await runTypeScript(snippetOf('typescript', { address, key, row: values }));
      equal(sent.url, address);
      deepEqual(JSON.parse(sent.body), { rows: [values] });
    }),
    { numRuns: 50 },
  );
});

test('the Python snippet sends exactly the row', { skip: !hasPython() && 'python3 is not installed' }, () => {
  const fake = [
    'import json, sys, types',
    'class Answer:',
    '    def raise_for_status(self): pass',
    '    def json(self): return {"predictions": ["answer"]}',
    'def post(url, headers, json, timeout):',
    '    sys.stderr.write(__import__("json").dumps([url, headers["Authorization"], json]))',
    '    return Answer()',
    'sys.modules["requests"] = types.SimpleNamespace(post=post)',
  ].join('\n');
  const script = `${fake}\n${snippetOf('python', { address, key, row: hardRow })}`;
  const { stdout, stderr } = spawnSync('python3', ['-'], { input: script, encoding: 'utf8' });
  deepEqual(JSON.parse(stderr), [address, `Bearer ${key}`, { rows: [hardRow] }]);
  equal(stdout.trim(), 'answer');
});

/** Runs the snippet with a `fetch` that keeps what it is given. */
async function runTypeScript(text: string): Promise<{ url: string; body: string }> {
  let sent = { url: '', body: '' };
  const fetch = (url: string, init: { body: string }): unknown => {
    sent = { url, body: init.body };
    return { ok: true, json: () => ({ predictions: [] }) };
  };
  const AsyncFunction = Object.getPrototypeOf(async () => undefined).constructor as new (
    ...parts: string[]
  ) => (fetch: unknown, console: unknown) => Promise<void>;
  await new AsyncFunction('fetch', 'console', text)(fetch, { log: () => undefined });
  return sent;
}

function hasPython(): boolean {
  return spawnSync('python3', ['--version']).status === 0;
}
