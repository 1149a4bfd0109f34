// What mistakes cost, in plain words: with two classes a false alarm and a miss, with more a table. A model that knows
// decides for what costs least. Most trainings need none of it, so it is behind a button.
import {
  Button,
  Checkbox,
  Collapse,
  Group,
  NumberInput,
  Skeleton,
  Stack,
  Text,
  TextInput,
} from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useState } from 'react';
import type { RecipeInput, TrainingPlan } from '../../api/types.ts';
import { formatCount, formatNumber } from '../../kit/format.ts';
import type { Choices } from './train.tsx';
import classes from './train.module.css';

type Costs = NonNullable<RecipeInput['costs']>;
/** What stands in the fields: numbers once they are whole. */
type Draft = Record<string, number | undefined>;

interface CostsChoiceProps {
  target: string;
  plan: TrainingPlan | undefined;
  choices: Choices;
  onChange: (changes: Partial<Choices>) => void;
}

const usualDecisions = 1000;
/** A table of more does not fit a page; such costs come through the API or the command line. */
const mostClasses = 6;

/** The fields; nothing is asked of the server before they make sense. */
export function CostsChoice({ target, plan, choices, onChange }: CostsChoiceProps) {
  const { costs } = choices;
  const [isOpen, { toggle }] = useDisclosure(costs !== null);
  const [draft, setDraft] = useState<Draft>({});
  const [currency, setCurrency] = useState('');
  const [decisionCount, setDecisionCount] = useState<number>();
  const names = plan?.classes?.map(({ name }) => name) ?? [];
  if (!plan) return <Skeleton height={22} width={320} />;
  if (plan.task === 'regression' || plan.task === 'ranking')
    return (
      <Text c="dimmed" size="sm">
        This is asked where the answer is one of several; here the measure above says what an error weighs.
      </Text>
    );
  const say = (next: Draft, money = { currency, decisionCount }): void => {
    setDraft(next);
    const whole = plan.task === 'binary' ? binaryCosts(next) : severalCosts(next, names);
    const said = whole && {
      ...whole,
      currency: money.currency,
      decisionCount: money.decisionCount ?? usualDecisions,
    };
    onChange({ costs: said ?? null, ...(!said && choices.metric === 'cost' && { metric: 'auto' }) });
  };
  const isTable = plan.task === 'multiclass' && names.length <= mostClasses;
  return (
    <Stack gap="md">
      <Text c="dimmed" size="sm">
        {costs
          ? inWords(costs, plan)
          : 'Not said, so every mistake counts the same and the likelier answer is given.'}
      </Text>
      <Group>
        <Button variant="subtle" size="xs" aria-expanded={isOpen} onClick={toggle}>
          {isOpen ? 'Fewer options' : 'Say what mistakes cost'}
        </Button>
      </Group>
      <Collapse expanded={isOpen} keepMounted={false}>
        <Stack gap="md">
          {plan.task === 'binary' && (
            <BinaryFields positive={plan.positiveClass ?? ''} target={target} draft={draft} onSay={say} />
          )}
          {isTable && <Table names={names} draft={draft} onSay={say} />}
          {plan.task === 'multiclass' && !isTable && (
            <Text size="sm">
              With more than {mostClasses} classes, say it through the API or the command line.
            </Text>
          )}
          {(plan.task === 'binary' || isTable) && (
            <Group align="flex-start" gap="md">
              <TextInput
                label="Counted in"
                description="A currency, or nothing"
                placeholder="EUR"
                w={180}
                maxLength={12}
                value={currency}
                onChange={(event) => {
                  setCurrency(event.currentTarget.value);
                  say(draft, { currency: event.currentTarget.value, decisionCount });
                }}
              />
              <NumberInput
                label="How many decisions?"
                description="Totals are told for so many, such as a year's"
                placeholder={formatCount(usualDecisions)}
                w={300}
                min={1}
                max={1e12}
                allowDecimal={false}
                thousandSeparator=","
                value={decisionCount ?? ''}
                onChange={(value) => {
                  const count = typeof value === 'number' && value >= 1 ? value : undefined;
                  setDecisionCount(count);
                  say(draft, { currency, decisionCount: count });
                }}
              />
            </Group>
          )}
          <Checkbox
            label="Compare attempts by money"
            description="The leaderboard and the choice of the model then go by what decisions cost"
            disabled={!costs}
            checked={choices.metric === 'cost'}
            onChange={(event) => onChange({ metric: event.currentTarget.checked ? 'cost' : 'auto' })}
          />
        </Stack>
      </Collapse>
    </Stack>
  );
}

interface FieldsProps {
  draft: Draft;
  onSay: (draft: Draft) => void;
}

