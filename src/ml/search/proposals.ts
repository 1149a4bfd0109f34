// What a search tries when the portfolio is used up. Each learner's trials so far teach a surrogate what its other
// settings would score; the settings that promise most beyond the best trial of all are tried next (Bayesian
// optimisation: Jones, Schonlau and Welch 1998; Snoek, Larochelle and Adams 2012). A quarter of the trials is drawn at
// random, so that what the surrogates overlook has its chance and ensembles stay varied.
import type { Random } from '../../base/random.ts';
import { exp, log } from '../model/arithmetic.ts';
import type {
  HyperparameterSpec,
  HyperparameterValue,
  Hyperparameters,
  Learner,
} from '../learners/learner.ts';
import { completeHyperparameters } from '../learners/learner.ts';
import { learnerNamed } from '../learners/learners.ts';
import type { Candidate, Fitness } from './portfolio.ts';
import { expectedImprovement, fitSurrogate, type Surrogate } from './surrogate.ts';

/** What is known of settings that were tried. */
export interface Tried {
  learner: string;
  hyperparameters: Hyperparameters;
  /** More is better. Of trials that were given up: what their first fold lets expect. */
  utility: number;
  seconds: number;
}

export interface ProposerOptions {
  random: Random;
  fits: Fitness;
  /** Losses worth trying beside the default one. */
  losses?: readonly string[];
  /** Whether a trial that takes less time may promise less. Time may steer nothing else. */
  isTimed: boolean;
}

/** Learners, as often as random draws should take them. */
const explored = [
  'boosted-trees',
  'boosted-trees',
  'boosted-trees',
  'boosted-trees',
  'boosted-trees',
  'boosted-trees',
  'categorical-boosting',
  'categorical-boosting',
  'extra-trees',
  'random-forest',
  'linear',
  'neighbours',
  'network',
];
const randomShare = 0.25;
/** Trials of a learner that a surrogate learns from: at least and at most. */
const fewestTried = 3;
const mostTried = 60;
/** Points at which a surrogate is asked; half of them near the learner's best. */
const pointCount = 256;

/** Makes the next candidate of what was tried so far. */
export function proposer(options: ProposerOptions): (tried: readonly Tried[]) => Candidate {
  const { random, fits, losses = [] } = options;
  const known = new Map<Learner, Knowledge>();
  const learners = new Map(explored.map((name) => [name, withLosses(learnerNamed(name), losses)]));
  const fitting = explored.map((name) => learners.get(name)!).filter((learner) => fits(learner, {}));
  return (tried) => {
    const best = Math.max(...tried.map(({ utility }) => utility));
    for (const learner of fitting) learnFrom(tried, learner, known);
    const proposals =
      random.next() < randomShare
        ? []
        : [...known].map(([learner, knowledge]) => proposalOf(learner, knowledge, best, options));
    const proposal = proposals.toSorted((a, b) => b.promise - a.promise)[0];
    const learner = proposal?.learner ?? fitting[random.below(fitting.length)]!;
    return {
      learner: learner.spec.name,
      label: `${learner.spec.label}, ${proposal ? 'proposed' : 'drawn'}`,
      hyperparameters: proposal?.hyperparameters ?? drawHyperparameters(learner, random),
      timeShare: 1,
      isExploring: true,
    };
  };
}

/** The learner, whose loss is searched for too where it has others that are worth trying. */
function withLosses(learner: Learner, losses: readonly string[]): Learner {
  const { spec } = learner;
  const hyperparameters = spec.hyperparameters.map((setting) => {
    const fitting = losses.filter((loss) => setting.name === 'loss' && setting.choices?.includes(loss));
    return fitting.length > 0 ? { ...setting, search: { choices: [setting.default, ...fitting] } } : setting;
  });
  return { ...learner, spec: { ...spec, hyperparameters } };
}

/** What the trials of one learner taught. */
interface Knowledge {
  trialCount: number;
  surrogate: Surrogate;
  best: Hyperparameters;
  /** What one trial took. */
  seconds: number;
}

