// What a model is good at, in words; what it looks at; where it was right and where it was wrong.
import { Anchor, SimpleGrid, Stack, Text } from '@mantine/core';
import { useState } from 'react';
import { Link } from 'react-router';
import type { Evaluation, Importance, ModelVersion } from '../../api/types.ts';
import { paths } from '../../app/paths.ts';
import { Bars } from '../../charts/bars.tsx';
import { Facts } from '../../kit/facts.tsx';
import {
  formatBytes,
  formatCell,
  formatCount,
  formatCountOf,
  formatNumber,
  formatShare,
} from '../../kit/format.ts';
import grid from '../../kit/grid.module.css';
import { Icon } from '../../kit/icons.tsx';
import { Okta } from '../../kit/okta.tsx';
import { Section } from '../../kit/page.tsx';
import { When } from '../../kit/when.tsx';
import classes from './model.module.css';
import { SignedBy, WithdrawnNotice } from './signature.tsx';
import { findWords, goodnessContext, goodnessHeadline, goodnessShare, moneyWords } from './words.ts';

/** The first tab. */
export function Overview({ version }: { version: ModelVersion }) {
  const { evaluation } = version;
  return (
    <Stack gap={44}>
      <WithdrawnNotice version={version} />
      {evaluation && <Headline version={version} evaluation={evaluation} />}
      <SimpleGrid cols={{ base: 1, md: 2 }} spacing={56} verticalSpacing={44}>
        {version.onnx ? <Takes fields={version.fields} /> : <Looks importance={version.importance} />}
        <Origin version={version} />
      </SimpleGrid>
      {evaluation && evaluation.samples.length > 0 && <Samples version={version} evaluation={evaluation} />}
    </Stack>
  );
}

function Headline({ version, evaluation }: { version: ModelVersion; evaluation: Evaluation }) {
  const { task } = version;
  const context = goodnessContext(task, evaluation);
  const finds = findWords(evaluation);
  const saves = moneyWords(evaluation);
  return (
    <div className={classes.headline}>
      <Okta share={goodnessShare(task, evaluation)} size={128} />
      <div className={classes.words}>
        <h2 className={classes.claim}>{goodnessHeadline(task, evaluation)}</h2>
        {context && <Text>{context}</Text>}
        {finds && <Text>{finds}</Text>}
        {saves && <Text>{saves}</Text>}
        <Text size="sm" c="dimmed" mt={6}>
          Measured once, on {formatCount(evaluation.rowCount)} rows that the training had not seen until then.
        </Text>
      </div>
    </div>
  );
}

const shownAtFirst = 10;

function Looks({ importance }: { importance: Importance }) {
  const [showsAll, setShowsAll] = useState(false);
  const sorted = importance.toSorted((a, b) => b.importance - a.importance);
  const total = sorted.reduce((sum, each) => sum + Math.max(0, each.importance), 0) || 1;
  const shown = showsAll ? sorted : sorted.slice(0, shownAtFirst);
  return (
    <Section title="What it looks at" description="How much each column adds to the answers.">
      {sorted.length === 0 ? (
        <Text c="dimmed">This was not measured.</Text>
      ) : (
        <Bars
          label="Importance of columns"
          items={shown.map((each) => ({
            name: each.column,
            value: Math.max(0, each.importance),
            text: formatShare(Math.max(0, each.importance) / total),
          }))}
        />
      )}
      {sorted.length > shownAtFirst && (
        <Anchor component="button" type="button" size="sm" ta="left" onClick={() => setShowsAll(!showsAll)}>
          {showsAll ? 'Show the most important only' : `Show all ${sorted.length} columns`}
        </Anchor>
      )}
    </Section>
  );
}

const kindWords: Record<ModelVersion['fields'][number]['kind'], string> = {
  numeric: 'number',
  categorical: 'text',
  boolean: 'yes or no',
  date: 'date',
  text: 'text',
};