function BinaryFields({
  positive,
  target,
  draft,
  onSay,
}: FieldsProps & { positive: string; target: string }) {
  const fields = [
    { name: 'falsePositive', label: 'A false alarm costs', text: `It says “${positive}”, and it is not` },
    { name: 'falseNegative', label: 'A miss costs', text: `It does not say “${positive}”, and it is` },
    {
      name: 'truePositive',
      label: `Finding “${positive}” costs`,
      text: 'Nothing, unless you say so; below 0 is a gain',
    },
    { name: 'trueNegative', label: 'Leaving the rest alone costs', text: 'Nothing, unless you say so' },
  ];
  const { falsePositive, falseNegative, truePositive = 0, trueNegative = 0 } = draft;
  const errors: Record<string, string | undefined> = {
    falsePositive:
      falsePositive !== undefined && falsePositive <= trueNegative
        ? 'Must cost more than leaving one alone, or there is nothing to decide'
        : undefined,
    falseNegative:
      falseNegative !== undefined && falseNegative <= truePositive
        ? 'Must cost more than finding one, or there is nothing to decide'
        : undefined,
  };
  return (
    <div className={classes.costFields} role="group" aria-label={`Costs of decisions about ${target}`}>
      {fields.map(({ name, label, text }) => (
        <Money
          key={name}
          label={label}
          description={text}
          error={errors[name]}
          value={draft[name]}
          onChange={(value) => onSay({ ...draft, [name]: value })}
        />
      ))}
    </div>
  );
}

function Table({ names, draft, onSay }: FieldsProps & { names: readonly string[] }) {
  return (
    <>
      <Money
        label="A mistake costs"
        description="Unless the table says otherwise; being right costs nothing"
        value={draft['otherMistakes']}
        onChange={(value) => onSay({ ...draft, otherMistakes: value })}
      />
      <div className={classes.costTable} tabIndex={0} role="region" aria-label="What each mistake costs">
        <table>
          <thead>
            <tr>
              <th scope="col">really ↓ said →</th>
              {names.map((name) => (
                <th key={name} scope="col">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {names.map((actual, row) => (
              <tr key={actual}>
                <th scope="row">{actual}</th>
                {names.map((said, column) => (
                  <td key={said}>
                    {actual === said ? (
                      <Text span c="dimmed" size="sm">
                        right
                      </Text>
                    ) : (
                      <Money
                        label={`Saying ${said} of what is ${actual} costs`}
                        isBare
                        placeholder={String(draft['otherMistakes'] ?? '')}
                        value={draft[`${row}/${column}`]}
                        onChange={(value) => onSay({ ...draft, [`${row}/${column}`]: value })}
                      />
                    )}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}

interface MoneyProps {
  label: string;
  description?: string;
  error?: string | undefined;
  placeholder?: string;
  /** Without a label that is seen. */
  isBare?: boolean;
  value: number | undefined;
  onChange: (value: number | undefined) => void;
}

function Money({ label, isBare = false, value, onChange, ...rest }: MoneyProps) {
  return (
    <NumberInput
      {...(isBare ? { 'aria-label': label } : { label })}
      {...rest}
      min={-1e12}
      max={1e12}
      thousandSeparator=","
      hideControls
      value={value ?? ''}
      onChange={(next) => onChange(typeof next === 'number' ? next : undefined)}
    />
  );
}

/** What a recipe says; undefined while something is missing or leaves nothing to decide. */
function binaryCosts(draft: Draft): Costs | undefined {
  const { falsePositive, falseNegative, truePositive = 0, trueNegative = 0 } = draft;
  if (falsePositive === undefined || falseNegative === undefined) return undefined;
  if (falsePositive <= trueNegative || falseNegative <= truePositive) return undefined;
  return { falsePositive, falseNegative, truePositive, trueNegative };
}

function severalCosts(draft: Draft, names: readonly string[]): Costs | undefined {
  const otherMistakes = draft['otherMistakes'] ?? 0;
  const cells = names.flatMap((actual, row) =>
    names.flatMap((predicted, column) => {
      const cost = draft[`${row}/${column}`];
      return cost === undefined ? [] : [{ actual, predicted, cost }];
    }),
  );
  return otherMistakes > 0 || cells.length > 0 ? { cells, otherMistakes } : undefined;
}

function inWords({ falsePositive, falseNegative, currency = '' }: Costs, { task }: TrainingPlan): string {
  const unit = currency.trim() && ` ${currency.trim()}`;
  return task === 'binary'
    ? `A false alarm costs ${formatNumber(falsePositive ?? 0)}${unit}, a miss ${formatNumber(falseNegative ?? 0)}${unit}. It decides for what costs least.`
    : 'It decides for what costs least.';
}
