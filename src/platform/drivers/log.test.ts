// The log's lines: what they hold, and what they must not.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Problem } from '../../base/problems.ts';
import { openLog, type LogLevel } from './log.ts';

function capture(level: LogLevel = 'debug', format: 'json' | 'text' = 'json') {
  const lines: string[] = [];
  return { log: openLog({ level, format, destination: { write: (line) => lines.push(line) } }), lines };
}

test('a line is one JSON object with level, time and message', () => {
  const { log, lines } = capture();
  log.child({ requestId: 'req_1' }).info({ rowCount: 3 }, 'imported\nrows');
  const { time, ...rest } = JSON.parse(lines[0]!);
  assert.match(time, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  assert.deepEqual(rest, { level: 'info', requestId: 'req_1', rowCount: 3, message: 'imported\nrows' });
  assert.equal(lines.length, 1);
  assert.equal(lines[0]!.indexOf('\n'), lines[0]!.length - 1);
});

test('lines below the level are left out', () => {
  const { log, lines } = capture('warn');
  for (const level of ['debug', 'info', 'warn', 'error'] as const) log[level]({}, level);
  assert.deepEqual(
    lines.map((line) => JSON.parse(line).message),
    ['warn', 'error'],
  );
});

test('a secret is never written, at any depth, in any case, in children too', () => {
  const names = [
    'authorization',
    'Cookie',
    'set-cookie',
    'password',
    'secret',
    'clientSecret',
    'token',
    'apiKey',
    'api_key',
    'X-Api-Key',
    'tokenHash',
    'privateKey',
    'S3_SECRET_ACCESS_KEY',
  ];
  const secret = 'hunter2-hunter2';
  fc.assert(
    fc.property(
      fc.constantFrom(...names),
      fc.array(fc.constantFrom('headers', 'list', 'inner'), { maxLength: 8 }),
      (name, path) => {
        let fields: object = { [name]: secret, rowCount: 1 };
        for (const step of path) fields = step === 'list' ? { list: [fields] } : { [step]: fields };
        const { log, lines } = capture();
        log.info(fields, 'message');
        log.child(fields).info({}, 'message');
        log.error({ error: Object.assign(new Error('failed'), { cause: fields }) }, 'message');
        assert.equal(lines.length, 3);
        assert.ok(!lines.join('').includes(secret), `${name} at ${path.join('.')}`);
      },
    ),
  );
});

test('an error is written with its causes, under whatever name it comes', () => {
  const { log, lines } = capture();
  const cause = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
  log.error({ error: new Problem('unavailable', 'The database does not answer.', { cause }) }, 'failed');
  const { error } = JSON.parse(lines[0]!);
  assert.equal(error.code, 'unavailable');
  assert.equal(error.message, 'The database does not answer.');
  assert.match(error.stack, /log\.test\.ts/);
  assert.equal(error.cause.code, 'ECONNREFUSED');
});

test('whatever is logged, logging does not fail', () => {
  const circular: Record<string, unknown> = { rowCount: 1 };
  circular['self'] = circular;
  const { log, lines } = capture();
  const odd = [
    circular,
    {
      big: 1n,
      undefined,
      nan: NaN,
      symbol: Symbol('a'),
      map: new Map([[1, 2]]),
      bytes: new Uint8Array(9),
      date: new Date(0),
      call: () => 1,
      none: Object.create(null),
    },
  ];
  for (const fields of odd) log.info(fields, 'odd');
  assert.equal(lines.length, 2);
  const { big, bytes, date } = JSON.parse(lines[1]!);
  assert.deepEqual([big, bytes, date], ['1', '[9 bytes]', '1970-01-01T00:00:00.000Z']);
});

test('for a person, a line is text', () => {
  const { log, lines } = capture('debug', 'text');
  log.warn({ rowCount: 3 }, 'slow');
  log.info({}, 'plain');
  assert.match(lines[0]!, /^[\d:.]{12} warn  slow \{"rowCount":3\}\n$/);
  assert.match(lines[1]!, /^[\d:.]{12} info  plain\n$/);
});
