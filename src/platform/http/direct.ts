// The short way in: routes that are asked thousands of times a second are answered on Node's own message, without the
// Request, Response and web streams that the ordinary way (app.ts) makes of it, which cost several times what the answer
// does (docs/decisions/0020). Every rule is the same code: the gate, carryOut, readInput, problems.
//
// Only plain requests go this way: the very address, no header twice, no Idempotency-Key, nothing encoded. Whatever is
// unusual is left to the ordinary way, and tests compare what the two answer.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Problem } from '../../base/problems.ts';
import { secondMs } from '../../base/time.ts';
import { Laps } from '../telemetry/laps.ts';
import { carryOut, type Arrival, type HttpOptions, type RequestFacts } from './carry-out.ts';
import { patience, tooLarge, tooSlow, type BodyBounds, type RequestSource } from './read-request.ts';
import { problemAnswer } from './respond.ts';
import type { Route } from './route.ts';

/** Answers a request if it is one for the short way; else returns false and has not touched it. */
export interface DirectWay {
  take(request: IncomingMessage, response: ServerResponse): boolean;
  close(): void;
}

/** Headers that ask for more than a plain request does. */
const unusualHeaders = ['idempotency-key', 'content-encoding', 'expect', 'upgrade'];
/** What is read of a body after its request was refused, so that who still sends it gets to read why. */
const drainBytes = 67_108_864;
const drainMs = 500;

/** The short way for those of `options.routes` that are `direct`: JSON in, JSON out, POST. */
export function openDirectWay(options: HttpOptions): DirectWay {
  const doors = options.routes.filter(({ direct }) => direct === true).map(doorOf);
  const bodies = new BodyWatch(Math.min(secondMs, (options.patience ?? patience).stallMs / 4));
  return {
    take(request, response) {
      if (request.method !== 'POST') return false;
      for (const { route, address, names } of doors) {
        const found = address.exec(request.url!);
        if (!found) continue;
        if (!isPlain(request)) return false;
        const params = Object.fromEntries(names.map((name, index) => [name, found[index + 1]!]));
        void answer({ route, params, request, response }, options, bodies);
        return true;
      }
      return false;
    },
    close: () => bodies.close(),
  };
}

interface Door {
  route: Route;
  address: RegExp;
  names: string[];
}

function doorOf(route: Route): Door {
  const names: string[] = [];
  const pattern = route.operation.path
    .replaceAll(/[.+*?^$()[\]|\\]/g, String.raw`\$&`)
    .replaceAll(/\{([^}]+)\}/g, (_, name: string) => {
      names.push(name);
      return '([A-Za-z0-9_-]{1,64})';
    });
  return { route, names, address: new RegExp(`^/api/v1${pattern}$`) };
}

function isPlain({ headers, rawHeaders }: IncomingMessage): boolean {
  if (rawHeaders.length !== 2 * Object.keys(headers).length) return false;
  for (const name of unusualHeaders) if (headers[name] !== undefined) return false;
  return true;
}

interface Call {
  route: Route;
  params: Record<string, string>;
  request: IncomingMessage;
  response: ServerResponse;
}

async function answer(call: Call, options: HttpOptions, bodies: BodyWatch): Promise<void> {
  const { route, request, response } = call;
  const { services, gate, stopping } = options;
  const requestId = services.newId('request');
  const laps = new Laps(services.clock);
  let headers = ['X-Request-Id', requestId];
  let status: number;
  try {
    const facts = factsOf(request, options);
    headers = [...listed(gate.headers(facts)), ...headers];
    gate.guard(facts);
    const arrival: Arrival = {
      facts,
      requestId,
      get signal() {
        return AbortSignal.any([stopping, goneSignal(response)]);
      },
      source: sourceOf(call, bodies),
      laps,
      setHeader: (name, value) => void headers.push(name, value),
    };
    const output = await carryOut(route, options, arrival);
    headers.push('Content-Type', 'application/json');
    ({ status } = route.operation.response);
    send(response, status, headers, JSON.stringify(output));
  } catch (error) {
    const told = hasLeft(call) && !(error instanceof Problem) ? left(error) : error;
    const problem = problemAnswer(told, requestId, services.log);
    for (const [name, value] of Object.entries(problem.headers)) headers.push(name, value);
    ({ status } = problem);
    send(response, status, headers, problem.body);
    laps.end('rest');
  }
  const traceparent = request.headers['traceparent'] as string | undefined;
  options.observe?.({ operation: route.operation, status, requestId, traceparent, laps });
  if (!request.complete) drain(request);
}

const lists = new WeakMap<Readonly<Record<string, string>>, string[]>();

