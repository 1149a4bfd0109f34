import assert from 'node:assert/strict';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { Problem, type FieldError } from '../base/problems.ts';
import { readConfiguration } from './configuration.ts';

const read = (environment: Record<string, string>) => readConfiguration(environment).configuration;

function errorsOf(environment: Record<string, string>): FieldError[] {
  try {
    read(environment);
  } catch (error) {
    assert.ok(error instanceof Problem);
    assert.equal(error.code, 'configuration-invalid');
    return error.errors ?? [];
  }
  return [];
}

test('an empty environment gives the defaults, and an empty variable is one that is not set', () => {
  const { configuration, warnings } = readConfiguration({ PILVI_PORT: '', PILVI_KEY: '' });
  assert.deepEqual(warnings, []);
  assert.equal(configuration.PILVI_HOME, join(homedir(), '.pilvi'));
  assert.equal(configuration.PILVI_PORT, 4700);
  assert.equal(configuration.PILVI_HOST, '127.0.0.1');
  assert.equal(configuration.PILVI_KEY, undefined);
  assert.deepEqual(configuration.PILVI_IMPORT_FOLDERS, []);
});

test('reads numbers, lists, paths and switches', () => {
  const configuration = read({
    PILVI_HOME: 'here',
    PILVI_WORKERS: '3',
    PILVI_ALLOWED_HOSTS: 'pilvi.example, localhost:4700,',
    PILVI_ALLOW_INSECURE_BIND: 'true',
  });
  assert.equal(configuration.PILVI_HOME, resolve('here'));
  assert.equal(configuration.PILVI_WORKERS, 3);
  assert.deepEqual(configuration.PILVI_ALLOWED_HOSTS, ['pilvi.example', 'localhost:4700']);
  assert.equal(configuration.PILVI_ALLOW_INSECURE_BIND, true);
});

test('names every variable that is wrong, and never its value', () => {
  const errors = errorsOf({
    PILVI_PORT: '70000',
    PILVI_WORKERS: 'many-secret',
    PILVI_LOG_LEVEL: 'loud-secret',
    PILVI_BOOTSTRAP_TOKEN: 'short-secret',
    DATABASE_URL: 'mysql://pilvi:secret@db/pilvi',
  });
  assert.deepEqual(errors.map(({ field }) => field).sort(), [
    'DATABASE_URL',
    'PILVI_BOOTSTRAP_TOKEN',
    'PILVI_LOG_LEVEL',
    'PILVI_PORT',
    'PILVI_WORKERS',
  ]);
  assert.doesNotMatch(JSON.stringify(errors), /secret/);
});

test('what belongs together must be set together', () => {
  const missing = (environment: Record<string, string>) => errorsOf(environment).map(({ field }) => field);
  assert.deepEqual(missing({ PILVI_TLS_KEY: 'key.pem' }), ['PILVI_TLS_CERT']);
  assert.deepEqual(missing({ S3_BUCKET: 'models' }), ['S3_ACCESS_KEY_ID', 'S3_SECRET_ACCESS_KEY']);
  assert.deepEqual(missing({ S3_ENDPOINT: 'http://127.0.0.1:9000' }), ['S3_BUCKET']);
});

test('a misspelt variable is told, with what was meant', () => {
  const { warnings } = readConfiguration({ PILVI_PROT: '1', PILVI_SOMETHING_ELSE_YET: '1', OTHER: '1' });
  assert.deepEqual(warnings, [
    'PILVI_PROT is not a variable of Pilvi; did you mean PILVI_PORT?',
    'PILVI_SOMETHING_ELSE_YET is not a variable of Pilvi.',
  ]);
});
