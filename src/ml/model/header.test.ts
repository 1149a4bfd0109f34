// Who signed a model file, and what nobody can change unnoticed; and that its numbers are used where they lie.
import assert from 'node:assert/strict';
import test from 'node:test';
import { readContainer } from './container.ts';
import { headBytes, signedHead, signerOf, type Signer } from './header.ts';
import { openModel, readModel } from './model.ts';
import { goldenModels } from './testing/golden.ts';
import { freshSigner, mended, signed } from './testing/mend.ts';

const files = goldenModels().filter(({ name }) => name === 'linear-regression');
const first = files.find(({ format }) => format === 1)!.file;
const plain = files.find(({ format }) => format === 2)!.file;
const [signer, stranger]: Signer[] = [await freshSigner(), await freshSigner()];
const ours = { trusted: [signer!.publicKey] };

test('a signed file opens, says whose it is, and has the same bytes each time', async () => {
  const file = await signed(plain, signer!);
  assert.equal(signerOf(file), signer!.publicKey);
  assert.deepEqual(await signed(plain, signer!), file);
  assert.deepEqual(await signed(await signed(plain, stranger!), signer!), file);
  for (const trust of [{}, ours, { trusted: [stranger!.publicKey, signer!.publicKey] }])
    assert.equal((await openModel(file, trust)).manifest.target, 'price');
  assert.deepEqual(file.subarray(headBytes), plain.subarray(headBytes));
});

test('who names keys gets files of theirs alone', async () => {
  assert.equal(signerOf(plain), undefined);
  assert.equal(signerOf(first), undefined);
  for (const file of [plain, first, await signed(plain, stranger!)]) {
    await openModel(file);
    await assert.rejects(openModel(file, ours), { code: 'model-file-untrusted' });
    await assert.rejects(openModel(file, { trusted: [] }), { code: 'model-file-untrusted' });
  }
});

test('a file that was changed and made to fit again is refused, wherever the change is', async () => {
  const file = await signed(plain, signer!);
  const mark = file.slice(48, headBytes);
  for (const at of [8, 200, file.length >> 1, file.length - 20]) {
    const changed = file.slice();
    changed[at]! ^= 1;
    const fitting = await mended(changed);
    fitting.set(mark, 48);
    await assert.rejects(openModel(fitting), { code: 'model-file-invalid' }, `byte ${at}`);
    // Without the mark it is a file of nobody, which those who name keys do not take.
    await assert.rejects(openModel(await mended(changed), ours), { code: 'model-file-untrusted' });
  }
});

test('every byte of the mark counts, and a key of zeros or nonsense opens nothing', async () => {
  const file = await signed(plain, signer!);
  for (let at = 48; at < headBytes; at++) {
    const changed = file.slice();
    changed[at]! ^= 0x10;
    await assert.rejects(openModel(changed), { code: 'model-file-invalid' });
  }
  for (const [from, to, value] of [
    [48, 80, 0],
    [48, 80, 255],
    [80, 144, 0],
    [80, 144, 255],
  ] as const) {
    await assert.rejects(openModel(file.slice().fill(value, from, to)), { code: 'model-file-invalid' });
  }
});

test('what is no file of the present format cannot be signed', async () => {
  for (const head of [first, plain.subarray(0, headBytes - 1), new Uint8Array(200), new Uint8Array(0)])
    await assert.rejects(signedHead(head, signer!), { code: 'model-file-invalid' });
});

test('arrays are views of the file, unless it lies at an odd place or others may write to it', async () => {
  const copy = new Uint8Array(plain);
  const { sections } = await readContainer(copy);
  assert.ok(sections.size > 5);
  for (const [name, array] of sections) {
    assert.equal(array.buffer, copy.buffer, name);
    assert.equal(array.byteOffset % 8, 0, name);
  }
  const odd = Buffer.concat([Buffer.alloc(3), plain]).subarray(3);
  const shared = new Uint8Array(new SharedArrayBuffer(plain.length));
  shared.set(plain);
  const expected = await readModel(plain);
  for (const bytes of [odd, shared, Buffer.from(plain)]) {
    assert.deepEqual(await readModel(bytes), expected);
    for (const array of (await readContainer(bytes)).sections.values())
      assert.ok(array.buffer instanceof ArrayBuffer && array.byteOffset % 8 === 0);
  }
});
