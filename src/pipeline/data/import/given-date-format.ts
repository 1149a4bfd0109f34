// The date format that a user gives for a whole file (`dateFormat`): checked, and matched against values.
import { Problem } from '../../../base/problems.ts';
import type { DateReading } from './date-formats.ts';

/** strptime specifiers that may be used, and what each matches. */
const specifiers: Record<string, string> = {
  d: '\\d{1,2}',
  m: '\\d{1,2}',
  Y: '\\d{4}',
  y: '\\d{2}',
  b: '[A-Za-z]{3}',
  B: '[A-Za-z]{3,9}',
  H: '\\d{1,2}',
  I: '\\d{1,2}',
  M: '\\d{1,2}',
  S: '\\d{1,2}',
  f: '\\d{1,6}',
  p: '[AaPp][Mm]',
  z: '[+-]\\d{2}(?::?\\d{2})?',
};

/**
 * How dates in the strptime format `format` are read, and a pattern that they match.
 * @throws Problem `invalid-request` when it is no usable format
 */
export function givenDateFormat(format: string): { reading: DateReading; pattern: RegExp } {
  let pattern = '';
  const used = new Set<string>();
  for (let index = 0; index < format.length; index++) {
    const character = format[index]!;
    if (character !== '%') {
      pattern += character.replace(/[\\^$.*+?()[\]{}|]/, '\\$&');
      continue;
    }
    const specifier = format[++index] ?? '';
    if (!Object.hasOwn(specifiers, specifier)) throw refuse(`"%${specifier}" is not one of ${known()}`);
    used.add(specifier);
    pattern += specifiers[specifier];
  }
  if (!used.has('Y') && !used.has('y')) throw refuse('it has no year (%Y or %y)');
  return {
    reading: {
      type: ['H', 'I', 'M', 'S'].some((specifier) => used.has(specifier)) ? 'datetime' : 'date',
      formats: [format],
      isIso: false,
      order: null,
      isAmbiguous: false,
      hasShortYear: used.has('y'),
    },
    pattern: new RegExp(`^${pattern}$`),
  };
}

function known(): string {
  return Object.keys(specifiers)
    .map((specifier) => `%${specifier}`)
    .join(' ');
}

function refuse(why: string): Problem {
  return new Problem('invalid-request', `The date format cannot be used: ${why}.`, {
    errors: [{ field: 'options.dateFormat', message: why }],
  });
}
