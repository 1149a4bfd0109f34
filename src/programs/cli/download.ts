// An answer of bytes into a file, with progress.
import type { Download } from '../../sdk/types.ts';
import { writeWhole } from './files.ts';
import type { Session } from './session.ts';

/** Writes `source` to the file `out`. */
export async function download(
  session: Session,
  source: Download,
  out: string,
): Promise<{ file: string; sizeBytes: number }> {
  const progress = session.progress();
  let receivedBytes = 0;
  const counted = async function* (): AsyncGenerator<Uint8Array> {
    for await (const chunk of source.body) {
      receivedBytes += chunk.byteLength;
      if (source.sizeBytes) progress.update(receivedBytes / source.sizeBytes, 'Downloading');
      yield chunk;
    }
  };
  try {
    const { sizeBytes } = await writeWhole(out, counted(), session.signal);
    return { file: out, sizeBytes };
  } finally {
    progress.end();
  }
}
