// When alerts open and close: a line for each measure, with its two lines and how many windows in a row.
import { NumberInput, Switch, Text } from '@mantine/core';
import type { Monitor } from '../../api/types.ts';
import classes from './alert-rules.module.css';

type Rule = Monitor['settings']['rules'][number];

/** In the order of the list; shares are shown as percentages. */
const measures: {
  measure: Rule['measure'];
  label: string;
  about: string;
  isShare: boolean;
  start: Omit<Rule, 'measure'>;
}[] = [
  {
    measure: 'moved-columns',
    label: 'Columns moved a lot',
    about: 'How many columns of what it is asked look different from before.',
    isShare: false,
    start: { opensFrom: 1, closesBelow: 1, windowCount: 2 },
  },
  {
    measure: 'answers',
    label: 'Answers moved',
    about: 'The stability index of the answers: below 0.1 is as before, 0.25 is a lot.',
    isShare: false,
    start: { opensFrom: 0.25, closesBelow: 0.1, windowCount: 1 },
  },
  {
    measure: 'attributions',
    label: 'Other columns count',
    about: 'What part of all that counts for the answers has gone to other columns.',
    isShare: true,
    start: { opensFrom: 0.25, closesBelow: 0.1, windowCount: 1 },
  },
  {
    measure: 'quality',
    label: 'Missing, new or impossible values',
    about: 'Of the column where there are most, the share of its values.',
    isShare: true,
    start: { opensFrom: 0.1, closesBelow: 0.05, windowCount: 1 },
  },
  {
    measure: 'performance',
    label: 'Answers got worse',
    about: 'By what part the score is clearly worse than in training. Needs outcomes.',
    isShare: true,
    start: { opensFrom: 0.1, closesBelow: 0.05, windowCount: 1 },
  },
  {
    measure: 'coverage',
    label: 'Ranges too narrow',
    about: 'How much more often than promised the truth lies outside. Needs outcomes.',
    isShare: true,
    start: { opensFrom: 0.05, closesBelow: 0.02, windowCount: 1 },
  },
];

interface AlertRulesProps {
  rules: readonly Rule[];
  canEdit: boolean;
  onChange: (rules: Rule[]) => void;
}

/** Every change that makes sense is kept when the field is left. */
export function AlertRules({ rules, canEdit, onChange }: AlertRulesProps) {
  const replace = (measure: Rule['measure'], rule: Rule | undefined): void =>
    onChange([...rules.filter((one) => one.measure !== measure), ...(rule ? [rule] : [])]);
  return (
    <fieldset className={classes.rules}>
      <Text component="legend" size="sm" fw={500}>
        When an alert opens
      </Text>
      {measures.map(({ measure, label, about, isShare, start }) => {
        const rule = rules.find((one) => one.measure === measure);
        return (
          <div key={measure} className={classes.rule}>
            <Switch
              label={label}
              description={about}
              checked={rule !== undefined}
              disabled={!canEdit}
              onChange={(event) =>
                replace(measure, event.currentTarget.checked ? { measure, ...start } : undefined)
              }
            />
            {rule && (
              <div className={classes.figures}>
                <Figure
                  label="Opens from"
                  value={rule.opensFrom}
                  isShare={isShare}
                  isDisabled={!canEdit}
                  onChange={(opensFrom) =>
                    replace(measure, {
                      ...rule,
                      opensFrom,
                      closesBelow: Math.min(rule.closesBelow, opensFrom),
                    })
                  }
                />
                <Figure
                  label="Closes below"
                  value={rule.closesBelow}
                  max={rule.opensFrom}
                  isShare={isShare}
                  isDisabled={!canEdit}
                  onChange={(closesBelow) => replace(measure, { ...rule, closesBelow })}
                />
                <Figure
                  label="Windows in a row"
                  value={rule.windowCount}
                  min={1}
                  max={20}
                  isWhole
                  isDisabled={!canEdit}
                  onChange={(windowCount) => replace(measure, { ...rule, windowCount })}
                />
              </div>
            )}
          </div>
        );
      })}
    </fieldset>
  );
}

interface FigureProps {
  label: string;
  value: number;
  min?: number;
  max?: number;
  isShare?: boolean;
  isWhole?: boolean;
  isDisabled: boolean;
  onChange: (value: number) => void;
}

/** A number that is kept when the field is left; what is no number goes back to what it was. */
function Figure({
  label,
  value,
  min = 0,
  max = 1000,
  isShare = false,
  isWhole,
  isDisabled,
  onChange,
}: FigureProps) {
  const scale = isShare ? 100 : 1;
  const shown = Math.round(value * scale * 1e6) / 1e6;
  return (
    <NumberInput
      // Made anew with each value that was kept, so that it shows that and nothing else.
      key={shown}
      label={label}
      size="xs"
      defaultValue={shown}
      min={min * scale}
      max={max * scale}
      suffix={isShare ? '%' : ''}
      allowNegative={false}
      allowDecimal={!isWhole}
      hideControls
      disabled={isDisabled}
      onBlur={(event) => {
        const text = event.currentTarget.value.replace('%', '').trim();
        const next = Number(text) / scale;
        if (text === '' || !Number.isFinite(next)) return;
        const within = Math.min(max, Math.max(min, next));
        if (within !== value) onChange(within);
      }}
    />
  );
}
