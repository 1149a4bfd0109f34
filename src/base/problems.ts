// The one catalogue of problems (RFC 9457). Everything that can go wrong in the world, and what to do about it,
// is an entry here; code throws nothing else on purpose. `docs/problems.md` is generated from it.

interface ProblemKind {
  /** HTTP status of the answer. */
  status: number;
  /** The problem in a few words, the same every time. */
  title: string;
  /** Whether the same request may succeed later, unchanged. */
  retryable: boolean;
  /** What the reader should do, in one sentence. */
  remedy: string;
}

function kind(status: number, title: string, remedy: string, retryable = false): ProblemKind {
  return { status, title, remedy, retryable };
}

export const problemKinds = {
  // requests
  'invalid-request': kind(
    400,
    'The request does not match its schema',
    'Correct the fields named in "errors" and send it again.',
  ),
  'malformed-body': kind(
    400,
    'The body cannot be read',
    'Send a body in the format that its Content-Type names.',
  ),
  'not-signed-in': kind(
    401,
    'No valid sign-in came with the request',
    'Sign in, or send a valid key as "Authorization: Bearer KEY".',
  ),
  'sign-in-link-spent': kind(
    401,
    'The sign-in link was used or has expired',
    'Restart Pilvi, or run "pilvi sign-in", to get a new link.',
  ),
  'not-allowed': kind(
    403,
    'Your role does not allow this',
    'Ask an owner of the workspace for a role that may do this.',
  ),
  'cross-site-request': kind(
    403,
    'The request came from another site',
    "Use Pilvi's own page, or a key from a program.",
  ),
  'not-found': kind(
    404,
    'There is nothing here by that name that you may see',
    'Check the id, and that you are in the right workspace.',
  ),
  'method-not-allowed': kind(
    405,
    'This address does not answer that method',
    'Use one of the methods in the Allow header.',
  ),
  'already-exists': kind(409, 'The name is taken', 'Choose another name, or use the one that exists.'),
  'wrong-state': kind(
    409,
    'The thing is not in a state that allows this',
    'Wait for it, or look at its state first.',
  ),
  'profile-pending': kind(
    409,
    'The columns are still being described',
    'Ask again in a moment, or follow the job that it names. The rows can be used already.',
    true,
  ),
  'idempotency-key-reused': kind(
    422,
    'The Idempotency-Key was used for a different request',
    'Use a new key for a new request.',
  ),
  'request-in-progress': kind(
    409,
    'A request with this Idempotency-Key is still running',
    'Wait for it to finish, then ask again.',
    true,
  ),
  'body-too-large': kind(
    413,
    'The body is larger than this address takes',
    'Send less at once, or use a resumable upload.',
  ),
  'unsupported-media-type': kind(
    415,
    'This address does not take that Content-Type',
    'Use one of the types named in the documentation of the address.',
  ),
  'host-not-allowed': kind(
    421,
    'The Host header names no address of this server',
    'Use the address that Pilvi printed, or add the name to PILVI_ALLOWED_HOSTS.',
  ),
  'too-many-requests': kind(
    429,
    'Too many requests',
    'Wait for the seconds in Retry-After, then try again.',
    true,
  ),
  'request-timeout': kind(
    408,
    'The request took too long to arrive',
    'Send it again over a faster connection.',
    true,
  ),
  internal: kind(
    500,
    'Pilvi made a mistake',
    'Try again; if it happens again, report it with the request id.',
    true,
  ),
  unavailable: kind(
    503,
    'Pilvi cannot answer right now',
    'Try again after the seconds in Retry-After.',
    true,
  ),
  'disk-full': kind(
    507,
    'No space is left where Pilvi keeps its data',
    'Free some disk space, then try again; nothing that was stored is lost.',
    true,
  ),
  'address-in-use': kind(
    409,
    'Another program listens on that address',
    'Stop the other program, or choose another port with PILVI_PORT.',
  ),
  'data-folder-in-use': kind(
    409,
    'Another process is using the data folder',
    'Stop the other process, or choose another folder with PILVI_HOME.',
  ),
  'database-unusable': kind(
    500,
    'The database cannot be used as it is',
    'Do what the detail says, then start Pilvi again.',
  ),
  'file-not-found': kind(404, 'The file is not there', 'Check the path, and the folder you are in.'),
  'file-not-accessible': kind(
    403,
    'The file may not be opened',
    'Check the rights of the file and its folder, or choose another path.',
  ),
  'configuration-invalid': kind(
    500,
    'A setting of this machine cannot be used',
    'Correct the environment variables named in the detail; docs/configuration.md lists them all.',
  ),
  'feature-not-installed': kind(
    501,
    'An optional part is not installed',
    'Install the package named in the detail.',
  ),
  // money
  'budget-exceeded': kind(
    402,
    'The budget does not allow this',
    'Ask for less, or have an owner raise the cap.',
  ),
  // data
  'file-empty': kind(422, 'The file has no data', 'Send a file with a header and at least one row.'),
  'file-unreadable': kind(
    422,
    'The file cannot be read as the format it claims',
    'Check the file, or name its format, delimiter or encoding yourself.',
  ),
  'row-ragged': kind(
    422,
    'Rows have different numbers of fields',
    'Correct the lines named in the detail, or allow short rows to be filled.',
  ),
  'too-many-columns': kind(
    422,
    'The file has more columns than Pilvi takes',
    'Split the file, or keep the columns you need.',
  ),
  'field-too-large': kind(
    422,
    'One field is larger than Pilvi takes',
    'Shorten the field named in the detail.',
  ),
  'decompression-limit': kind(
    422,
    'The compressed file grows beyond the limit',
    'Send it unpacked, or in parts.',
  ),
  'column-unknown': kind(422, 'There is no such column', 'Use one of the column names of the dataset.'),
  'conversion-failed': kind(
    422,
    'Values do not fit the type asked for',
    'Choose another type for the column, or correct the values in the detail.',
  ),
  'query-invalid': kind(422, 'The SQL query cannot be run', 'Correct the query as the detail says.'),
  'query-forbidden': kind(
    403,
    'The query uses something that is switched off',
    'Only SELECT over the datasets of the project is possible.',
  ),
  'query-limit': kind(
    422,
    'The query went over its time, row or memory limit',
    'Ask for less: add a WHERE or a LIMIT.',
  ),
  'address-forbidden': kind(
    403,
    'The address is not one that Pilvi may call',
    'Use a public https address, or upload the file.',
  ),
  'source-failed': kind(
    502,
    'The other side did not answer as it should',
    'Check the address, then try again.',
    true,
  ),
  'path-forbidden': kind(
    403,
    'The path is outside the folders that Pilvi may read',
    'Upload the file, or have the operator add its folder to PILVI_IMPORT_FOLDERS.',
  ),
  // training
  'target-unusable': kind(
    422,
    'The target column cannot be learned',
    'Choose another target, or correct the column as the detail says.',
  ),
  'too-few-rows': kind(
    422,
    'There are too few rows to learn from',
    'Add rows: at least 10, and 2 for each class.',
  ),
  'too-many-classes': kind(
    422,
    'The target has more classes than a classifier takes',
    'Choose regression, or group rare classes.',
  ),
  'training-failed': kind(
    500,
    'The training did not finish',
    'Look at the events of the training; start it again, or with a smaller budget.',
  ),
  'memory-limit': kind(
    507,
    'The job needed more memory than its limit',
    'Raise the memory limit, or use less data.',
  ),
  'time-limit': kind(504, 'The job ran over its time limit', 'Raise the limit, or ask for less.'),
  'worker-lost': kind(
    500,
    'The worker process ended unexpectedly, more often than is tried',
    'Start the job again; look at the server log.',
  ),
  cancelled: kind(499, 'It was cancelled', 'Start it again when you wish.'),
  // models
  'model-file-invalid': kind(
    422,
    'The file is not a valid model file',
    'Export the model again; the file was changed or cut short.',
  ),
  'model-file-too-new': kind(
    422,
    'The model file was made by a newer Pilvi',
    'Update Pilvi, then load the file again.',
  ),
  'model-file-untrusted': kind(
    422,
    'The model file was not signed by anyone trusted here',
    'Get the file from its maker again, or, if you know who signed it, trust that key.',
  ),
  'signing-key-withdrawn': kind(
    422,
    'The key that signed the model file was withdrawn',
    'If you know that the model is yours, have an owner sign it anew; else get it from its maker again.',
  ),
  'onnx-invalid': kind(422, 'The file is not an ONNX model', 'Export the model again, as one .onnx file.'),
  'onnx-unsupported': kind(
    422,
    'The ONNX model has a part that cannot be run here',
    'Do what the detail says, and export the model again.',
  ),
  'explanation-unsupported': kind(
    422,
    'The model cannot be explained',
    'Explain a model that was trained here; this one can only predict.',
  ),
  'export-unsupported': kind(
    422,
    'The model has a part that this format cannot express',
    'Do what the detail says, or use the model file itself (.pilvi).',
  ),
  'prediction-input': kind(
    422,
    'The row does not match what the model takes',
    'Correct the fields named in "errors".',
  ),
  'prediction-redacted': kind(
    409,
    'The prediction cannot be computed again',
    'Values that the model used were redacted and are kept nowhere. Ask the model anew with the whole row.',
  ),
  'endpoint-not-ready': kind(
    409,
    'The endpoint has no deployment that can answer',
    'Deploy a model version to it first.',
  ),
} as const satisfies Record<string, ProblemKind>;

