// Numbers in sentences for people.

/** `53,940`: how many there are of something. */
export function inThousands(count: number): string {
  return count.toLocaleString('en-US');
}
