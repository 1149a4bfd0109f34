import assert from 'node:assert/strict';
import { test } from 'node:test';
import { alertMeasures, alertRules } from './alert-rule.ts';

test('a rule in words is read, the last of a measure counts', () => {
  const quality = { measure: 'quality', opensFrom: 0.1, closesBelow: 0.05, windowCount: 2 };
  const answers = { measure: 'answers', opensFrom: 0.3, closesBelow: 0.3, windowCount: 1 };
  assert.deepEqual(alertRules('quality=0.1,0.05,2'), [quality]);
  assert.deepEqual(alertRules('answers = 0.3', alertRules('answers=9', alertRules('quality=0.1,0.05,2'))), [
    quality,
    answers,
  ]);
  assert.deepEqual(alertMeasures('coverage', ['answers']), ['answers', 'coverage']);
});

test('what is no rule is told, with what would be', () => {
  for (const text of [
    'quality',
    'quality=',
    'quality=x',
    'quality=0.1,,2',
    'quality=0.1,0.05,1.5',
    'quality=1,0,1,1',
  ])
    assert.throws(() => alertRules(text), /must be like quality=0\.1,0\.05,2/, text);
  assert.throws(() => alertRules('quality=0.1,0.2'), /close below/);
  assert.throws(() => alertRules('qualty=0.1'), /Did you mean quality\?/);
  assert.throws(() => alertMeasures('everything'), /moved-columns/);
});
