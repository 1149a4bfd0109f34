// Column names from a header: trimmed, never empty, unique without regard to case (SQL does not see case), and of a
// length that can be shown.

const maxNameCharacters = 200;

export interface NamedColumns {
  names: string[];
  warnings: string[];
}

/** Usable names for what the header says, in order; what had to be changed is told. */
export function uniqueNames(header: readonly string[]): NamedColumns {
  const taken = new Set<string>();
  const empty: string[] = [];
  const renamed: string[] = [];
  const shortened: string[] = [];
  const wanted = header.map((text) => cleanName(text));
  const reserved = new Set(wanted.map((name) => name.toLowerCase()));
  const names = wanted.map((name, index) => {
    const unique = firstFree(name === '' ? `column_${index + 1}` : name, taken, reserved, name !== '');
    taken.add(unique.toLowerCase());
    if (name === '') empty.push(unique);
    else if (unique !== name) renamed.push(`"${name}" became "${unique}"`);
    if ((header[index] ?? '').length > maxNameCharacters) shortened.push(unique.slice(0, 20));
    return unique;
  });
  const warnings: string[] = [];
  if (empty.length > 0) warnings.push(`Columns without a name were named: ${listed(empty)}.`);
  if (renamed.length > 0) warnings.push(`Column names that occur twice were changed: ${listed(renamed)}.`);
  if (shortened.length > 0)
    warnings.push(`Column names over ${maxNameCharacters} characters were cut: ${listed(shortened)}.`);
  return { names, warnings };
}

/** Names for a file without a header. */
export function numberedNames(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `column_${index + 1}`);
}

/** The first few of `items`, and how many more there are. */
export function listed(items: readonly string[], most = 5): string {
  const rest = items.length - most;
  return rest > 0 ? `${items.slice(0, most).join(', ')} and ${rest} more` : items.join(', ');
}

function cleanName(text: string): string {
  return text
    .replace(/^\uFEFF/, '')
    .replace(/[\p{Cc}\s]+/gu, ' ')
    .trim()
    .slice(0, maxNameCharacters)
    .replace(/[\uD800-\uDBFF]$/, '')
    .trim();
}

/** `name` itself at its first occurrence, then name_2, name_3 and so on, none of which another column has. */
function firstFree(
  name: string,
  taken: ReadonlySet<string>,
  reserved: ReadonlySet<string>,
  isOwn: boolean,
): string {
  if (!taken.has(name.toLowerCase()) && (isOwn || !reserved.has(name.toLowerCase()))) return name;
  for (let number = 2; ; number++) {
    const candidate = `${name}_${number}`;
    const lower = candidate.toLowerCase();
    if (!taken.has(lower) && !reserved.has(lower)) return candidate;
  }
}
