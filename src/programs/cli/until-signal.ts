// How programs that run until they are told to stop are told to stop.

/** Resolves at the first Ctrl-C or SIGTERM; a second one ends the process at once. */
export function untilSignal(): Promise<void> {
  return new Promise((resolve) => {
    let count = 0;
    const end = (): void => {
      if (++count > 1) process.exit(130);
      resolve();
    };
    process.on('SIGINT', end);
    process.on('SIGTERM', end);
  });
}
