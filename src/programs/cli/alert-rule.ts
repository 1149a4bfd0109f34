// Rules of alerts as options: `quality=0.1,0.05,2`.
import { InvalidArgumentError } from 'commander';
import type { AnswerFor } from '../../sdk/types.ts';
import { nearest } from '../nearest.ts';

export type AlertRule = AnswerFor<'getMonitor'>['settings']['rules'][number];
export type Measure = AlertRule['measure'];

const measures: readonly Measure[] = [
  'moved-columns',
  'answers',
  'attributions',
  'quality',
  'performance',
  'coverage',
];

/** `measure=opensFrom,closesBelow,windowCount`; the latter two may be left out. For options that may be repeated. */
export function alertRules(text: string, before: AlertRule[] = []): AlertRule[] {
  const [name = '', figures = ''] = text.split('=');
  const measure = measureNamed(name);
  const [opensFrom = NaN, closesBelow = opensFrom, windowCount = 1, ...more] = figures
    .split(',')
    .map(readFigure);
  if (more.length > 0 || !(opensFrom >= 0) || !(closesBelow >= 0) || !Number.isInteger(windowCount))
    throw new InvalidArgumentError(`It must be like ${measure}=0.1,0.05,2, or ${measure}=0.1.`);
  if (closesBelow > opensFrom)
    throw new InvalidArgumentError(
      'An alert must close below what opens it: the second number is the smaller.',
    );
  return [
    ...before.filter((rule) => rule.measure !== measure),
    { measure, opensFrom, closesBelow, windowCount },
  ];
}

/** Measures, for options that may be repeated. */
export function alertMeasures(text: string, before: Measure[] = []): Measure[] {
  return [...before, measureNamed(text)];
}

function measureNamed(name: string): Measure {
  const found = measures.find((measure) => measure === name.trim());
  if (found) return found;
  const near = nearest(name, measures);
  const meant = near === undefined ? '' : ` Did you mean ${near}?`;
  throw new InvalidArgumentError(`It must name one of ${measures.join(', ')}.${meant}`);
}

function readFigure(text: string): number {
  return text.trim() === '' ? NaN : Number(text);
}
