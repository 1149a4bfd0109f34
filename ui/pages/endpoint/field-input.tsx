// One field of a model as a form field: a number with its usual range, a choice, a date, yes or no, or text. Empty
// always means "not known".
import { Autocomplete, NumberInput, Select, Textarea, TextInput } from '@mantine/core';
import type { ModelField } from '../../api/types.ts';
import { formatNumber } from '../../kit/format.ts';
import type { FieldValue } from './example.ts';

interface FieldInputProps {
  field: ModelField;
  value: FieldValue;
  error: string | undefined;
  onChange: (value: FieldValue) => void;
}

const unknown = 'not known';

/** The input that fits the kind of `field`. */
export function FieldInput({ field, value, error, onChange }: FieldInputProps) {
  const common = { label: field.name, placeholder: unknown, error };
  switch (field.kind) {
    case 'numeric':
      return (
        <NumberInput
          {...common}
          description={rangeWords(field)}
          value={typeof value === 'number' ? value : ''}
          onChange={(next) => onChange(next === '' ? null : Number(next))}
        />
      );
    case 'boolean':
      return (
        <Select
          {...common}
          clearable
          data={[
            { value: 'true', label: 'Yes' },
            { value: 'false', label: 'No' },
          ]}
          value={typeof value === 'boolean' ? String(value) : null}
          onChange={(next) => onChange(next === null ? null : next === 'true')}
        />
      );
    case 'categorical':
      return <CategoryInput common={common} field={field} value={value} onChange={onChange} />;
    case 'date':
      return <DateInput common={common} field={field} value={value} onChange={onChange} />;
    case 'text':
      return (
        <Textarea
          {...common}
          autosize
          minRows={2}
          maxRows={6}
          value={value === null ? '' : String(value)}
          onChange={(event) => onChange(event.currentTarget.value === '' ? null : event.currentTarget.value)}
        />
      );
    default:
      throw field.kind satisfies never;
  }
}

interface PartProps extends Pick<FieldInputProps, 'field' | 'value' | 'onChange'> {
  common: { label: string; placeholder: string; error: string | undefined };
}

/** A hundred categories are listed at most; of more, any may be typed. */
const listedCategories = 100;

function CategoryInput({ common, field, value, onChange }: PartProps) {
  const categories = field.categories ?? [];
  const text = value === null ? '' : String(value);
  if (categories.length >= listedCategories || categories.length === 0) {
    return (
      <Autocomplete
        {...common}
        data={categories}
        limit={20}
        value={text}
        onChange={(next) => onChange(next === '' ? null : next)}
      />
    );
  }
  return (
    <Select
      {...common}
      clearable
      searchable={categories.length > 8}
      data={categories}
      value={text === '' ? null : text}
      onChange={onChange}
    />
  );
}

/** With a time of day only where the known values have one. */
function DateInput({ common, field, value, onChange }: PartProps) {
  const hasTime = typeof field.example === 'string' && /T(?!00:00:00)/.test(field.example);
  const length = hasTime ? 16 : 10;
  return (
    <TextInput
      {...common}
      type={hasTime ? 'datetime-local' : 'date'}
      value={value === null ? '' : String(value).slice(0, length)}
      onChange={(event) => onChange(event.currentTarget.value === '' ? null : event.currentTarget.value)}
    />
  );
}

function rangeWords({ minimum, maximum }: ModelField): string | undefined {
  if (minimum === null || maximum === null) return undefined;
  return `seen: ${formatNumber(minimum)} to ${formatNumber(maximum)}`;
}
