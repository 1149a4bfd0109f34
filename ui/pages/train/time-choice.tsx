// How long a training may try: three marks for most, any time for the rest.
import { Button, Collapse, Group, NumberInput, Slider, Stack, Switch, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { formatDuration } from '../../kit/format.ts';
import type { Choices } from './train.tsx';
import classes from './train.module.css';

interface TimeChoiceProps {
  choices: Choices;
  onChange: (changes: Partial<Choices>) => void;
}

/** From ten seconds to half an hour; the slider moves in equal ratios, because the first seconds bring the most. */
const shortestSeconds = 10;
const longestSeconds = 1800;
const steps = 200;

const marks = [
  { seconds: 20, label: 'Quick look', words: 'A first answer to “can this be predicted at all?”' },
  { seconds: 60, label: 'Good', words: 'Enough for most tables of up to a hundred thousand rows.' },
  { seconds: 300, label: 'Thorough', words: 'A little better, when a little matters.' },
];

/** A slider over time, and exact figures behind a button. */
export function TimeChoice({ choices, onChange }: TimeChoiceProps) {
  const { seconds, trials, seed, maxPredictMs, compact, refit, backgroundRows } = choices;
  const [isOpen, { toggle }] = useDisclosure(
    trials !== null || maxPredictMs !== null || compact || !refit || !backgroundRows,
  );
  const closest = marks.toSorted((a, b) => distance(a.seconds, seconds) - distance(b.seconds, seconds))[0]!;
  return (
    <Stack gap="md">
      <div className={classes.slider}>
        <Slider
          thumbLabel="Time"
          thumbValueText={() => formatDuration(seconds)}
          min={0}
          max={steps}
          value={positionOf(seconds)}
          onChange={(position) => onChange({ seconds: secondsAt(position) })}
          label={() => formatDuration(seconds)}
          marks={marks.map(({ seconds: at, label }) => ({ value: positionOf(at), label }))}
        />
      </div>
      <Text size="sm" role="status">
        <b>{formatDuration(seconds)}.</b>{' '}
        <Text span c="dimmed" size="sm">
          {closest.words} It stops earlier when nothing improves.
        </Text>
      </Text>
      <Group>
        <Button variant="subtle" size="xs" aria-expanded={isOpen} onClick={toggle}>
          {isOpen ? 'Fewer options' : 'Exact figures'}
        </Button>
      </Group>
      <Collapse expanded={isOpen} keepMounted={false}>
        <Group align="flex-start" gap="md">
          <NumberInput
            label="Seconds"
            description="At most 86,400"
            w={180}
            min={1}
            max={86_400}
            allowDecimal={false}
            value={seconds}
            onChange={(value) => typeof value === 'number' && value >= 1 && onChange({ seconds: value })}
          />
          <NumberInput
            label="Attempts"
            description="Instead of time: same data, same model"
            placeholder="as many as fit"
            w={280}
            min={1}
            max={10_000}
            allowDecimal={false}
            value={trials ?? ''}
            onChange={(value) => onChange({ trials: typeof value === 'number' ? value : null })}
          />
          <NumberInput
            label="Seed"
            description="Decides every draw of chance"
            w={220}
            min={0}
            max={4_294_967_295}
            allowDecimal={false}
            value={seed}
            onChange={(value) => typeof value === 'number' && onChange({ seed: value })}
          />
          <NumberInput
            label="Limit for one answer, in ms"
            description="Slower models are thinned out or left out"
            placeholder="no limit"
            w={280}
            min={0.001}
            max={60_000}
            value={maxPredictMs ?? ''}
            onChange={(value) =>
              onChange({ maxPredictMs: typeof value === 'number' && value > 0 ? value : null })
            }
          />
        </Group>
        <Stack gap="sm" mt="md">
          <Switch
            label="Learn from all rows at the end"
            description="Once the locked rows have judged the model, it learns from them too"
            checked={refit}
            onChange={(event) => onChange({ refit: event.currentTarget.checked })}
          />
          <Switch
            label="One model in place of one for each fold"
            description="A smaller file and quicker answers, which are a little less exact"
            checked={compact}
            onChange={(event) => onChange({ compact: event.currentTarget.checked })}
          />
          <Switch
            label="Keep 100 sample rows in the model file"
            description="Explanations compare answers with them. Turn it off if nobody who gets the file may read any row"
            checked={backgroundRows}
            onChange={(event) => onChange({ backgroundRows: event.currentTarget.checked })}
          />
        </Stack>
      </Collapse>
    </Stack>
  );
}

const ratio = Math.log(longestSeconds / shortestSeconds);

function positionOf(seconds: number): number {
  const position = (Math.log(Math.max(shortestSeconds, seconds) / shortestSeconds) / ratio) * steps;
  return Math.min(steps, Math.round(position));
}

/** A time that reads well: marks snap, and long times are whole tens of seconds or minutes. */
function secondsAt(position: number): number {
  const mark = marks.find(({ seconds }) => Math.abs(positionOf(seconds) - position) <= 2);
  if (mark) return mark.seconds;
  const seconds = shortestSeconds * Math.exp((position / steps) * ratio);
  const unit = seconds < 30 ? 1 : seconds < 120 ? 5 : seconds < 600 ? 10 : 60;
  return Math.round(seconds / unit) * unit;
}

function distance(a: number, b: number): number {
  return Math.abs(Math.log(a / b));
}
