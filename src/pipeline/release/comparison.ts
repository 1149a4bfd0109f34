// A candidate beside what answers now: shares of errors, slow answers and mistakes over all steps of a release, and whether
// it is worse. Pure: the counts come from pipeline/deploy and the log, the statistics from evidence.ts.
//
// In a step in which both answer, each bad event falls on the candidate with its share of the traffic unless it is worse.
// Where the candidate answers alone, or as a shadow, there is no such dealing: then its own share of bad events is held
// against the current version's as it was measured, plus what is tolerated.
import type { CountedDeployment } from '../deploy/revisions.ts';
import { latencyEdgesMs } from '../deploy/revisions.ts';
import { answersShift, chanceOf, limitOf, logEvidence, type Stratum } from './evidence.ts';
import type { LoggedFigures, LoggedPeriod } from './logged-figures-task.ts';
import type { Comparison, Guard } from './rows.ts';

type Finding = Comparison['findings'][number];
type Figures = Comparison['candidate'];

/** What was counted in one step. */
export interface Period {
  role: 'live' | 'shadow';
  /** The candidate's share of the traffic. */
  trafficShare: number;
  candidate: CountedDeployment[];
  /** The others of the same step. */
  current: CountedDeployment[];
}

/** All that is known of a release. */
export interface Observed {
  /** The current version before the release. */
  before: CountedDeployment[];
  periods: readonly Period[];
  slowerThanMs: number;
  /** Periods of `logged` are `periodsForLog(observed)`; null: the log was not read. */
  logged: LoggedFigures | null;
  task: string;
}

/** Slow is what takes longer than 99 of 100 answers, but no less than this: below it chance decides. */
const leastSlowMs = 5;
const usualSlowMs = 200;
const slowQuantile = 0.99;

/** Above it an answer is slow: as it was asked for, else slower than nearly all of the current version's. */
export function slowFrom(guard: Guard, before: readonly CountedDeployment[]): number {
  const wanted = guard.latency?.slowerThanMs;
  if (wanted !== null && wanted !== undefined)
    return latencyEdgesMs.find((edge) => edge >= wanted) ?? latencyEdgesMs.at(-1)!;
  return Math.max(leastSlowMs, quantileMs(latenciesOf(before), slowQuantile) ?? usualSlowMs);
}

/** Which deployments of each step, and of the time before, are compared in the log. */
export function periodsForLog({ before, periods }: Pick<Observed, 'before' | 'periods'>): LoggedPeriod[] {
  const ids = (rows: readonly CountedDeployment[]): string[] => rows.map(({ id }) => id);
  return [
    { candidateIds: [], currentIds: ids(before) },
    ...periods.map((period) => {
      const current = hasControl(period) || period.role === 'shadow' ? period.current : before;
      return { candidateIds: ids(period.candidate), currentIds: ids(current) };
    }),
  ];
}

/** The comparison; `isWorse` says what stops the release, in a sentence, or is null. */
export function compare(
  observed: Observed,
  guard: Guard,
  lookedAt: string,
): { comparison: Comparison; isWorse: string | null } {
  const measures = (['errors', 'latency', 'quality', 'answers'] as const).filter(
    (measure) => guard[measure] !== null,
  );
  const alpha = guard.falseAlarmShare / Math.max(1, measures.length);
  const findings = measures.flatMap((measure) => {
    const finding = findingOf(measure, { observed, guard, alpha });
    return finding ? [finding] : [];
  });
  const worse = findings.filter(({ verdict }) => verdict === 'worse');
  return {
    comparison: {
      lookedAt,
      candidate: figuresOf(observed, 'candidate'),
      current: figuresOf(observed, 'current'),
      slowerThanMs: observed.slowerThanMs,
      findings,
    },
    isWorse: worse.length === 0 ? null : worse.map(({ sentence }) => sentence).join(' '),
  };
}

interface Judging {
  observed: Observed;
  guard: Guard;
  /** The share of false alarms of one measure. */
  alpha: number;
}

function findingOf(measure: Finding['measure'], judging: Judging): Finding | undefined {
  switch (measure) {
    case 'errors':
      return ofCounts('errors', judging, errorsOf);
    case 'latency':
      return ofCounts('latency', judging, (rows) => slowOf(rows, judging.observed.slowerThanMs));
    case 'quality':
      return ofOutcomes(judging);
    case 'answers':
      return ofAnswers(judging);
    default:
      return measure satisfies never;
  }
}

