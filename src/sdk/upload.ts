// Uploads in parts, so that a cut costs one part and not the file. Before each retry the server is asked how much has
// arrived; a caller who kept the upload's id goes on after a restart the same way.
import { PilviError } from './pilvi-error.ts';
import { backOffMs, pause } from './send.ts';
import type { AnswerFor, Client } from './types.ts';

type Upload = AnswerFor<'getUpload'>;

export interface UploadOptions {
  projectId: string;
  /** The whole file; in Node `await openAsBlob(path)` reads it part by part from the disk. */
  file: Blob;
  /** Default: the name of a `File`, else `upload`. */
  fileName?: string | undefined;
  /** Goes on with an upload that was begun earlier. */
  uploadId?: string | undefined;
  /** Told after each part, and once at the start with the upload's id. */
  onProgress?: ((progress: { uploadId: string; sentBytes: number; sizeBytes: number }) => void) | undefined;
  signal?: AbortSignal | undefined;
  /** Bytes of one part; default 8 MiB. */
  partBytes?: number | undefined;
  /** Failures in a row that are waited out; default 6. */
  attempts?: number | undefined;
  /** Upper bound of the first delay after a failure, doubled with each; default 300. */
  retryDelayMs?: number | undefined;
}

/** Sends a file; the answer's `id` goes into `createDataset`. @throws PilviError, or the reason of the signal */
export async function uploadFile(
  client: Pick<Client, 'createUpload' | 'appendUpload' | 'getUpload'>,
  options: UploadOptions,
): Promise<Upload> {
  const {
    projectId,
    file,
    signal,
    onProgress,
    partBytes = 8 * 1024 * 1024,
    attempts = 6,
    retryDelayMs = 300,
  } = options;
  const fileName =
    options.fileName ?? ('name' in file && typeof file.name === 'string' ? file.name : 'upload');
  let upload =
    options.uploadId === undefined
      ? await client.createUpload({ projectId, body: { fileName, sizeBytes: file.size } }, { signal })
      : await client.getUpload({ uploadId: options.uploadId }, { signal });
  const uploadId = upload.id;
  for (let failures = 0; upload.state !== 'complete';) {
    const offset = upload.receivedBytes;
    onProgress?.({ uploadId, sentBytes: offset, sizeBytes: file.size });
    try {
      const stream = file.slice(offset, offset + partBytes);
      upload = await client.appendUpload(
        { uploadId, offset, stream },
        { signal, attempts: 1, timeoutMs: 600_000 },
      );
      if (upload.state !== 'complete' && upload.receivedBytes <= offset) throw stalled(uploadId);
      failures = 0;
    } catch (error) {
      // `wrong-state`: the part had arrived although its answer was lost; what is there now tells where to go on.
      const isMendable = error instanceof PilviError && (error.retryable || error.code === 'wrong-state');
      if (!isMendable || ++failures >= attempts) throw error;
      await pause((error.retryAfterSeconds ?? 0) * 1000 || backOffMs(failures, retryDelayMs), signal);
      upload = await client.getUpload({ uploadId }, { signal });
    }
  }
  onProgress?.({ uploadId, sentBytes: file.size, sizeBytes: file.size });
  return upload;
}

function stalled(uploadId: string): PilviError {
  return new PilviError({
    type: 'about:blank',
    code: 'unavailable',
    title: 'The upload does not go on',
    status: 0,
    detail: `The server took a part of upload ${uploadId} and kept none of it.`,
    remedy: 'Try again; check the sizes of the file and of the upload if it was begun earlier.',
    retryable: true,
  });
}
