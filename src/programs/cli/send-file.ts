// A file of this machine on its way to a server, with progress.
import { basename } from 'node:path';
import { uploadFile } from '../../sdk/upload.ts';
import { openFile } from './files.ts';
import type { Session } from './session.ts';

/** Uploads `file`. @returns the id of the upload */
export async function sendFile(session: Session, projectId: string, file: string): Promise<string> {
  const blob = await openFile(file);
  const progress = session.progress();
  try {
    const upload = await uploadFile(await session.client(), {
      projectId,
      file: blob,
      fileName: basename(file),
      signal: session.signal,
      onProgress: ({ sentBytes, sizeBytes }) =>
        progress.update(sizeBytes === 0 ? 1 : sentBytes / sizeBytes, 'Uploading'),
    });
    return upload.id;
  } finally {
    progress.end();
  }
}
