// Why this answer: what each column added to it.
import { Button, Text } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { client } from '../../api/client.ts';
import type { Explanation } from '../../api/types.ts';
import { Bars } from '../../charts/bars.tsx';
import { formatCell, formatNumber, formatShare } from '../../kit/format.ts';
import { ProblemAlert } from '../../kit/problem.tsx';
import classes from './endpoint.module.css';
import type { Row } from './example.ts';

interface WhyProps {
  modelVersionId: string;
  row: Row;
  /** Answers are probabilities. */
  isShare: boolean;
}

const shownColumns = 8;

/** A button, then bars. */
export function Why({ modelVersionId, row, isShare }: WhyProps) {
  const explain = useMutation({
    mutationFn: () => client.explainRows({ versionId: modelVersionId, body: { rows: [row] } }),
  });
  const explanation = explain.data?.explanations[0];
  if (!explanation) {
    return (
      <div className={classes.more}>
        {explain.error && <ProblemAlert error={explain.error} />}
        <Button variant="default" loading={explain.isPending} onClick={() => explain.mutate()}>
          Why this answer?
        </Button>
      </div>
    );
  }
  return <Contributions explanation={explanation} isShare={isShare} />;
}

interface ContributionsProps {
  explanation: Explanation;
  /** Answers are probabilities. */
  isShare: boolean;
}

/** The bars alone. */
export function Contributions({ explanation, isShare }: ContributionsProps) {
  const { base, prediction, outcome, contributions } = explanation;
  const amount = (value: number): string => (isShare ? formatShare(value) : formatNumber(value));
  const moved = (value: number): string =>
    `${value < 0 ? '−' : '+'}${isShare ? formatNumber(Math.abs(value) * 100) : formatNumber(Math.abs(value))}`;
  const rest = contributions.slice(shownColumns).reduce((sum, one) => sum + one.contribution, 0);
  const isRising = (value: number): boolean => value > 0;
  return (
    <div className={classes.more}>
      <Text size="sm">
        On average it says {amount(base)}
        {isShare && ` for “${outcome}”`}; here {amount(prediction)}. The difference
        {isShare && ', in points,'} comes from:
      </Text>
      <Bars
        label="What each column added"
        isDense
        items={[
          ...contributions.slice(0, shownColumns).map(({ column, value, contribution }) => ({
            name: `${column}: ${formatCell(value)}`,
            value: contribution,
            text: moved(contribution),
            isMarked: isRising(contribution),
          })),
          ...(contributions.length > shownColumns
            ? [{ name: 'all others', value: rest, text: moved(rest), isMarked: isRising(rest) }]
            : []),
        ]}
      />
    </div>
  );
}