/** Headers as Node takes them fastest; made once for what the gate made once. */
function listed(headers: Readonly<Record<string, string>>): string[] {
  let list = lists.get(headers);
  if (!list) lists.set(headers, (list = Object.entries(headers).flat()));
  return list;
}

function send(response: ServerResponse, status: number, headers: string[], body: string): void {
  if (response.destroyed) return;
  const sizeBytes = Buffer.byteLength(body);
  headers.push('Content-Length', String(sizeBytes));
  response.writeHead(status, headers);
  // Plain ASCII is copied as it is, together with the headers.
  response.end(body, sizeBytes === body.length ? 'latin1' : 'utf8');
}

function factsOf({ headers, socket, method, url }: IncomingMessage, options: HttpOptions): RequestFacts {
  const header = (name: string): string | undefined => headers[name] as string | undefined;
  return {
    method: method!,
    path: url!,
    header,
    clientAddress: options.clientAddress(header, socket.remoteAddress ?? ''),
  };
}

function sourceOf({ request, params }: Call, bodies: BodyWatch): RequestSource {
  return {
    params: () => params,
    query: () => ({}),
    header: (name) => request.headers[name] as string | undefined,
    chunks: () => request,
    bytes: (bounds) => readBody(request, bounds, bodies),
  };
}

function hasLeft({ request, response }: Call): boolean {
  return response.destroyed || request.destroyed;
}

function left(cause: unknown): Problem {
  return new Problem('cancelled', 'The caller left before the answer.', { cause });
}

/** Aborted when the connection closes before the answer is written. */
function goneSignal(response: ServerResponse): AbortSignal {
  const gone = new AbortController();
  const look = (): void => {
    if (!response.writableFinished) gone.abort();
  };
  if (response.destroyed) look();
  else response.once('close', look);
  return gone.signal;
}

/** The body in one piece. Throws `body-too-large`, `request-timeout`, `cancelled`. */
function readBody(request: IncomingMessage, bounds: BodyBounds, bodies: BodyWatch): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let receivedBytes = 0;
    const watched = bodies.watch(bounds, () => giveUp(tooSlow()));
    const take = (chunk: Buffer): void => {
      receivedBytes += chunk.length;
      watched.hasMoved = true;
      if (receivedBytes <= bounds.maxBytes) chunks.push(chunk);
      else if (bodies.leave(watched)) giveUp(tooLarge(bounds.maxBytes));
    };
    const giveUp = (problem: Problem): void => {
      request.off('data', take);
      reject(problem);
    };
    const end = (): void => {
      if (bodies.leave(watched)) resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks));
    };
    const close = (): void => {
      if (bodies.leave(watched)) giveUp(left(undefined));
    };
    request.on('data', take).on('end', end).on('close', close);
    // Heard by `close`; without a listener it would end the process.
    request.on('error', () => undefined);
    if (request.destroyed) close();
  });
}

/** Reads on for a moment after a refusal, then closes the connection: who sends more than that is not answered. */
function drain(request: IncomingMessage): void {
  let receivedBytes = 0;
  const stop = (): void => void request.socket.destroySoon();
  const timer = setTimeout(stop, drainMs).unref();
  request.on('data', (chunk: Buffer) => {
    receivedBytes += chunk.length;
    if (receivedBytes > drainBytes) stop();
  });
  for (const event of ['end', 'close']) request.on(event, () => clearTimeout(timer));
  request.resume();
}

interface Watched {
  bounds: BodyBounds;
  beganAtMs: number;
  movedAtMs: number;
  hasMoved: boolean;
  giveUp: () => void;
}

/** Bodies that are on their way, looked at together: nearly all are there before anyone would look. */
class BodyWatch {
  readonly #bodies = new Set<Watched>();
  readonly #timer: NodeJS.Timeout;
  #nowMs = performance.now();

  constructor(everyMs: number) {
    this.#timer = setInterval(() => this.#look(), everyMs);
    this.#timer.unref();
  }

  watch(bounds: BodyBounds, giveUp: () => void): Watched {
    const watched = { bounds, beganAtMs: this.#nowMs, movedAtMs: this.#nowMs, hasMoved: true, giveUp };
    this.#bodies.add(watched);
    return watched;
  }

  /** Returns whether it was on its way until now. */
  leave(watched: Watched): boolean {
    return this.#bodies.delete(watched);
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    this.#nowMs = performance.now();
    for (const watched of this.#bodies) {
      const { bounds, beganAtMs, giveUp } = watched;
      if (watched.hasMoved) watched.movedAtMs = this.#nowMs;
      watched.hasMoved = false;
      const isStill = this.#nowMs - watched.movedAtMs > bounds.stallMs;
      const isLate = this.#nowMs - beganAtMs > (bounds.deadlineMs ?? Infinity);
      if ((isStill || isLate) && this.leave(watched)) giveUp();
    }
  }
}