/** Of a model made elsewhere, whose inside is not known. */
function Takes({ fields }: { fields: ModelVersion['fields'] }) {
  return (
    <Section
      title="What it takes"
      description="What these columns add to the answers is not known of a model made elsewhere."
    >
      <div
        className={`${grid.scroll} ${classes.takes}`}
        tabIndex={0}
        role="region"
        aria-label="What it takes"
      >
        <table className={grid.table}>
          <thead>
            <tr>
              <th scope="col">Column</th>
              <th scope="col">Holds a</th>
            </tr>
          </thead>
          <tbody>
            {fields.map(({ name, kind }) => (
              <tr key={name}>
                <td>{name}</td>
                <td>{kindWords[kind]}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Section>
  );
}

function Origin({ version }: { version: ModelVersion }) {
  const { projectId, lineage, fields, fileSizeBytes, fileSha256, classes: classNames } = version;
  return (
    <Section title="Where it comes from">
      {lineage ? (
        <Text>
          Trained on{' '}
          <Anchor
            component={Link}
            underline="always"
            to={paths.datasetVersion(projectId, lineage.datasetVersionId)}
          >
            {lineage.datasetName}, version {lineage.datasetVersionNumber}
          </Anchor>
          , <When iso={version.createdAt} />.{' '}
          <Anchor component={Link} underline="always" to={paths.training(projectId, lineage.trainingId)}>
            See the training
          </Anchor>
          .
        </Text>
      ) : (
        <Text>
          {originWords(version.onnx)}, <When iso={version.createdAt} />.
        </Text>
      )}
      <Facts
        items={[
          { label: 'Looks at', value: formatCountOf(fields.length, 'column') },
          ...(classNames ? [{ label: 'Answers', value: `one of ${classNames.length}` }] : []),
          { label: 'File', value: formatBytes(fileSizeBytes) },
        ]}
      />
      <Text size="xs" c="dimmed" className={classes.hash!}>
        SHA-256 {fileSha256}
      </Text>
      {!version.onnx && <SignedBy signature={version.signature} />}
    </Section>
  );
}

function originWords(onnx: ModelVersion['onnx']): string {
  if (!onnx) return 'Brought as a file';
  return `Made elsewhere${onnx.producer ? `, written by ${onnx.producer}` : ''}, and imported as ONNX`;
}

const shownInputs = 5;

function Samples({ version, evaluation }: { version: ModelVersion; evaluation: Evaluation }) {
  const isNumber = version.task === 'regression';
  // A score by which rows are ordered is neither right nor off by anything.
  const isOrder = version.task === 'ranking';
  const inputs = version.importance
    .toSorted((a, b) => b.importance - a.importance)
    .slice(0, shownInputs)
    .map(({ column }) => column);
  return (
    <Section
      title="How it answered"
      description="A few of the rows that were locked away, next to what was true."
    >
      <div className={grid.scroll} tabIndex={0} role="region" aria-label="How it answered">
        <table className={grid.table}>
          <thead>
            <tr>
              <th scope="col">It said</th>
              <th scope="col">True was</th>
              {!isOrder && (
                <th scope="col" data-number>
                  {isNumber ? 'Off by' : 'How sure'}
                </th>
              )}
              {inputs.map((name) => (
                <th key={name} scope="col">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {evaluation.samples.map((sample, index) => (
              <tr key={index}>
                <td>
                  <span className={classes.answer}>
                    {!isNumber && !isOrder && <Verdict isRight={sample.prediction === sample.actual} />}
                    {shown(sample.prediction)}
                  </span>
                </td>
                <td>{shown(sample.actual)}</td>
                {!isOrder && <td data-number>{isNumber ? offBy(sample) : sureness(sample.probability)}</td>}
                {inputs.map((name) => (
                  <td key={name}>{formatCell(sample.input[name])}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Section>
  );
}

function Verdict({ isRight }: { isRight: boolean }) {
  return (
    <span
      className={classes.verdict}
      data-right={isRight || undefined}
      role="img"
      aria-label={isRight ? 'Right' : 'Wrong'}
    >
      <Icon name={isRight ? 'check' : 'close'} size={14} />
    </span>
  );
}

function shown(value: string | number): string {
  return typeof value === 'number' ? formatNumber(value) : value;
}

function offBy({ actual, prediction }: Evaluation['samples'][number]): string {
  const difference = Number(prediction) - Number(actual);
  return `${difference > 0 ? '+' : ''}${formatNumber(difference)}`;
}

function sureness(probability: number | undefined): string {
  return probability === undefined ? '' : formatShare(probability, 0);
}
