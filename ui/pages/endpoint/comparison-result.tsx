// What a comparison found: whether the version may take over, how much changes, where, and single requests with both
// explanations side by side.
import { Text } from '@mantine/core';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { comparisonFlipsQuery, comparisonQuery } from '../../api/queries.ts';
import type { Comparison, ComparisonFlip } from '../../api/types.ts';
import { Bars } from '../../charts/bars.tsx';
import { Facts, type Fact } from '../../kit/facts.tsx';
import { formatCount, formatCountOf, formatNumber, formatShare, formatTime } from '../../kit/format.ts';
import { Blocks, Loaded } from '../../kit/loaded.tsx';
import { More } from '../../kit/more.tsx';
import { Section } from '../../kit/page.tsx';
import { StateMark } from '../../kit/state.tsx';
import { Contributions } from './why.tsx';
import classes from './compare.module.css';

type Result = NonNullable<Comparison['result']>;

const shownSegments = 8;

/** One comparison, by its id. */
export function ComparisonResult({ comparisonId }: { comparisonId: string }) {
  const comparison = useQuery(comparisonQuery(comparisonId));
  return (
    <Loaded query={comparison} skeleton={<Blocks count={1} height={220} />}>
      {(data) => (
        <>
          <Verdict comparison={data} />
          {data.result && data.result.rowCount > 0 && (
            <>
              <Segments result={data.result} />
              {data.result.flipCount > 0 && <Flips comparison={data} result={data.result} />}
            </>
          )}
        </>
      )}
    </Loaded>
  );
}

function Verdict({ comparison }: { comparison: Comparison }) {
  const { candidate, answering, result, verdict, state, problem } = comparison;
  return (
    <section className={classes.verdict} aria-label="Result">
      <div>
        <Text size="sm" c="dimmed">
          {candidate.modelName}, version {candidate.versionNumber}, in place of {answering.modelName}, version{' '}
          {answering.versionNumber}
        </Text>
        <h2>{headline(comparison)}</h2>
      </div>
      {!result && (
        <Text size="sm">
          <StateMark state={state === 'failed' ? 'failed' : 'running'} size={18} />{' '}
          {problem?.detail ?? 'Logged requests are being replayed.'}
        </Text>
      )}
      {verdict && verdict.reasons.length > 0 && (
        <ul className={classes.reasons} aria-label="Why it is held back">
          {verdict.reasons.map((reason) => (
            <li key={reason}>{reason}</li>
          ))}
        </ul>
      )}
      {result && <Facts items={factsOf(result)} />}
      {result && result.notes.length > 0 && (
        <ul className={classes.notes} aria-label="What the figures leave out">
          {result.notes.map((note) => (
            <li key={note}>{note}</li>
          ))}
        </ul>
      )}
    </section>
  );
}

function headline({ result, verdict, state }: Comparison): string {
  if (state === 'failed') return 'The comparison could not be made';
  if (!result) return 'Comparing…';
  if (result.rowCount === 0) return 'There was no request to replay';
  const found =
    result.flipped.count === 0
      ? 'No decision would change'
      : `${formatShare(result.flipped.value)} of the decisions would change`;
  if (!verdict) return found;
  return `${verdict.passed ? 'It may take over' : 'It is held back'}: ${found.charAt(0).toLowerCase()}${found.slice(1)}`;
}

