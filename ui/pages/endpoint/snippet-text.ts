// The text of the snippets. Values are written by each language's own rules, so that what is pasted runs.
import type { FieldValue, Row } from './example.ts';

export type Language = 'curl' | 'typescript' | 'python';

interface SnippetInput {
  address: string;
  key: string;
  row: Row;
}

/** A complete program that asks for one prediction and prints it. */
export function snippetOf(language: Language, input: SnippetInput): string {
  switch (language) {
    case 'curl':
      return curl(input);
    case 'typescript':
      return typeScript(input);
    case 'python':
      return python(input);
    default:
      throw language satisfies never;
  }
}

function curl({ address, key, row }: SnippetInput): string {
  const body = JSON.stringify({ rows: [row] }, null, 2);
  return [
    `curl ${shell(address)} \\`,
    `  -H ${shell(`Authorization: Bearer ${key}`)} \\`,
    `  -H 'Content-Type: application/json' \\`,
    `  -d ${shell(body)}`,
  ].join('\n');
}

function typeScript({ address, key, row }: SnippetInput): string {
  return `const response = await fetch(${JSON.stringify(address)}, {
  method: 'POST',
  headers: {
    Authorization: ${JSON.stringify(`Bearer ${key}`)},
    'Content-Type': 'application/json',
  },
  body: JSON.stringify({
    rows: [
      ${JSON.stringify(row, null, 2).replaceAll('\n', '\n      ')},
    ],
  }),
});
if (!response.ok) throw new Error(await response.text());
const { predictions } = await response.json();
console.log(predictions[0]);`;
}

function python({ address, key, row }: SnippetInput): string {
  const entries = Object.entries(row).map(
    ([name, value]) => `        ${JSON.stringify(name)}: ${pythonValue(value)},`,
  );
  return `import requests

response = requests.post(
    ${JSON.stringify(address)},
    headers={"Authorization": ${JSON.stringify(`Bearer ${key}`)}},
    json={"rows": [{
${entries.join('\n')}
    }]},
    timeout=30,
)
response.raise_for_status()
print(response.json()["predictions"][0])`;
}

/** JSON's texts and numbers are Python's too; its words are not. */
function pythonValue(value: FieldValue): string {
  if (value === null) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  return JSON.stringify(value);
}

/** One argument of a POSIX shell, taken literally. */
function shell(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
