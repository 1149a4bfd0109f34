// Saves an answer of bytes as a file. Downloads go through the client and not through a plain link, so that they are
// made in the chosen workspace and a refusal is shown as a problem instead of being saved as a file.
import type { Download } from '../../src/sdk/types.ts';

/** Offers the bytes to be saved under the server's name for them, or `fileName`. */
export async function saveDownload(download: Download, fileName: string): Promise<void> {
  saveBlob(await download.blob(), download.fileName ?? fileName);
}

/** Offers `blob` to be saved. */
export function saveBlob(blob: Blob, fileName: string): void {
  const url = URL.createObjectURL(blob);
  const link = document.createElement('a');
  link.href = url;
  link.download = fileName;
  link.click();
  // The browser reads the address after this turn of the event loop.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