/** Bad ones of so many. */
interface Counted {
  count: number;
  bad: number;
}

/** Of a step: what both did, and whether chance dealt between them. */
interface Compared {
  candidate: Counted;
  current: Counted;
  /** The chance of the candidate; null: nothing was dealt. */
  dealtShare: number | null;
}

function ofCounts(
  measure: 'errors' | 'latency',
  judging: Judging,
  counted: (rows: readonly CountedDeployment[]) => Counted,
): Finding {
  const { before, periods } = judging.observed;
  const known = counted(before);
  return judge(
    measure,
    judging,
    periods.map((period) => {
      const candidate = counted(period.candidate);
      if (hasControl(period))
        return { candidate, current: counted(period.current), dealtShare: period.trafficShare };
      // A shadow is asked what the current version answered: of that it failed nothing.
      const current =
        period.role === 'live' ? known : measure === 'errors' ? nothing : counted(period.current);
      return { candidate, current, dealtShare: null };
    }),
  );
}

function ofOutcomes(judging: Judging): Finding | undefined {
  const { logged, periods } = judging.observed;
  if (!logged) return undefined;
  const { pairs } = logged;
  if (pairs.count > 0) {
    // Of the answers to the same request one alone was wrong, or further off: as often one as the other if they are as good.
    const differing = pairs.candidateWorse + pairs.currentWorse;
    return finished('quality', judging, {
      strata: [{ trials: differing, hits: pairs.candidateWorse, nullShare: 0.5 }],
      candidateCount: pairs.count,
      candidateShare: pairs.candidateWorse / pairs.count,
      difference: (pairs.candidateWorse - pairs.currentWorse) / pairs.count,
    });
  }
  return judge(
    'quality',
    judging,
    periods.map((period, index) => {
      const known = logged.known[index + 1] ?? { candidate: nothing, current: nothing };
      return { ...known, dealtShare: hasControl(period) ? period.trafficShare : null };
    }),
  );
}

function ofAnswers({ observed, guard, alpha }: Judging): Finding | undefined {
  const { logged, task } = observed;
  if (!logged || guard.answers === null) return undefined;
  const kind = task === 'regression' ? 'numbers' : 'classes';
  const { measured, atLeast } = answersShift(logged.answers, kind, alpha);
  const tolerated = guard.answers.toleratedShift;
  const count = logged.answers.candidate.reduce((total, each) => total + each, 0);
  const isWorse = atLeast > tolerated;
  const verdict = isWorse ? 'worse' : count < guard.leastRequests ? 'waiting' : 'fine';
  return {
    measure: 'answers',
    verdict,
    candidate: count === 0 ? null : measured,
    current: count === 0 ? null : 0,
    tolerated,
    chance: isWorse ? alpha : 1,
    alarmBelow: alpha,
    sentence:
      verdict === 'waiting'
        ? 'Too few answers to compare how they are spread.'
        : `${percent(measured)} of its answers are spread otherwise than those of the current version; ${percent(tolerated)} are tolerated.`,
  };
}

/** Puts steps together: the evidence over all, and the difference weighted by how much the candidate did in each. */
function judge(measure: Measured, judging: Judging, compared: readonly Compared[]): Finding {
  const tolerated = toleratedOf(measure, judging.guard);
  const strata: Stratum[] = [];
  let [candidateCount, candidateBad, expectedBad] = [0, 0, 0];
  for (const { candidate, current, dealtShare } of compared) {
    const currentShare = current.count === 0 ? 0 : current.bad / current.count;
    candidateCount += candidate.count;
    candidateBad += candidate.bad;
    expectedBad += candidate.count * currentShare;
    strata.push(
      dealtShare === null
        ? {
            trials: candidate.count,
            hits: candidate.bad,
            nullShare: Math.min(0.999, Math.max(1e-4, currentShare + tolerated)),
          }
        : { trials: candidate.bad + current.bad, hits: candidate.bad, nullShare: dealtShare },
    );
  }
  return finished(measure, judging, {
    strata,
    candidateCount,
    candidateShare: candidateCount === 0 ? null : candidateBad / candidateCount,
    difference: candidateCount === 0 ? 0 : (candidateBad - expectedBad) / candidateCount,
  });
}

type Measured = 'errors' | 'latency' | 'quality';