export type ProblemCode = keyof typeof problemKinds;

/** One field that is wrong: where (a JSON pointer or a column name) and why. */
export interface FieldError {
  field: string;
  message: string;
}

/** What a problem carries besides its code. */
export interface ProblemOptions {
  /** What is wrong with each field. */
  errors?: FieldError[];
  /** Seconds after which a retry makes sense; becomes the Retry-After header. */
  retryAfterSeconds?: number;
  /** What was caught; for the log only, never sent. */
  cause?: unknown;
}

/** The wire form (application/problem+json). */
export interface ProblemDocument {
  type: string;
  code: ProblemCode;
  title: string;
  status: number;
  detail: string;
  remedy: string;
  retryable: boolean;
  errors?: FieldError[] | undefined;
  requestId?: string | undefined;
}

/** An expected failure: one entry of the catalogue plus what happened this time, in words that may be shown. */
export class Problem extends Error {
  override name = 'Problem';
  readonly code: ProblemCode;
  readonly errors: FieldError[] | undefined;
  readonly retryAfterSeconds: number | undefined;

  /** @param detail what happened this time; must not hold a secret, a stack or a path of the server. */
  constructor(code: ProblemCode, detail: string, options: ProblemOptions = {}) {
    super(detail, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.errors = options.errors;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }

  get status(): number {
    return problemKinds[this.code].status;
  }

  toDocument(requestId?: string): ProblemDocument {
    const { title, status, remedy, retryable } = problemKinds[this.code];
    return {
      type: `https://pilvi.dev/problems/${this.code}`,
      code: this.code,
      title,
      status,
      detail: this.message,
      remedy,
      retryable,
      ...(this.errors && { errors: this.errors }),
      ...(requestId !== undefined && { requestId }),
    };
  }

  /** Reads a document back into a problem, as the SDK and the supervisor of worker processes do. */
  static fromDocument(document: Pick<ProblemDocument, 'code' | 'detail' | 'errors'>): Problem {
    const known = document.code in problemKinds;
    return new Problem(
      known ? document.code : 'internal',
      document.detail,
      document.errors ? { errors: document.errors } : {},
    );
  }
}

/** Any thrown value as a problem: a Problem stays, a full disk is named, the rest is `internal` with its cause kept. */
export function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  const systemCode = (error as { code?: unknown } | null)?.code;
  if (systemCode === 'ENOSPC' || systemCode === 'EDQUOT') {
    return new Problem('disk-full', 'The disk is full.', { cause: error });
  }
  return new Problem('internal', 'An unexpected error was logged with the request id.', { cause: error });
}
