// Quality of answers that are classes: what is mistaken for what, where to draw the line, whether "70%" means 70%.
import { SimpleGrid, Slider, Stack, Text } from '@mantine/core';
import { useState } from 'react';
import type { Evaluation } from '../../api/types.ts';
import { Chart } from '../../charts/chart.tsx';
import { axis } from '../../charts/colors.ts';
import { Facts } from '../../kit/facts.tsx';
import { formatCount, formatNumber, formatShare, ofHundred } from '../../kit/format.ts';
import { Section } from '../../kit/page.tsx';
import classes from './model.module.css';
import { Money } from './quality-money.tsx';
import { costAt, outcomesAt } from './threshold.ts';
import { amountOf, positiveClassOf } from './words.ts';

interface ClassQualityProps {
  evaluation: Evaluation;
  target: string;
}

/** Everything for two or more classes that was measured. */
export function ClassQuality({ evaluation, target }: ClassQualityProps) {
  return (
    <>
      {evaluation.money && <Money money={evaluation.money} evaluation={evaluation} />}
      {evaluation.confusionMatrix && <Confusion matrix={evaluation.confusionMatrix} target={target} />}
      {evaluation.rocCurve && evaluation.rocCurve.length > 1 && <Threshold evaluation={evaluation} />}
      {evaluation.calibration && evaluation.calibration.length > 1 && (
        <Calibration
          bands={evaluation.calibration}
          error={evaluation.calibrationError}
          positive={positiveWords(evaluation)}
        />
      )}
      {evaluation.sets && <Sureness sets={evaluation.sets} />}
    </>
  );
}

type Matrix = NonNullable<Evaluation['confusionMatrix']>;

