import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pick, splitReference } from './find.ts';

test('a reference is a name, or a name and a tag', () => {
  assert.deepEqual(splitReference('churn'), { name: 'churn', tag: undefined });
  assert.deepEqual(splitReference('churn@3'), { name: 'churn', tag: '3' });
  assert.deepEqual(splitReference('me@home@champion'), { name: 'me@home', tag: 'champion' });
});

test('things are found by id first, then by name; a slip of the keys is answered with what was meant', () => {
  const items = [
    { id: 'ds_1', name: 'ds_2' },
    { id: 'ds_2', name: 'customers' },
  ];
  assert.equal(pick('dataset', 'ds_2', items).name, 'customers');
  assert.equal(pick('dataset', 'customers', items).id, 'ds_2');
  assert.throws(() => pick('dataset', 'custmers', items), {
    code: 'not-found',
    message: 'There is no dataset "custmers". Did you mean "customers"?',
  });
  assert.throws(() => pick('dataset', 'orders', items), { message: 'There is no dataset "orders".' });
});
