// A worker process leads a group of its own, so that what it started ends with it. Windows has no such groups.

/** Kills the process `pid` and its group at once; nothing happens when they are gone. */
export function killGroup(pid: number): void {
  try {
    process.kill(process.platform === 'win32' ? pid : -pid, 'SIGKILL');
  } catch {
    // Nothing is left of it.
  }
}
