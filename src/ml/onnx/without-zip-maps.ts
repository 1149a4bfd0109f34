// Classifiers of scikit-learn and LightGBM are exported with a last node, ZipMap, that turns the table of probabilities
// into a list of dictionaries, which runtimes outside of Python cannot give. The table is what goes into that node: the
// graph without it, and with its input as the output, says the same. Nothing else of the file is touched.
import { bytesField, joined, textField, type Message } from './wire.ts';
import { bytesOf, fieldList, fieldsOf, lastTextOf, textsOf, type Fields } from './read-wire.ts';

export const zipMap = 'ZipMap';
const learningDomain = 'ai.onnx.ml';

/** Names of values by the dictionaries that are made of them. */
export type ZippedValues = ReadonlyMap<string, string>;

/** Which outputs of a graph are dictionaries, and the tables that they are made of. */
export function zippedValues(
  nodes: readonly { operator: string; domain: string; inputs: string[]; outputs: string[] }[],
): ZippedValues {
  const isZipMap = ({ operator, domain }: { operator: string; domain: string }): boolean =>
    operator === zipMap && domain === learningDomain;
  return new Map(nodes.filter(isZipMap).map(({ inputs, outputs }) => [outputs[0] ?? '', inputs[0] ?? '']));
}

/** The bytes of the model without its ZipMap nodes; the same bytes where it has none. @throws WireFault */
export function withoutZipMaps(bytes: Uint8Array): Uint8Array {
  const parts = [...fieldList(bytes)].map(({ field, value, whole }) =>
    field === 7 && typeof value !== 'number' ? bytesField(7, rewrittenGraph(value)) : whole,
  );
  return joined(parts);
}

function rewrittenGraph(bytes: Uint8Array): Message {
  const nodes = bytesOf(fieldsOf(bytes, new Set([1])), 1).map((node) =>
    fieldsOf(node, new Set([1, 2, 4, 7])),
  );
  const zipped = zippedValues(
    nodes.map((node) => ({
      operator: lastTextOf(node, 4),
      domain: lastTextOf(node, 7),
      inputs: textsOf(node, 1),
      outputs: textsOf(node, 2),
    })),
  );
  if (zipped.size === 0) return bytes;
  const kept: Message[] = [];
  for (const { field, value, whole } of fieldList(bytes)) {
    if (typeof value === 'number') kept.push(whole);
    else if (field === 1 && lastTextOf(fieldsOf(value), 4) === zipMap) continue;
    else if (field === 12) kept.push(rewrittenOutput(fieldsOf(value), zipped) ?? whole);
    else kept.push(whole);
  }
  return joined(kept);
}

/** An output without a type: the runtime knows it by itself. */
function rewrittenOutput(port: Fields, zipped: ZippedValues): Message | undefined {
  const table = zipped.get(lastTextOf(port, 1));
  return table === undefined ? undefined : bytesField(12, textField(1, table));
}
