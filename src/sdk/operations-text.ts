// Writes operations.ts: what the SDK must know of each operation at run time, taken from the contract. Run by
// `npm run generate`; operations.test.ts fails when the file is behind the contract.
import type { Operation } from '../contract/operation.ts';

/** The text of operations.ts for these operations. */
export function operationsText(operations: readonly Operation[]): string {
  const lines = operations.map(lineOf);
  return `// Generated from the contract by \`npm run generate\`. Do not edit.
// Address, body and answer of each operation: all that the SDK needs at run time.
import type { OperationId } from './types.ts';

export interface OperationEntry {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  path: string;
  /** \`json\`, or the media type of a streamed body. */
  body?: string;
  /** What comes back when it is not JSON. */
  answer?: 'nothing' | 'events' | 'stream';
}

export const operationTable: Readonly<Record<OperationId, OperationEntry>> = {
${lines.join('\n')}
};
`;
}

/** As the formatter would write it: on one line where it fits. */
function lineOf(operation: Operation): string {
  const members = membersOf(operation);
  const line = `  ${operation.operationId}: { ${members.join(', ')} },`;
  if (line.length <= 110) return line;
  return `  ${operation.operationId}: {\n${members.map((member) => `    ${member},`).join('\n')}\n  },`;
}

function membersOf({ method, path, request, response }: Operation): string[] {
  const members = [`method: '${method.toUpperCase()}'`, `path: '${path}'`];
  if (request.json) members.push(`body: 'json'`);
  else if (request.stream) members.push(`body: '${request.stream[0]}'`);
  if ('events' in response) members.push(`answer: 'events'`);
  else if ('stream' in response) members.push(`answer: 'stream'`);
  else if (!('json' in response)) members.push(`answer: 'nothing'`);
  return members;
}
