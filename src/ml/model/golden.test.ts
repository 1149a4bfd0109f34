// Model files of every format there ever was, opened by the present reader: the answers of the day they were made, bit by
// bit. The files are never written anew; docs/model-file.md says what to do when the format changes.
import assert from 'node:assert/strict';
import test from 'node:test';
import { formatVersion } from './header.ts';
import { answersInBits } from './testing/answers-in-bits.ts';
import { goldenModels } from './testing/golden.ts';

const models = goldenModels();

test('there are golden files of every format up to the present one', () => {
  const formats = [...new Set(models.map(({ format }) => format))].sort((a, b) => a - b);
  assert.deepEqual(
    formats,
    Array.from({ length: formatVersion }, (_, index) => index + 1),
    'node tools/golden-models.ts writes those of a new format',
  );
});

for (const { format, name, file, rows, answers } of models) {
  test(`format ${format}: ${name} answers as on its first day`, async () => {
    assert.equal(new DataView(file.buffer, file.byteOffset).getUint16(6, true), format);
    assert.equal(await answersInBits(file, rows), answers);
  });
}