const names: Record<Measured, { what: string; none: string }> = {
  errors: { what: 'of the requests were not answered', none: 'It has not been asked yet.' },
  latency: { what: 'of the answers were slow', none: 'It has not answered yet.' },
  quality: {
    what: 'of the answers turned out wrong or far off',
    none: 'No outcomes of its answers are known yet.',
  },
};

function finished(
  measure: Measured,
  { guard, alpha }: Judging,
  {
    strata,
    candidateCount,
    candidateShare,
    difference,
  }: { strata: Stratum[]; candidateCount: number; candidateShare: number | null; difference: number },
): Finding {
  const tolerated = toleratedOf(measure, guard);
  const evidence = logEvidence(strata);
  // Errors speak at once; the first answers may be slow because a model is being loaded.
  const isEnough = measure === 'errors' ? candidateCount > 0 : candidateCount >= guard.leastRequests;
  const isWorse = isEnough && evidence >= limitOf(alpha) && difference > tolerated;
  const current = candidateShare === null ? null : Math.max(0, candidateShare - difference);
  return {
    measure,
    verdict: isWorse ? 'worse' : candidateCount < Math.max(1, guard.leastRequests) ? 'waiting' : 'fine',
    candidate: candidateShare,
    current,
    tolerated,
    chance: chanceOf(evidence),
    alarmBelow: alpha,
    sentence:
      candidateShare === null
        ? names[measure].none
        : `${percent(candidateShare)} ${names[measure].what}; with the current version it is ${percent(current!)}.`,
  };
}

function toleratedOf(measure: Measured, guard: Guard): number {
  return guard[measure]?.toleratedExtraShare ?? 0;
}

const nothing: Counted = { count: 0, bad: 0 };

function hasControl({ role, trafficShare }: Period): boolean {
  return role === 'live' && trafficShare < 1;
}

function errorsOf(rows: readonly CountedDeployment[]): Counted {
  return {
    count: sumOf(rows.map(({ requestCount }) => requestCount)),
    bad: sumOf(rows.map(({ errorCount }) => errorCount)),
  };
}

function slowOf(rows: readonly CountedDeployment[], slowerThanMs: number): Counted {
  const counts = latenciesOf(rows);
  const first = latencyEdgesMs.findIndex((edge) => edge >= slowerThanMs) + 1;
  return { count: sumOf(counts), bad: sumOf(counts.slice(first)) };
}

function latenciesOf(rows: readonly CountedDeployment[]): number[] {
  const places = Array.from({ length: latencyEdgesMs.length + 1 }, (_, place) => place);
  return places.map((place) => sumOf(rows.map(({ latencyCounts }) => latencyCounts[place] ?? 0)));
}

/** The upper edge of the bucket that holds the quantile; of the open bucket its lower edge. Null for no answers. */
function quantileMs(counts: readonly number[], quantile: number): number | null {
  const total = sumOf(counts);
  if (total === 0) return null;
  let below = 0;
  const place = counts.findIndex((count) => (below += count) >= quantile * total);
  return latencyEdgesMs[Math.min(place, latencyEdgesMs.length - 1)]!;
}

/** Sums over all steps; of the current version before the release where it had no part in any. */
function figuresOf(
  { before, periods, slowerThanMs, logged }: Observed,
  who: 'candidate' | 'current',
): Figures {
  const own = periods.flatMap((period) => period[who]);
  const isBefore = who === 'current' && errorsOf(own).count === 0;
  const rows = isBefore ? before : own;
  const errors = errorsOf(rows);
  const slow = slowOf(rows, slowerThanMs);
  const known = (logged?.known ?? [])
    .slice(isBefore ? 0 : 1, isBefore ? 1 : undefined)
    .map((each) => each[who]);
  const outcomeCount = sumOf(known.map(({ count }) => count));
  const latencies = latenciesOf(rows);
  return {
    requestCount: errors.count,
    errorShare: shareOf(errors),
    slowShare: shareOf(slow),
    medianMs: quantileMs(latencies, 0.5),
    p99Ms: quantileMs(latencies, slowQuantile),
    outcomeCount,
    badShare: shareOf({ count: outcomeCount, bad: sumOf(known.map(({ bad }) => bad)) }),
  };
}

function shareOf({ count, bad }: Counted): number | null {
  return count === 0 ? null : bad / count;
}

function percent(share: number): string {
  const value = 100 * share;
  return `${value === 0 || value >= 10 ? Math.round(value) : Number(value.toPrecision(2))}%`;
}

function sumOf(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
