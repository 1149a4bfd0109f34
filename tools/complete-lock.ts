// Completes package-lock.json: `npm install` leaves out packages for other platforms when the registry it talks to does
// not carry them, and `npm ci` then refuses the lock everywhere. Their versions are known (they are pinned by the
// packages that want them) and so are their platforms (they are in the names). Run it after `npm install`.
import { readFileSync, writeFileSync } from 'node:fs';

interface LockEntry {
  version?: string;
  optional?: boolean;
  os?: string[];
  cpu?: string[];
  libc?: string[];
  optionalDependencies?: Record<string, string>;
}

const path = new URL('../package-lock.json', import.meta.url);
const lock = JSON.parse(readFileSync(path, 'utf8')) as { packages: Record<string, LockEntry> };
let addedCount = 0;

for (const entry of Object.values(lock.packages)) {
  for (const [name, range] of Object.entries(entry.optionalDependencies ?? {})) {
    const key = `node_modules/${name}`;
    const platform = platformOf(name);
    if (lock.packages[key]?.version !== undefined || platform === undefined || !/^\d/.test(range)) continue;
    lock.packages[key] = { version: range, optional: true, ...platform };
    addedCount++;
  }
}
const sorted = Object.fromEntries(Object.entries(lock.packages).toSorted(([a], [b]) => (a < b ? -1 : 1)));
writeFileSync(path, `${JSON.stringify({ ...lock, packages: sorted }, null, 2)}\n`);
console.log(`${addedCount} packages of other platforms were added to package-lock.json`);

/** `@scope/binding-linux-arm64-musl` -> linux, arm64, musl. */
function platformOf(name: string): Pick<LockEntry, 'os' | 'cpu' | 'libc'> | undefined {
  const words = name.split(/[-/]/);
  const os = ['darwin', 'linux', 'win32', 'android', 'freebsd', 'openharmony'].find((word) =>
    words.includes(word),
  );
  const cpu = ['arm64', 'x64', 'ia32', 'arm', 'ppc64', 'riscv64', 's390x', 'loong64'].find((word) =>
    words.includes(word),
  );
  if (os === undefined || cpu === undefined) return undefined;
  const libc = words.some((word) => word.startsWith('musl'))
    ? 'musl'
    : words.some((word) => word.startsWith('gnu'))
      ? 'glibc'
      : undefined;
  return { os: [os], cpu: [cpu], ...(libc !== undefined && { libc: [libc] }) };
}
