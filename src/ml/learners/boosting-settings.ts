// Settings that all boosting of trees has, and what they come to for the loss.
import { numberSetting, type HyperparameterSpec, type Hyperparameters } from './learner.ts';
import { regressionLosses, type RegressionLoss, type RegressionSettings } from './regression-losses.ts';

export const iterationsSetting: HyperparameterSpec = {
  name: 'iterations',
  label: 'Trees',
  plainWords: 'The most rounds of trees; early stopping usually ends sooner.',
  type: 'integer',
  default: 1000,
  min: 1,
  max: 20_000,
};

export const patienceSetting: HyperparameterSpec = {
  name: 'patience',
  label: 'Patience',
  plainWords: 'Rounds without progress on the validation rows after which training stops.',
  type: 'integer',
  default: 40,
  min: 1,
  max: 10_000,
};

/** The losses for numbers and what some of them need; `others` come behind the usual ones, with words for them. */
export function lossSettings(
  others: { losses: readonly RegressionLoss[]; words: string } = { losses: [], words: '' },
): HyperparameterSpec[] {
  return [
    {
      name: 'loss',
      label: 'Loss',
      plainWords: `For numbers: whether large errors count more (squared), in proportion (absolute), or something between (huber); for a chosen quantile; for counts (poisson), for positive amounts (gamma), for amounts that are often zero (tweedie)${others.words}.`,
      type: 'choice',
      choices: [...regressionLosses, ...others.losses],
      default: 'squared',
    },
    {
      name: 'quantile',
      label: 'Quantile',
      plainWords: 'With the quantile loss: the share of answers that should lie above the truth.',
      type: 'number',
      default: 0.5,
      min: 0.001,
      max: 0.999,
    },
    {
      name: 'tweediePower',
      label: 'Tweedie power',
      plainWords: 'With the Tweedie loss: near 1 for counts, near 2 for amounts.',
      type: 'number',
      default: 1.5,
      min: 1.01,
      max: 1.99,
    },
  ];
}

/** What complete settings say of the loss. */
export function lossOf(settings: Hyperparameters): RegressionSettings {
  return {
    loss: String(settings['loss']) as RegressionLoss,
    quantile: numberSetting(settings, 'quantile'),
    tweediePower: numberSetting(settings, 'tweediePower'),
    ...('truncation' in settings && { truncation: numberSetting(settings, 'truncation') }),
  };
}
