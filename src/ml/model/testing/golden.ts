// The golden files: model files of every format there was, kept with what they answered when they were made.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';

export const goldenFolder = fileURLToPath(new URL('./golden/', import.meta.url));

/** What a golden file was asked, and its answers as {@link answersInBits} writes them. */
export interface GoldenModel {
  rows: readonly Record<string, unknown>[];
  answers: string;
}

/** Every golden file, by the format it is in and its name. */
export function goldenModels(): (GoldenModel & { format: number; name: string; file: Uint8Array })[] {
  return readdirSync(goldenFolder).flatMap((formatFolder) => {
    const folder = join(goldenFolder, formatFolder);
    const names = readdirSync(folder).filter((name) => name.endsWith('.json'));
    return names.map((name) => ({
      ...(JSON.parse(readFileSync(join(folder, name), 'utf8')) as GoldenModel),
      format: Number(formatFolder.replace('format-', '')),
      name: name.replace('.json', ''),
      file: new Uint8Array(gunzipSync(readFileSync(join(folder, name.replace('.json', '.pilvi.gz'))))),
    }));
  });
}
