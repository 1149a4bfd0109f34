// Errors in words: what happened, what to do about it, and where. Every error on a page is shown by this file.
import { Button, Group, List, Text } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import type { ProblemDocument } from '../../src/base/problems.ts';
import { Icon } from './icons.tsx';
import { Notice } from './notice.tsx';

/** The problem that an error carries; an error of the page itself becomes one. */
export function problemOf(error: unknown): ProblemDocument {
  if (error !== null && typeof error === 'object' && 'problem' in error) {
    return (error as { problem: ProblemDocument }).problem;
  }
  return {
    type: 'about:blank',
    code: 'internal',
    title: 'This page made a mistake',
    status: 0,
    detail: error instanceof Error ? error.message : 'Something unexpected happened.',
    remedy: 'Reload the page; if it happens again, report it with what you did before.',
    retryable: true,
  };
}

/** Remedies that speak of requests, in the words of a page. */
const pageRemedies: Partial<Record<ProblemDocument['code'], string>> = {
  'invalid-request': 'Correct what is named here, then try again.',
  'prediction-input': 'Correct what is named here, or leave it empty if you do not know it.',
  'malformed-body': 'Check the file: it does not hold what its ending promises.',
  'not-signed-in': 'Sign in again with a new link.',
};

interface ProblemProps {
  error: unknown;
  /** Shown as a button where trying again can help. */
  onRetry?: (() => void) | undefined;
  onClose?: (() => void) | undefined;
}

/** One error, where it happened. */
export function ProblemAlert({ error, onRetry, onClose }: ProblemProps) {
  const problem = problemOf(error);
  return (
    <Notice tone="bad" title={problem.title} onClose={onClose}>
      <ProblemWords problem={problem} />
      {onRetry && (
        <Group mt="sm">
          <Button
            size="xs"
            variant="default"
            leftSection={<Icon name="refresh" size={14} />}
            onClick={onRetry}
          >
            Try again
          </Button>
        </Group>
      )}
    </Notice>
  );
}

/** A short notice at the corner, for what was asked for with one click. */
export function notifyProblem(error: unknown): void {
  const problem = problemOf(error);
  notifications.show({
    color: 'lingonberry',
    title: problem.title,
    message: `${problem.detail} ${problem.remedy}`.trim(),
    autoClose: 10_000,
    closeButtonProps: { 'aria-label': 'Close' },
  });
}

/** A short notice that something worked. */
export function notifyDone(message: string): void {
  notifications.show({
    color: 'moss',
    message,
    autoClose: 4000,
    closeButtonProps: { 'aria-label': 'Close' },
  });
}

function ProblemWords({ problem }: { problem: ProblemDocument }) {
  return (
    <>
      {problem.detail && <Text size="sm">{problem.detail}</Text>}
      {problem.errors && problem.errors.length > 0 && (
        <List size="sm" mt={4}>
          {problem.errors.map((each) => (
            <List.Item key={`${each.field}:${each.message}`}>
              <b>{fieldName(each.field)}</b> {each.message}
            </List.Item>
          ))}
        </List>
      )}
      <Text size="sm" mt={6}>
        <b>What to do:</b> {pageRemedies[problem.code] ?? problem.remedy}
      </Text>
      {problem.requestId && (
        <Text size="xs" c="dimmed" mt={6}>
          Request {problem.requestId}
        </Text>
      )}
    </>
  );
}

/** The last part of a JSON pointer, or the column's own name. */
export function fieldName(field: string): string {
  return field.startsWith('/') ? (field.split('/').at(-1) ?? field) : field;
}

/** Errors of single fields by name, for the form that sent them. */
export function fieldErrors(error: unknown): Record<string, string> {
  const { errors = [] } = problemOf(error);
  return Object.fromEntries(errors.map((each) => [fieldName(each.field), each.message]));
}
