// `pilvi export MODEL --format onnx`: a model for programs that know nothing of Pilvi. A model file is turned here; the
// version of a server is turned there.
import { basename } from 'node:path';
import type { ModelFormat } from '../../../contract/model.ts';
import { exportOnnx } from '../../../ml/onnx/export.ts';
import { download } from '../download.ts';
import { fileNameFor, writeWhole } from '../files.ts';
import { findModelVersion } from '../find.ts';
import type { Session } from '../session.ts';
import { print } from '../terminal.ts';
import { refuseTrust, trustOf } from '../trust-option.ts';
import { bytesInWords } from '../words.ts';
import type { ExportOptions } from './local.ts';
import { isModelFile, readModelFile } from './model-file.ts';

/** Where the export is. */
export interface Export {
  file: string;
  sizeBytes: number;
  format: ModelFormat;
}

/** Writes the model file, or model of a server, that `reference` names, in another format. */
export async function exportModel(
  session: Session,
  { format, out, ...trust }: ExportOptions,
  reference: string,
): Promise<Export> {
  if (await isModelFile(reference)) {
    const { content } = await readModelFile(reference, trustOf(trust));
    const file = out ?? `${basename(reference).replace(/\.pilvi$/, '')}.${format}`;
    const { sizeBytes } = await writeWhole(file, [exportOnnx(content)], session.signal);
    return { file, sizeBytes, format };
  }
  refuseTrust(trust);
  const client = await session.client();
  const version = await findModelVersion(client, await session.projectId(), reference);
  const source = await client.downloadModelFile(
    { versionId: version.id, format },
    { signal: session.signal },
  );
  const file = out ?? `${fileNameFor(version.modelName)}-${version.number}.${format}`;
  return { ...(await download(session, source, file)), format };
}

/** Prints where it is. */
export function showExport({ file, sizeBytes }: Export): void {
  print(`${file} (${bytesInWords(sizeBytes)})`);
}
