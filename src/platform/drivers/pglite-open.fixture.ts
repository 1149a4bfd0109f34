// Opens the embedded database and closes it again: `node pglite-open.fixture.ts FOLDER`.
import { openLog } from './log.ts';
import { openPglite } from './pglite.ts';

await (
  await openPglite({ storage: { folder: process.argv[2]! }, log: openLog({ level: 'silent' }) })
).close();
