// The only file that reads the environment. Every variable is declared once, with why it exists and its bounds; what
// was read is checked at once and frozen. docs/configuration.md is generated from this list.
import { availableParallelism, homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { Problem, type FieldError } from '../base/problems.ts';
import { nearest } from './nearest.ts';

/** One variable. What it may be and its default are in its schema. */
export interface Variable<Schema extends z.ZodType = z.ZodType> {
  schema: Schema;
  /** What it is for, and what happens when it is not set. */
  why: string;
  /** The default in words, where its value depends on the machine. */
  defaultInWords?: string | undefined;
}

function variable<Schema extends z.ZodType>(
  schema: Schema,
  why: string,
  defaultInWords?: string,
): Variable<Schema> {
  return { schema, why, defaultInWords };
}

const text = z.string().min(1);
const list = z.string().transform((value) =>
  value
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== ''),
);
const flag = z.enum(['0', '1', 'true', 'false']).transform((value) => value === '1' || value === 'true');

function isHeaderPair(pair: string): boolean {
  const value = /^[\w!#$%&'*+.^`|~-]+\s*=(.*)$/.exec(pair)?.[1];
  return value !== undefined && !/%(?![0-9a-f]{2})/i.test(value) && /^[\x20-\x7e]*$/.test(value);
}

export const variables = {
  PILVI_HOME: variable(
    text.default(join(homedir(), '.pilvi')).transform((path) => resolve(path)),
    'Folder of the embedded database, files and work in progress.',
    '~/.pilvi',
  ),
  PILVI_PORT: variable(
    z.coerce.number().int().min(0).max(65_535).default(4700),
    'Port to listen on; 0 takes a free one.',
  ),
  PILVI_HOST: variable(
    text.default('127.0.0.1'),
    'Address to listen on. One that others reach needs TLS or PILVI_ALLOW_INSECURE_BIND.',
  ),
  PILVI_PUBLIC_URL: variable(
    z.url().optional(),
    'Address that people use, when a proxy stands before Pilvi; it is in the sign-in links and an allowed host.',
  ),
  PILVI_ALLOWED_HOSTS: variable(
    list.default([]),
    'Further names that the Host header may carry, separated by commas.',
  ),
  PILVI_ALLOW_INSECURE_BIND: variable(
    flag.default(false),
    '1 to listen on a non-loopback address without TLS, behind a proxy that has it.',
  ),
  PILVI_TRUST_PROXY: variable(
    flag.default(false),
    '1 to take the client address from the last X-Forwarded-For entry, behind exactly one proxy.',
  ),
  PILVI_TLS_CERT: variable(
    text.optional(),
    'Certificate file (PEM); with PILVI_TLS_KEY the server speaks TLS.',
  ),
  PILVI_TLS_KEY: variable(text.optional(), 'Private key file (PEM).'),
  PILVI_BOOTSTRAP_TOKEN: variable(
    z.string().min(32).max(200).optional(),
    'A key of the owner for automation, chosen by you: at least 32 characters. Without it only the sign-in link works at first.',
  ),
  PILVI_IMPORT_FOLDERS: variable(
    list.default([]),
    'Folders that datasets may be imported from by path, separated by commas. None unless set.',
  ),
  PILVI_WORKERS: variable(
    z.coerce.number().int().min(0).max(256).default(availableParallelism()),
    'Jobs that this process runs at once; 0 leaves them to `pilvi worker` processes.',
    'the number of processor cores',
  ),
  PILVI_TASK_MEMORY_MIB: variable(
    z.coerce.number().int().min(256).max(1_048_576).default(2048),
    'Most memory of one worker process, unless a recipe says otherwise.',
  ),
  PILVI_MAX_UPLOAD_GIB: variable(
    z.coerce.number().min(0.001).max(10_240).default(50),
    'Largest file that can be imported.',
  ),
  PILVI_LOG_LEVEL: variable(
    z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
    'How much is written to the log (standard error).',
  ),
  DATABASE_URL: variable(
    z
      .string()
      .regex(/^postgres(ql)?:\/\//, 'must begin with postgres://')
      .optional(),
    'A Postgres server. Without it the embedded database below PILVI_HOME is used.',
  ),
  S3_BUCKET: variable(text.optional(), 'Keep files in this bucket instead of below PILVI_HOME.'),
  S3_ENDPOINT: variable(z.url().optional(), 'Address of the S3 service; left out for AWS.'),
  S3_REGION: variable(text.default('us-east-1'), 'Region of the bucket.'),
  S3_ACCESS_KEY_ID: variable(text.optional(), 'Access key of the bucket.'),
  S3_SECRET_ACCESS_KEY: variable(text.optional(), 'Its secret.'),
  SMTP_URL: variable(
    z
      .string()
      .regex(/^smtps?:\/\/[^/]/, 'must be like smtp://name:password@host:587')
      .optional(),
    'A mail server that takes the messages of alerts. Without it none are sent by mail.',
  ),
  SMTP_FROM: variable(
    text.optional(),
    'Who such mail comes from: an address that the mail server may send for.',
  ),
  OTEL_EXPORTER_OTLP_ENDPOINT: variable(
    z
      .url()
      .regex(/^https?:/, 'must begin with http:// or https://')
      .optional(),
    'Send traces to this OpenTelemetry collector (OTLP as JSON over HTTP; /v1/traces is added). None unless set.',
  ),
  OTEL_EXPORTER_OTLP_HEADERS: variable(
    list.default([]).refine((pairs) => pairs.every(isHeaderPair), {
      message: 'must be name=value pairs, separated by commas, values percent-encoded',
    }),
    'Headers for that collector, such as its key: name=value, separated by commas.',
  ),
  OTEL_SERVICE_NAME: variable(text.default('pilvi'), 'What this installation is called in traces.'),
  OTEL_TRACES_SAMPLER_ARG: variable(
    z.coerce.number().min(0).max(1).default(1),
    'Share of requests that are traced, where the caller has not decided (traceparent).',
  ),
  PILVI_URL: variable(
    z.url().optional(),
    'Command line: the server to talk to.',
    'the one that runs on this machine, else http://127.0.0.1:4700',
  ),
  PILVI_KEY: variable(
    text.optional(),
    'Command line: the key to sign in with. On the machine of the server, its operator needs none.',
  ),
  PILVI_PROJECT: variable(
    text.optional(),
    'Command line: the project to use, by name or id; left out when there is only one.',
  ),
  PILVI_WORKSPACE: variable(
    text.optional(),
    'Command line: the workspace to work in, by id, where the key may enter several.',
  ),
  NO_COLOR: variable(z.string().optional(), 'Command line: set to anything to switch colours off.'),
} as const;

type Variables = typeof variables;
export type Configuration = Readonly<{ [Name in keyof Variables]: z.output<Variables[Name]['schema']> }>;

/**
 * Reads and checks the environment.
 * @returns the configuration, and warnings about names that begin with PILVI_ and mean nothing.
 * @throws Problem `configuration-invalid` naming every variable that is wrong, never its value
 */
export function readConfiguration(environment: NodeJS.ProcessEnv = process.env): {
  configuration: Configuration;
  warnings: string[];
} {
  const errors: FieldError[] = [];
  const values: Record<string, unknown> = {};
  for (const [name, { schema }] of Object.entries(variables)) {
    const given = environment[name];
    const result = schema.safeParse(given === '' ? undefined : given);
    if (result.success) values[name] = result.data;
    else errors.push({ field: name, message: result.error.issues.map((issue) => issue.message).join('; ') });
  }
  if (errors.length === 0) errors.push(...contradictions(values as Configuration));
  if (errors.length > 0) {
    const names = errors.map(({ field }) => field).join(', ');
    throw new Problem('configuration-invalid', `Not usable as set: ${names}.`, { errors });
  }
  const warnings = Object.keys(environment)
    .filter((name) => name.startsWith('PILVI_') && !(name in variables) && !name.startsWith('PILVI_TEST_'))
    .map((name) => `${name} is not a variable of Pilvi${suggestion(name)}`);
  return { configuration: Object.freeze(values) as Configuration, warnings };
}

function contradictions(values: Configuration): FieldError[] {
  const found: FieldError[] = [];
  const need = (missing: keyof Variables, given: keyof Variables): void => {
    if (values[missing] === undefined && values[given] !== undefined) {
      found.push({ field: missing, message: `must be set too, because ${given} is` });
    }
  };
  need('PILVI_TLS_KEY', 'PILVI_TLS_CERT');
  need('PILVI_TLS_CERT', 'PILVI_TLS_KEY');
  need('S3_ACCESS_KEY_ID', 'S3_BUCKET');
  need('S3_SECRET_ACCESS_KEY', 'S3_BUCKET');
  need('S3_BUCKET', 'S3_ENDPOINT');
  need('SMTP_FROM', 'SMTP_URL');
  need('SMTP_URL', 'SMTP_FROM');
  return found;
}

function suggestion(name: string): string {
  const near = nearest(name, Object.keys(variables));
  return near === undefined ? '.' : `; did you mean ${near}?`;
}
