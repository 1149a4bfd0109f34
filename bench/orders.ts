// A made-up CSV of orders for the import benches: numbers, dates, categories, quoted notes, missing values. Same size,
// same bytes.
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { seededRandom } from '../src/base/random.ts';

const countries = [
  'Finland',
  'Sweden',
  'Norway',
  'Denmark',
  'Estonia',
  'Latvia',
  'Germany',
  'France',
  'Spain',
];
const segments = ['consumer', 'corporate', 'home office'];
const words = 'the quick brown fox jumps over a lazy dog and then runs away into the forest'.split(' ');
const header =
  'order_id,customer,country,segment,amount,discount,quantity,score,latitude,longitude,is_returned,ordered_on,shipped_at,note,rating,views\n';

/** Writes about `bytes` of orders to `path`. */
export async function writeOrders(path: string, bytes: number): Promise<void> {
  const random = seededRandom(20_261_122);
  const pick = <T>(items: readonly T[]): T => items[random.below(items.length)]!;
  const fixed = (range: number, digits: number): string =>
    (random.next() * range - range / 2).toFixed(digits);
  const file = createWriteStream(path);
  file.write(header);
  let written = header.length;
  for (let id = 100_000; written < bytes;) {
    let block = '';
    for (let row = 0; row < 2000; row++, id++) {
      const moment = new Date(1.5e12 + Math.floor(random.next() * 1.5e11)).toISOString();
      const text = Array.from({ length: random.below(6) }, () => pick(words)).join(' ');
      const note = random.next() < 0.02 ? `"${text}, ""said"" he"` : text;
      const discount = random.next() < 0.1 ? '' : (random.next() / 2).toFixed(3);
      block +=
        `${id},C${random.below(50_000)},${pick(countries)},${pick(segments)},${(random.next() * 1000).toFixed(2)},` +
        `${discount},${random.below(20)},${random.next() * 2 - 1},${fixed(180, 6)},${fixed(360, 6)},${random.next() < 0.1},` +
        `${moment.slice(0, 10)},${moment.slice(0, 19).replace('T', ' ')},${note},${random.below(5) + 1},${random.below(1_000_000)}\n`;
    }
    written += block.length;
    if (!file.write(block)) await once(file, 'drain');
  }
  file.end();
  await once(file, 'close');
}
