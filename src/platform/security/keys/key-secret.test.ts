import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { base62, hashSecret, hashesEqual, isSecretShaped, newSecret } from '../identity/secrets.ts';
import { hintOf, isKeySecret, newKeySecret } from './key-secret.ts';

test('every new secret is different and has its shape', () => {
  const secrets = new Set(Array.from({ length: 1000 }, newSecret));
  assert.equal(secrets.size, 1000);
  for (const secret of secrets) assert.ok(isSecretShaped(secret));
});

test('a key is known by its prefix and checksum', () => {
  for (let count = 0; count < 100; count++) {
    const secret = newKeySecret();
    assert.ok(isKeySecret(secret));
    assert.equal(secret.length, 55);
    assert.match(hintOf(secret), /^pilvi_[0-9A-Za-z]{4}$/);
  }
});

test('a key with one character changed, left out or added is none', () => {
  const secret = newKeySecret();
  const character = fc.constantFrom(...'0aZ9_-');
  fc.assert(
    fc.property(fc.nat(secret.length - 1), character, (index, other) => {
      fc.pre(secret[index] !== other);
      const [before, after] = [secret.slice(0, index), secret.slice(index + 1)];
      assert.equal(isKeySecret(before + other + after), false);
      assert.equal(isKeySecret(before + after), false);
      assert.equal(isKeySecret(before + other + secret[index]! + after), false);
    }),
  );
});

test('nothing made up is a key', () => {
  fc.assert(fc.property(fc.string(), (text) => assert.equal(isKeySecret(text), false)));
  fc.assert(fc.property(fc.string(), (text) => assert.equal(isKeySecret(`pilvi_${text}`), false)));
});

test('base 62 is positional and of fixed length', () => {
  assert.equal(base62(0n, 3), '000');
  assert.equal(base62(61n, 3), '00z');
  assert.equal(base62(62n, 3), '010');
  const largest = base62(2n ** 256n - 1n, 43);
  assert.equal(largest.length, 43);
  let value = 0n;
  const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
  for (const digit of largest) value = value * 62n + BigInt(digits.indexOf(digit));
  assert.equal(value, 2n ** 256n - 1n);
});

test('hashes compare equal only to themselves', () => {
  assert.ok(hashesEqual(hashSecret('a'), hashSecret('a')));
  assert.ok(!hashesEqual(hashSecret('a'), hashSecret('b')));
  assert.equal(hashSecret('abc'), 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
});