function Confusion({ matrix, target }: { matrix: Matrix; target: string }) {
  const totals = matrix.counts.map((row) => row.reduce((sum, count) => sum + count, 0));
  return (
    <Section
      title="What it takes for what"
      description={`Each row is what ${target} really was, each column what the model said. On the diagonal it was right.`}
    >
      <div className={classes.scroll} tabIndex={0} role="region" aria-label="What it takes for what">
        <table className={classes.matrix}>
          <thead>
            <tr>
              <th className={classes.corner} scope="col">
                really ↓ said →
              </th>
              {matrix.classes.map((name) => (
                <th key={name} scope="col" title={name}>
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {matrix.classes.map((name, actual) => (
              <tr key={name}>
                <th scope="row" title={name}>
                  {name}
                </th>
                {matrix.classes.map((said, predicted) => {
                  const count = matrix.counts[actual]?.[predicted] ?? 0;
                  const share = totals[actual] ? count / totals[actual] : 0;
                  return (
                    <td
                      key={said}
                      data-right={actual === predicted || undefined}
                      style={{ '--strength': `${Math.round(share * 60)}%` } as React.CSSProperties}
                    >
                      {formatCount(count)}
                      <small>{formatShare(share, 0)}</small>
                    </td>
                  );
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Section>
  );
}

function Threshold({ evaluation }: { evaluation: Evaluation }) {
  const { money } = evaluation;
  const [threshold, setThreshold] = useState(money?.threshold ?? 0.5);
  const outcomes = outcomesAt(evaluation, threshold);
  const cost = outcomes && costAt(evaluation, outcomes);
  const positive = positiveClassOf(evaluation);
  const curve = evaluation.rocCurve ?? [];
  const precision = evaluation.precisionRecallCurve ?? [];
  return (
    <Section
      title="Where to draw the line"
      description={`The model gives a probability of “${positive}”. From which one on do you act? ${
        money?.threshold === undefined
          ? 'The endpoint answers with the likelier class'
          : `The endpoint draws the line at ${formatShare(money.threshold)}, by what mistakes cost`
      }; its probability lets your own program draw another.`}
    >
      <div className={classes.threshold}>
        <Slider
          thumbLabel="Probability from which on it counts"
          min={0.01}
          max={0.99}
          step={0.01}
          value={threshold}
          onChange={setThreshold}
          label={(value) => formatShare(value, 0)}
          thumbValueText={(value) => formatShare(value, 0)}
          marks={[0.25, 0.5, 0.75].map((value) => ({ value, label: formatShare(value, 0) }))}
          mb={44}
        />
        {outcomes && (
          <div role="status">
            <Facts
              items={[
                {
                  label: 'Acts on',
                  value: `${ofHundred(outcomes.flaggedShare)} of 100 rows`,
                  note: `${formatCount(outcomes.flagged)} of ${formatCount(outcomes.total)}`,
                },
                {
                  label: `Finds of all “${positive}”`,
                  value: `${ofHundred(outcomes.recall)} of 100`,
                  note: `misses ${formatCount(outcomes.missed)}`,
                },
                {
                  label: 'Right when it acts',
                  value:
                    outcomes.precision === undefined
                      ? 'never acts'
                      : `${ofHundred(outcomes.precision)} of 100`,
                  note: `${formatCount(outcomes.falseAlarms)} false alarms`,
                },
                ...(cost === undefined || !money
                  ? []
                  : [
                      {
                        label: 'Costs',
                        value: amountOf(cost * money.decisionCount, money.currency),
                        note: `for ${formatCount(money.decisionCount)} decisions`,
                      },
                    ]),
              ]}
            />
          </div>
        )}
      </div>
      <SimpleGrid cols={{ base: 1, md: 2 }} spacing={44} verticalSpacing={32}>
        <LineChart
          label="ROC curve: found cases against false alarms"
          names={['False alarms among the others', `Found “${positive}”`]}
          points={curve.map((point) => [point.falsePositiveRate, point.truePositiveRate, point.threshold])}
          marked={outcomes && [outcomes.falsePositiveRate, outcomes.recall]}
          hasDiagonal
        />
        <LineChart
          label="Precision and recall"
          names={[`Found “${positive}” (recall)`, 'Right when it acts (precision)']}
          points={precision.map((point) => [point.recall, point.precision, point.threshold])}
          marked={outcomes?.precision === undefined ? undefined : [outcomes.recall, outcomes.precision]}
        />
      </SimpleGrid>
    </Section>
  );
}

interface LineChartProps {
  label: string;
  names: readonly [string, string];
  points: readonly (readonly [number, number, number])[];
  marked?: readonly [number, number] | undefined;
  hasDiagonal?: boolean;
}

function LineChart({ label, names, points, marked, hasDiagonal = false }: LineChartProps) {
  return (
    <Stack gap={6}>
      <Text size="sm" fw={600}>
        {label}
      </Text>
      <Chart
        label={label}
        height={320}
        table={{
          columns: [...names, 'From this probability on'],
          rows: points.map((point) => point.map((value) => Number(value.toFixed(4)))),
        }}
        option={(colors) => ({
          grid: { left: 26, right: 16, top: 12, bottom: 30, containLabel: true },
          xAxis: { ...axis(colors, names[0]), type: 'value', min: 0, max: 1 },
          yAxis: { ...axis(colors, names[1]), type: 'value', min: 0, max: 1, nameGap: 34 },
          series: [
            {
              type: 'line',
              symbol: 'none',
              lineStyle: { width: 2.5 },
              data: points.map(([x, y]) => [x, y]),
            },
            ...(hasDiagonal
              ? [
                  {
                    type: 'line',
                    symbol: 'none',
                    silent: true,
                    lineStyle: { type: 'dashed', width: 1, color: colors.text },
                    data: [
                      [0, 0],
                      [1, 1],
                    ],
                  },
                ]
              : []),
            ...(marked
              ? [
                  {
                    type: 'scatter',
                    symbolSize: 15,
                    itemStyle: { color: colors.series[1] },
                    data: [[...marked]],
                    z: 5,
                  },
                ]
              : []),
          ],
        })}
      />
    </Stack>
  );
}

function Sureness({ sets }: { sets: NonNullable<Evaluation['sets']> }) {
  return (
    <Section
      title="Does it know when it is not sure?"
      description={`Beside its answer it names every class that may be the true one. They are made to hold the truth in ${ofHundred(sets.coverage)} of 100 cases.`}
    >
      <Facts
        items={[
          { label: 'Held the truth', value: `${ofHundred(sets.held)} of 100` },
          {
            label: 'Names one class alone',
            value: `${ofHundred(sets.oneClassShare)} of 100`,
            note: 'where it is sure',
          },
          { label: 'Names on average', value: formatNumber(sets.meanSize), note: 'classes' },
        ]}
      />
    </Section>
  );
}

const methodNames = {
  none: 'they were left as they were',
  temperature: 'put right with a temperature',
  platt: "put right with Platt's scaling",
  isotonic: 'put right with isotonic curves',
};

interface CalibrationProps {
  error: Evaluation['calibrationError'];
  bands: NonNullable<Evaluation['calibration']>;
  positive: string;
}

function Calibration({ bands, error, positive }: CalibrationProps) {
  const typical = bands.toSorted(
    (a, b) => Math.abs(a.meanPredicted - 0.7) - Math.abs(b.meanPredicted - 0.7),
  )[0]!;
  return (
    <Section
      title="Does 70% mean 70%?"
      description={`When it gave ${positive} ${formatShare(typical.meanPredicted, 0)}, that was true in ${ofHundred(typical.observedRate)} of 100 cases. On the dashed line, probabilities can be taken at their word.`}
    >
      {error && (
        <Text size="sm">
          Off by {formatNumber(error.after * 100)} points on average
          {error.method === 'none'
            ? `; ${methodNames.none}.`
            : `, ${formatNumber(error.before * 100)} before they were ${methodNames[error.method]}.`}
        </Text>
      )}
      <div style={{ maxWidth: 560 }}>
        <Chart
          label="Probabilities that were given, against how often they came true"
          height={340}
          table={{
            columns: ['It said', 'It came true', 'Rows'],
            rows: bands.map((band) => [
              formatShare(band.meanPredicted),
              formatShare(band.observedRate),
              band.rowCount,
            ]),
          }}
          option={(colors) => ({
            grid: { left: 26, right: 16, top: 12, bottom: 30, containLabel: true },
            xAxis: { ...axis(colors, 'It said'), type: 'value', min: 0, max: 1 },
            yAxis: { ...axis(colors, 'It came true'), type: 'value', min: 0, max: 1, nameGap: 34 },
            series: [
              {
                type: 'line',
                symbol: 'none',
                silent: true,
                lineStyle: { type: 'dashed', width: 1, color: colors.text },
                data: [
                  [0, 0],
                  [1, 1],
                ],
              },
              {
                type: 'line',
                symbol: 'circle',
                symbolSize: 9,
                lineStyle: { width: 2.5 },
                itemStyle: { color: colors.series[0] },
                data: bands.map((band) => [band.meanPredicted, band.observedRate]),
              },
            ],
          })}
        />
      </div>
    </Section>
  );
}

/** What the probabilities of the calibration are about. */
function positiveWords(evaluation: Evaluation): string {
  const positive = positiveClassOf(evaluation);
  return evaluation.task === 'binary' && positive
    ? `“${positive}” a probability of`
    : 'its answer a probability of';
}
