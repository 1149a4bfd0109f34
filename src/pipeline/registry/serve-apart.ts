// Models that answer in worker processes instead of the server's own: those that others made, because a graph is a program
// of somebody else's, and large ones, which would hold up everyone else while they are opened and fill the server's memory.
import type { PredictedColumns, PredictedRows } from '../../ml/model/predictor.ts';
import type { ForeignPredictor } from '../../ml/onnx/foreign.ts';
import type { Context } from '../../platform/context.ts';
import type { ModelServers, Scale, ServedModel } from '../../platform/ports/model-servers.ts';
import { ownPublicKeys } from '../../platform/security/signing/signing.ts';
import type { VersionRow } from './rows.ts';
import type { ListedColumns, ServedFile, ServedQuestion } from './serve-task.ts';

/** Model files beyond this are served apart, unless an endpoint says otherwise. */
export const largeModelBytes = 67_108_864;
const taskModule = new URL('./serve-task.ts', import.meta.url);
/** What an open model may come to hold: its file, read and as the objects that are made of it, and the runtime. */
const memoryPerFileByte = 6;
const runtimeBytes = 536_870_912;

/** Where a model answers: `automatic` is in the server's process, but for large ones. Those of others are always apart. */
export type Place = 'automatic' | 'in-process' | 'apart';

export function isApart({ summary, fileSizeBytes }: VersionRow, place: Place): boolean {
  if (summary.onnx || place === 'apart') return true;
  return place === 'automatic' && fileSizeBytes > largeModelBytes;
}

/** A version as processes serve it, but for a name and how many. */
export async function describeApart(
  context: Context,
  row: VersionRow,
): Promise<Omit<ServedModel, 'name' | 'scale'>> {
  const { fileSha256, fileSizeBytes, summary, lineage } = row;
  const { blobs, limits } = context;
  const trusted = lineage ? await ownPublicKeys(context) : summary.signer === null ? null : [summary.signer];
  const source = async (): Promise<ServedFile> => {
    // Asked for each time: where blobs are far away, the copy on this machine may have made room for others.
    const file = { path: await blobs.localPath(fileSha256), sizeBytes: fileSizeBytes };
    return summary.onnx
      ? { ...file, format: 'onnx', signature: summary.onnx.signature }
      : { ...file, format: 'pilvi', trusted };
  };
  const memoryBytes = Math.max(limits.taskMemoryBytes, runtimeBytes + memoryPerFileByte * fileSizeBytes);
  return { taskModule, source, memoryBytes };
}

/** Where nobody says how many replicas: at most so many, which end a few minutes after the last question. */
export const plainScale: Scale = { maxReplicas: 4, idleMs: 300_000 };

/** Answers by asking the processes of a model. Throws what predictions throw, and what {@link ModelServers.ask} throws. */
export function apartPredictor(modelServers: ModelServers, model: ServedModel): ForeignPredictor {
  const ask = <Answer>(input: ServedQuestion, rowCount: number): Promise<Answer> =>
    modelServers.ask<Answer>(model, { input, rowCount });
  return {
    predictRows: (rows) => ask<PredictedRows>({ rows }, rows.length),
    predictColumns: async (columns, form = 'json') => {
      const rowCount = Object.values(columns)[0]?.length ?? 0;
      return typed(await ask<ListedColumns>({ columns, form }, rowCount));
    },
  };
}

function typed({ probabilities, lower, upper, ...rest }: ListedColumns): PredictedColumns {
  return {
    ...rest,
    ...(probabilities && {
      probabilities: Object.fromEntries(
        Object.entries(probabilities).map(([name, values]) => [name, Float64Array.from(values)]),
      ),
    }),
    ...(lower && { lower: Float64Array.from(lower) }),
    ...(upper && { upper: Float64Array.from(upper) }),
  };
}