function factsOf({ rowCount, flipped, outcomes, money, decision, moves }: Result): Fact[] {
  const facts: Fact[] = [
    { label: 'Requests replayed', value: formatCount(rowCount) },
    {
      label: 'Decided otherwise',
      value: formatCount(flipped.count),
      note:
        decision.kind === 'number'
          ? `changes beyond ${formatNumber(decision.tolerance ?? 0)}`
          : `between ${formatShare(flipped.lower)} and ${formatShare(flipped.upper)}`,
    },
  ];
  const [most] = moves;
  if (most)
    facts.push({
      label: 'Most often',
      value: decision.kind === 'number' ? most.to : `${most.from} → ${most.to}`,
      note: formatCountOf(most.count, 'request'),
    });
  if (outcomes)
    facts.push({
      label: 'Only one was right',
      value: `${formatCount(outcomes.onlyCandidateRight)} new, ${formatCount(outcomes.onlyAnsweringRight)} old`,
      note: `of ${formatCountOf(outcomes.knownCount, 'known outcome')}`,
    });
  if (money)
    facts.push({
      label: money.lost.value > 0 ? 'It would cost more' : 'It would save',
      value: `${formatNumber(Math.abs(money.lost.value))} ${money.currency}`.trim(),
      note: `95%: ${formatNumber(money.lost.lower)} to ${formatNumber(money.lost.upper)}`,
    });
  return facts;
}

function Segments({ result: { segments, flipped } }: { result: Result }) {
  const flipping = segments.filter((segment) => segment.flipped.count > 0).slice(0, shownSegments);
  if (flipping.length === 0) return null;
  return (
    <Section
      title="Where it changes"
      description={`Of all requests ${formatShare(flipped.value)} flip. Parts with at least 30 requests, most flipped first.`}
    >
      <Bars
        label="Flipped share by segment"
        maximum={Math.max(flipped.value, ...flipping.map((segment) => segment.flipped.value))}
        items={flipping.map((segment) => ({
          name: `${segment.column}: ${segment.segment}`,
          value: segment.flipped.value,
          text: `${formatShare(segment.flipped.value)} of ${formatCount(segment.rowCount)}`,
          isMarked: segment.flipped.lower > flipped.value,
        }))}
      />
    </Section>
  );
}

function Flips({ comparison, result }: { comparison: Comparison; result: Result }) {
  const flips = useInfiniteQuery(comparisonFlipsQuery(comparison.id));
  const order = result.money
    ? 'Those that change the most money come first'
    : result.decision.kind === 'number'
      ? 'The largest changes come first'
      : 'Those of which both versions are most certain come first';
  return (
    <Section
      title="Requests that flip"
      description={`${order}. Both explanations are about the same answer, so that they compare.`}
    >
      {flips.isPending && <Blocks count={2} height={260} />}
      <ul className={classes.flips}>
        {(flips.data ?? []).map((flip) => (
          <Flip key={flip.predictionId} flip={flip} comparison={comparison} result={result} />
        ))}
      </ul>
      <More query={flips} label="Show more flips" />
    </Section>
  );
}

function Flip({
  flip,
  comparison,
  result,
}: {
  flip: ComparisonFlip;
  comparison: Comparison;
  result: Result;
}) {
  const { answering, candidate, time, actual, lostMoney } = flip;
  const isShare = result.decision.kind !== 'number';
  const sides = [
    { label: `Now, version ${comparison.answering.versionNumber}`, side: answering },
    { label: `Then, version ${comparison.candidate.versionNumber}`, side: candidate },
  ];
  return (
    <li className={classes.flip}>
      <Text size="sm" c="dimmed">
        {formatTime(time)}
        {actual !== null && ` · true was “${actual}”`}
        {lostMoney !== null &&
          ` · ${lostMoney > 0 ? 'costs' : 'saves'} ${formatNumber(Math.abs(lostMoney))} ${result.money?.currency ?? ''}`}
      </Text>
      <div className={classes.sides}>
        {sides.map(({ label, side }) => (
          <div key={label}>
            <Text size="sm" c="dimmed">
              {label}
            </Text>
            <h4>
              {side.decision}
              {side.sureness !== null && ` (${formatShare(side.sureness, 0)})`}
            </h4>
            {side.explanation ? (
              <Contributions explanation={side.explanation} isShare={isShare} />
            ) : (
              <Text size="sm">This version cannot be explained here.</Text>
            )}
          </div>
        ))}
      </div>
    </li>
  );
}