/** Learns anew where there are new trials of the learner, and enough of them. */
function learnFrom(tried: readonly Tried[], learner: Learner, known: Map<Learner, Knowledge>): void {
  const own = tried.filter((one) => one.learner === learner.spec.name);
  if (own.length < fewestTried || searched(learner).length === 0) return;
  if (own.length === known.get(learner)?.trialCount) return;
  const chosen = own.toSorted((a, b) => b.utility - a.utility).slice(0, mostTried);
  const floor = lowestWorthKnowing(chosen.map(({ utility }) => utility));
  known.set(learner, {
    trialCount: own.length,
    surrogate: fitSurrogate(
      chosen.map(({ hyperparameters }) => pointOf(learner, hyperparameters)),
      chosen.map(({ utility }) => Math.max(floor, utility)),
    ),
    best: chosen[0]!.hyperparameters,
    seconds: own.reduce((sum, one) => sum + one.seconds, 0) / own.length,
  });
}

interface Proposal {
  learner: Learner;
  hyperparameters: Hyperparameters;
  promise: number;
}

/** Of one learner, the settings of most promise. */
function proposalOf(
  learner: Learner,
  { surrogate, best: ownBest, seconds }: Knowledge,
  best: number,
  { random, isTimed }: ProposerOptions,
): Proposal {
  const price = isTimed ? Math.sqrt(Math.max(1e-3, seconds)) : 1;
  const proposals = Array.from({ length: pointCount }, (_, index): Proposal => {
    const hyperparameters = drawHyperparameters(learner, random, index % 2 === 1 ? ownBest : undefined);
    const gain = expectedImprovement(surrogate(pointOf(learner, hyperparameters)), best);
    return { learner, hyperparameters, promise: gain / price };
  });
  return proposals.reduce((a, b) => (b.promise > a.promise ? b : a));
}

/** Failures would flatten the differences that matter: nothing counts as worse than well below the middle. */
function lowestWorthKnowing(falling: readonly number[]): number {
  const best = falling[0]!;
  const middle = falling[(falling.length - 1) >> 1]!;
  return middle - 3 * (best - middle || Math.abs(best) * 0.01 || 1);
}

function searched({ spec }: Learner): HyperparameterSpec[] {
  return spec.hyperparameters.filter((setting) => setting.search);
}

/** Settings as a point of the unit cube: numbers on their scale, choices with an axis each. */
function pointOf(learner: Learner, hyperparameters: Hyperparameters): Float64Array {
  const complete = completeHyperparameters(learner.spec, hyperparameters);
  return Float64Array.from(
    searched(learner).flatMap((setting) => {
      const space = setting.search!;
      const value = complete[setting.name]!;
      if ('choices' in space)
        return [...new Set(space.choices)].map((choice) => (choice === value ? Math.SQRT1_2 : 0));
      const low = onScale(setting, space.min);
      const high = onScale(setting, space.max);
      return [Math.min(1, Math.max(0, (onScale(setting, Number(value)) - low) / (high - low)))];
    }),
  );
}

/** Settings from all of a learner's search space, or from around `near`. */
export function drawHyperparameters(
  learner: Learner,
  random: Random,
  near?: Hyperparameters,
): Hyperparameters {
  const complete = near && completeHyperparameters(learner.spec, near);
  return Object.fromEntries(
    searched(learner).map((setting) => [setting.name, drawValue(setting, random, complete?.[setting.name])]),
  );
}

/** Uniform on the setting's scale; around `near`, within a fifth of the range to either side. */
function drawValue(
  setting: HyperparameterSpec,
  random: Random,
  near: HyperparameterValue | undefined,
): HyperparameterValue {
  const space = setting.search!;
  if ('choices' in space) {
    const drawn = space.choices[random.below(space.choices.length)]!;
    return near !== undefined && random.next() < 0.7 ? near : drawn;
  }
  const low = onScale(setting, space.min);
  const high = onScale(setting, space.max);
  const at =
    typeof near === 'number'
      ? Math.min(high, Math.max(low, onScale(setting, near) + (random.next() - 0.5) * 0.4 * (high - low)))
      : low + random.next() * (high - low);
  const value = setting.scale === 'log' ? exp(at) : at;
  const bounded = Math.min(space.max, Math.max(space.min, value));
  return setting.type === 'integer' ? Math.round(bounded) : Math.round(bounded * 1e6) / 1e6;
}

function onScale({ scale }: HyperparameterSpec, value: number): number {
  return scale === 'log' ? log(value) : value;
}
