// `node test/with-postgres.ts COMMAND [ARGUMENT...]`: runs the command with a real, empty Postgres server of its own
// on the loopback interface, named by PILVI_TEST_POSTGRES_URL. Its user is an ordinary one: it may make databases and
// roles, but is no superuser, so that the suites meet what a careful operator grants.
import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chownSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { freePort, runBeside, type Throwaway } from './throwaway.ts';

await runBeside(process.argv.slice(2), startPostgres);

async function startPostgres(folder: string): Promise<Throwaway | { missing: string }> {
  const programs = programFolder();
  if (programs === undefined)
    return { missing: 'No Postgres server is installed: the suites that need one are skipped.' };
  const password = randomBytes(16).toString('hex');
  const user = ordinaryUser();
  const data = join(folder, 'data');
  const passwordFile = join(folder, 'password');
  writeFileSync(passwordFile, password);
  if (user) for (const path of [folder, passwordFile]) chownSync(path, user.uid, user.gid);

  const initialise = ['-D', data, '-U', 'postgres', '--auth=scram-sha-256', `--pwfile=${passwordFile}`];
  execFileSync(join(programs, 'initdb'), [...initialise, '--encoding=UTF8', '--locale=C', '--no-sync'], {
    ...user,
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const port = await freePort();
  const settings = {
    port,
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    fsync: 'off',
    log_min_messages: 'panic',
  };
  const child = spawn(
    join(programs, 'postgres'),
    ['-D', data, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
    { ...user, cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] },
  );
  const urlFor = (role: string): string => `postgres://${role}:${password}@127.0.0.1:${port}/postgres`;
  return {
    process: child,
    environment: { PILVI_TEST_POSTGRES_URL: urlFor('pilvi') },
    probe: () => makeTestUser(urlFor('postgres'), password),
    stopSignal: 'SIGINT',
  };
}

async function makeTestUser(url: string, password: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  try {
    await client.connect();
    await client.query(
      `create role pilvi login createdb createrole password ${pg.escapeLiteral(password)}; grant pg_signal_backend to pilvi`,
    );
  } finally {
    await client.end();
  }
}

/** Where `initdb` and `postgres` lie: Debian keeps them out of the search path, one folder for each version. */
function programFolder(): string | undefined {
  try {
    const folder = execFileSync('pg_config', ['--bindir'], { encoding: 'utf8', stdio: 'pipe' }).trim();
    if (readdirSync(folder).includes('initdb')) return folder;
  } catch {
    // Not installed, or without the server.
  }
  try {
    const newest = readdirSync('/usr/lib/postgresql')
      .sort((a, b) => Number(a) - Number(b))
      .at(-1);
    return newest && `/usr/lib/postgresql/${newest}/bin`;
  } catch {
    return undefined;
  }
}

/** Postgres refuses to run as root: there it runs as the user that Debian's package makes, or as nobody. */
function ordinaryUser(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of ['postgres', 'nobody']) {
    try {
      const idOf = (flag: string): number =>
        Number(execFileSync('id', [flag, name], { encoding: 'utf8', stdio: 'pipe' }));
      return { uid: idOf('-u'), gid: idOf('-g') };
    } catch {
      // No such user; the next one.
    }
  }
  throw new Error(
    'running as root, and there is neither a user "postgres" nor "nobody" to run the server as',
  );
}
