// The operator's log on pino: one JSON line on stderr for each entry. Values whose name says that they are secret
// are replaced at any depth; the caller does not have to think of it.
import { pino, type DestinationStream, type Logger } from 'pino';
import type { Log } from '../ports/log.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

export interface LogOptions {
  level: LogLevel;
  /** `json` for machines, `text` for a person at a terminal. */
  format?: 'json' | 'text';
  /** Where lines go; stderr unless told. */
  destination?: DestinationStream;
}

/** Opens the log. Writing is synchronous, so that the last line before a crash is there. */
export function openLog({
  level,
  format = 'json',
  destination = pino.destination({ fd: 2, sync: true }),
}: LogOptions): Log {
  const stream = format === 'json' ? destination : asText(destination);
  return wrap(
    pino(
      {
        level,
        base: null,
        messageKey: 'message',
        timestamp: pino.stdTimeFunctions.isoTime,
        formatters: {
          level: (label) => ({ level: label }),
          log: (fields) => redacted(fields, 0) as Record<string, unknown>,
          bindings: (fields) => redacted(fields, 0) as Record<string, unknown>,
        },
        // pino's own treatment of `err`; ours is in `redacted`, under any name.
        serializers: {},
      },
      stream,
    ),
  );
}

function wrap(logger: Logger): Log {
  return {
    debug: (fields, message) => logger.debug(fields, message),
    info: (fields, message) => logger.info(fields, message),
    warn: (fields, message) => logger.warn(fields, message),
    error: (fields, message) => logger.error(fields, message),
    child: (fields) => wrap(logger.child(redacted(fields, 0) as object)),
  };
}

const secretName =
  /^(authorization|proxy-authorization|cookies?|set-cookie|.*(password|passphrase|secret|token|credentials?|api[-_]?key|private[-_]?key|access[-_]?key)(hash)?)$/i;
const maxDepth = 6;
const maxMembers = 100;

function redacted(value: unknown, depth: number): unknown {
  if (value instanceof Error) return errorFields(value, depth);
  if (typeof value === 'bigint') return value.toString();
  if (value === null || typeof value !== 'object' || value instanceof Date) return value;
  if (depth === maxDepth) return '[deep]';
  if (Array.isArray(value)) return value.slice(0, maxMembers).map((member) => redacted(member, depth + 1));
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  return Object.fromEntries(
    Object.entries(value)
      .slice(0, maxMembers)
      .map(([name, member]) => [name, secretName.test(name) ? '[redacted]' : redacted(member, depth + 1)]),
  );
}

function errorFields(error: Error, depth: number): object {
  const code = (error as { code?: unknown }).code;
  return {
    name: error.name,
    message: error.message,
    ...(code !== undefined && { code }),
    stack: error.stack,
    ...(error.cause !== undefined && {
      cause: depth === maxDepth ? '[deep]' : redacted(error.cause, depth + 1),
    }),
  };
}

/** `12:34:56.789 warn  message {"field":1}`, and the stack of an error on its own lines. */
function asText(destination: DestinationStream): DestinationStream {
  return {
    write: (line) => {
      const { level, time, message, ...fields } = JSON.parse(line) as Record<string, string>;
      const rest =
        Object.keys(fields).length === 0 ? '' : ` ${JSON.stringify(fields).replaceAll('\\n', '\n')}`;
      destination.write(`${time?.slice(11, 23)} ${level?.padEnd(5)} ${message}${rest}\n`);
    },
  };
}
