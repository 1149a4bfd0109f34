// The operator's log. What may be shown to users is a Problem; what only the operator may see goes here.

export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  /** A log that adds `fields` to each line. */
  child(fields: object): Log;
}
