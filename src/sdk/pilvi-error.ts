// The one error that the SDK throws on purpose: a problem (RFC 9457) that the server answered with, or one of the
// same shape that says why there is no answer. An aborted call throws the reason of its signal, as `fetch` does.
import type { ProblemCode, ProblemDocument } from '../base/problems.ts';

/** A call that failed. `message` says what happened, `remedy` what to do about it. */
export class PilviError extends Error {
  override name = 'PilviError';
  readonly problem: ProblemDocument;
  /** Seconds after which the server asks to try again. */
  readonly retryAfterSeconds: number | undefined;

  constructor(
    problem: ProblemDocument,
    options: { retryAfterSeconds?: number | undefined; cause?: unknown } = {},
  ) {
    super(
      problem.detail || problem.title,
      options.cause === undefined ? undefined : { cause: options.cause },
    );
    this.problem = problem;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }

  get code(): ProblemCode {
    return this.problem.code;
  }

  /** HTTP status; 0 when there was no answer. */
  get status(): number {
    return this.problem.status;
  }

  get remedy(): string {
    return this.problem.remedy;
  }

  get retryable(): boolean {
    return this.problem.retryable;
  }
}

/** No answer came from `origin`. */
export function unreachable(origin: string, cause: unknown): PilviError {
  const reason = reasonOf(cause);
  return new PilviError(
    {
      type: 'about:blank',
      code: 'unavailable',
      title: 'Pilvi cannot be reached',
      status: 0,
      detail: `No answer from ${origin}${reason ? ` (${reason})` : ''}.`,
      remedy: 'Check the address and that the server runs ("pilvi up" starts one).',
      retryable: true,
    },
    { cause },
  );
}

/** The answer came too late. */
export function late(origin: string, timeoutMs: number): PilviError {
  return new PilviError({
    type: 'about:blank',
    code: 'unavailable',
    title: 'Pilvi did not answer in time',
    status: 0,
    detail: `${origin} did not answer within ${timeoutMs / 1000} s.`,
    remedy: 'Try again, or allow more time with timeoutMs.',
    retryable: true,
  });
}

/** Reads the body of a failed answer; one that is no problem document (a proxy's page) becomes one. */
export async function errorOf(response: Response): Promise<PilviError> {
  const retryAfterSeconds = retryAfterOf(response.headers.get('retry-after'));
  const text = await response.text().catch(() => '');
  const document = parseDocument(text);
  if (document) return new PilviError(document, { retryAfterSeconds });
  const temporary = response.status === 429 || response.status >= 500;
  return new PilviError(
    {
      type: 'about:blank',
      code: response.status === 404 ? 'not-found' : temporary ? 'unavailable' : 'invalid-request',
      title: 'The answer did not come from Pilvi',
      status: response.status,
      detail: `${originOf(response.url)} answered with status ${response.status} and no problem document.`,
      remedy: 'Check the address, and any proxy in between.',
      retryable: temporary,
    },
    { retryAfterSeconds },
  );
}

function parseDocument(text: string): ProblemDocument | undefined {
  try {
    const value = JSON.parse(text) as Partial<ProblemDocument> | null;
    const isProblem = typeof value?.code === 'string' && typeof value.status === 'number';
    return isProblem ? (value as ProblemDocument) : undefined;
  } catch {
    return undefined;
  }
}

/** Seconds, from either form of Retry-After (RFC 9110, 10.2.3). */
function retryAfterOf(header: string | null): number | undefined {
  if (header === null) return undefined;
  if (/^\d+$/.test(header)) return Number(header);
  const dateMs = Date.parse(header);
  return Number.isNaN(dateMs) ? undefined : Math.max(0, (dateMs - Date.now()) / 1000);
}

function originOf(url: string): string {
  return URL.canParse(url) ? new URL(url).origin : 'The server';
}

/** Node's `fetch` hides the reason (ECONNREFUSED) one level down. */
function reasonOf(error: unknown): string {
  const cause = (error as { cause?: unknown } | null)?.cause ?? error;
  const code = (cause as { code?: unknown } | null)?.code;
  if (typeof code === 'string') return code;
  return cause instanceof Error ? cause.message : '';
}
