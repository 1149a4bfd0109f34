// How a file is read: what was detected, and what the person says instead. Only what was said is sent, so that the
// rest is detected anew.
import { Button, Collapse, Group, NativeSelect, SimpleGrid, TagsInput, Text, TextInput } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useState } from 'react';
import type { ImportOptions } from '../../api/types.ts';
import classes from './reading-options.module.css';

interface ReadingOptionsProps {
  detected: ImportOptions;
  chosen: ImportOptions;
  onChange: (options: ImportOptions) => void;
  isOpenAtFirst?: boolean;
}

type Choice = readonly [value: string, label: string];

const formats: Choice[] = [
  ['csv', 'Delimited text (CSV, TSV)'],
  ['json-lines', 'JSON lines'],
  ['parquet', 'Parquet'],
];
const encodings: Choice[] = [
  ['utf-8', 'UTF-8'],
  ['windows-1252', 'Windows (1252)'],
  ['iso-8859-1', 'Latin 1 (ISO 8859-1)'],
  ['utf-16le', 'UTF-16, little-endian'],
  ['utf-16be', 'UTF-16, big-endian'],
];
const delimiters: Choice[] = [
  [',', 'Comma ,'],
  [';', 'Semicolon ;'],
  ['\t', 'Tab'],
  ['|', 'Bar |'],
  [' ', 'Space'],
];
const headers: Choice[] = [
  ['true', 'The first row has the names'],
  ['false', 'There are no names'],
];
const decimals: Choice[] = [
  ['.', 'Point: 1.5'],
  [',', 'Comma: 1,5'],
];
const raggedChoices: Choice[] = [
  ['fill', 'Fill them up with “missing”'],
  ['skip', 'Leave them out'],
];

/** A line that says how the file is read, and the form behind it. */
export function ReadingOptions({ detected, chosen, onChange, isOpenAtFirst = false }: ReadingOptionsProps) {
  const [isOpen, { toggle }] = useDisclosure(isOpenAtFirst);
  const set = (change: Partial<Record<keyof ImportOptions, unknown>>): void => {
    const entries = Object.entries({ ...chosen, ...change }).filter(([, value]) => value !== undefined);
    onChange(Object.fromEntries(entries) as ImportOptions);
  };
  const isText = (chosen.format ?? detected.format ?? 'csv') === 'csv';
  return (
    <div className={classes.panel}>
      <Group justify="space-between" gap="sm">
        <Text>{summary(detected)}</Text>
        <Button size="xs" variant="default" aria-expanded={isOpen} onClick={toggle}>
          {isOpen ? 'Close' : 'Read it differently'}
        </Button>
      </Group>
      <Collapse expanded={isOpen} keepMounted={false}>
        <SimpleGrid cols={{ base: 1, xs: 2, md: 3 }} mt="lg">
          <Pick label="Format" choices={formats} name="format" {...{ detected, chosen, set }} />
          {isText && (
            <>
              <Pick
                label="Between the fields"
                choices={delimiters}
                name="delimiter"
                {...{ detected, chosen, set }}
              />
              <Pick
                label="Names of the columns"
                choices={headers}
                name="hasHeader"
                {...{ detected, chosen, set }}
              />
              <Pick label="Encoding" choices={encodings} name="encoding" {...{ detected, chosen, set }} />
              <Pick
                label="Decimal sign"
                choices={decimals}
                name="decimalSeparator"
                {...{ detected, chosen, set }}
              />
              <Pick
                label="Rows with too few or too many fields"
                unsaid="Refuse the file"
                choices={raggedChoices}
                name="raggedRows"
                {...{ detected, chosen, set }}
              />
              <DateFormat value={chosen.dateFormat ?? ''} detected={detected.dateFormat} onSet={set} />
              <TagsInput
                label="Also means “missing”"
                description="Besides an empty field. Press Enter after each."
                placeholder="n/a"
                maxTags={20}
                value={chosen.nullValues ?? detected.nullValues ?? []}
                onChange={(nullValues) => set({ nullValues })}
              />
            </>
          )}
        </SimpleGrid>
        {Object.keys(chosen).length > 0 && (
          <Button mt="md" size="xs" variant="subtle" onClick={() => onChange({})}>
            Go back to what was detected
          </Button>
        )}
      </Collapse>
    </div>
  );
}

interface PickProps {
  label: string;
  /** What happens when nothing is said. */
  unsaid?: string;
  choices: readonly Choice[];
  name: 'format' | 'delimiter' | 'hasHeader' | 'encoding' | 'decimalSeparator' | 'raggedRows';
  detected: ImportOptions;
  chosen: ImportOptions;
  set: (change: Partial<Record<keyof ImportOptions, unknown>>) => void;
}

function Pick({ label, unsaid = 'Detect it', choices, name, detected, chosen, set }: PickProps) {
  const found = detected[name];
  const foundLabel = choices.find(([value]) => value === String(found))?.[1];
  return (
    <NativeSelect
      label={label}
      value={chosen[name] === undefined ? '' : String(chosen[name])}
      onChange={(event) => {
        const { value } = event.currentTarget;
        set({ [name]: value === '' ? undefined : name === 'hasHeader' ? value === 'true' : value });
      }}
      data={[
        {
          value: '',
          label: foundLabel && chosen[name] === undefined ? `Detected: ${foundLabel}` : unsaid,
        },
        ...choices.map(([value, text]) => ({ value, label: text })),
      ]}
    />
  );
}

interface DateFormatProps {
  value: string;
  detected: string | undefined;
  onSet: (change: { dateFormat: string | undefined }) => void;
}

function DateFormat({ value, detected, onSet }: DateFormatProps) {
  const [text, setText] = useState(value);
  return (
    <TextInput
      label="How dates are written"
      description="%d day, %m month, %Y year, %H hour, %M minute"
      placeholder={detected ?? '%d.%m.%Y'}
      maxLength={40}
      value={text}
      onChange={(event) => setText(event.currentTarget.value)}
      onBlur={() => onSet({ dateFormat: text.trim() === '' ? undefined : text.trim() })}
    />
  );
}

/** One sentence such as "Delimited text, fields separated by semicolon, names in the first row, UTF-8." */
function summary(options: ImportOptions): string {
  if (options.format === 'parquet') return 'Read as Parquet: names and types come with the file.';
  if (options.format === 'json-lines') return 'Read as JSON lines: one object on each line.';
  if (options.format === undefined) return 'Say how the file is written, and it is read again.';
  const delimiter = delimiters.find(([value]) => value === options.delimiter)?.[1] ?? options.delimiter;
  const parts = [
    'Read as delimited text',
    delimiter && `fields divided by ${delimiter.split(' ')[0]!.toLowerCase()}`,
    options.hasHeader === false ? 'no names in the file' : 'names in the first row',
    encodings.find(([value]) => value === options.encoding)?.[1],
    options.decimalSeparator === ',' && 'decimal comma',
    options.compression === 'gzip' && 'packed with gzip',
  ];
  return `${parts.filter(Boolean).join(', ')}.`;
}
