// The types of the SDK: every operation of the contract as a function, by a mapped type. Types only; at run time the
// SDK carries none of the schemas, so it stays a few kilobytes and has no dependency.
import type { Contract } from '../contract/contract.ts';
import type { Operation, ReceivedFor, RequestShape, ResponseShape, SentFor } from '../contract/operation.ts';

/** What a streamed body may be. Only a `Blob` and bytes can be sent again after a cut. */
export type StreamBody =
  | Blob
  | Uint8Array<ArrayBuffer>
  | ReadableStream<Uint8Array>
  | AsyncIterable<Uint8Array>;

/** An answer of bytes, not read yet. Read it once: `body`, `bytes()`, `blob()` or `text()`. */
export interface Download {
  contentType: string;
  /** Where the server knows it beforehand. */
  sizeBytes: number | undefined;
  /** The name that the server offers to save it under. */
  fileName: string | undefined;
  body: ReadableStream<Uint8Array>;
  bytes(): Promise<Uint8Array>;
  blob(): Promise<Blob>;
  text(): Promise<string>;
}

/** What each call may say besides its input. */
export interface CallOptions {
  signal?: AbortSignal | undefined;
  /** For one attempt, until the answer is there; default 60,000. Streams are limited until their first byte only. */
  timeoutMs?: number | undefined;
  /** Attempts in all, 1 for none after the first; default 4. */
  attempts?: number | undefined;
  /** Makes a POST repeatable; made by the SDK where it is left out. */
  idempotencyKey?: string | undefined;
}

/** Names of the operations. */
export type OperationId = keyof Contract;

/**
 * What a call takes: path parameters and query members side by side, the JSON body as `body`, a streamed one as
 * `stream` (with `contentType` where the operation takes more than one).
 */
export type InputFor<Id extends OperationId> =
  Contract[Id] extends Operation<infer Request, ResponseShape>
    ? Sent<Request, 'params'> &
        Sent<Request, 'query'> &
        (Request extends { json: infer Body } ? { body: SentFor<Body> } : object) &
        (Request extends { stream: readonly (infer Type)[] }
          ? { stream: StreamBody; contentType?: Type | undefined }
          : object)
    : never;

/** What a call answers with: the JSON document, nothing, or a {@link Download}. */
export type AnswerFor<Id extends OperationId> =
  Contract[Id] extends Operation<RequestShape, infer Response>
    ? Response extends { json: infer Schema }
      ? ReceivedFor<Schema>
      : Response extends { stream: readonly string[] }
        ? Download
        : void
    : never;

/** What a `watch...` call tells, one by one. */
export type EventFor<Id extends OperationId> =
  Contract[Id] extends Operation<RequestShape, infer Response>
    ? Response extends { events: infer Schema }
      ? ReceivedFor<Schema>
      : never
    : never;

/** One operation as a function. */
export type CallFor<Id extends OperationId> = (
  ...input: Arguments<InputFor<Id>>
) => [EventFor<Id>] extends [never] ? Promise<AnswerFor<Id>> : AsyncIterable<EventFor<Id>>;

/** Every operation of the API by its name. */
export type Client = { readonly [Id in OperationId]: CallFor<Id> };

type Arguments<Input> = object extends Input
  ? [input?: Input, options?: CallOptions]
  : [input: Input, options?: CallOptions];

/** Members of a schema as a caller gives them; a coerced member, which takes anything, is what it is coerced to. */
type Sent<Request, Part extends keyof RequestShape> =
  Request extends Record<Part, infer Schema> ? Coerced<SentFor<Schema>, ReceivedFor<Schema>> : object;

type Coerced<Given, Read> = {
  [Name in keyof Given]: unknown extends Given[Name] ? Read[Name & keyof Read] | undefined : Given[Name];
};
