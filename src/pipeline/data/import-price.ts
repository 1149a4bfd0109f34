// How much of an import is paid for.

const bytesPerGib = 1_073_741_824;

/** GiB to a thousandth, rounded up: a small file costs a little, not a whole GiB. */
export function importedGib(sizeBytes: number): number {
  return Math.ceil((sizeBytes * 1000) / bytesPerGib) / 1000;
}
