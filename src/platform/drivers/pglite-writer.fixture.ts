// Commits numbered rows until it is killed, and says each number once it is committed:
// `node pglite-writer.fixture.ts FOLDER`.
import pg from 'pg';
import { PgliteEngine } from './pglite-engine.ts';
import { PgliteStream } from './pglite-stream.ts';

const engine = new PgliteEngine({ folder: process.argv[2]!, template: null });
const client = new pg.Client({ stream: () => new PgliteStream(engine), user: 'postgres' });
await client.connect();
const { rows } = await client.query('select coalesce(max(number), 0) as last from written');
for (let number = Number(rows[0].last) + 1; ; number++) {
  await client.query('insert into written values ($1, $2)', [number, 'x'.repeat(number % 5000)]);
  process.stdout.write(`${number}\n`);
}
