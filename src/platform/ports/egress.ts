// Egress: the only way out. Every outgoing request of the product goes through it.
//
// Guarantees (tests: drivers/egress.test.ts): only http(s); every address of the name is resolved and checked
// against private, loopback, link-local, multicast and metadata ranges, and the connection is pinned to the checked
// address; redirects are followed only on the same host and are checked again; bodies and times are bounded.
import type { Readable } from 'node:stream';

export interface EgressResponse {
  status: number;
  headers: Record<string, string>;
  body: Readable;
}

/** The egress port. */
export interface Egress {
  /** Fetches `url`. Throws `address-forbidden`, `source-failed` or `body-too-large`. */
  fetch(
    url: string,
    options: {
      method?: 'GET' | 'HEAD' | 'POST';
      headers?: Record<string, string>;
      body?: string;
      maxBytes: number;
      timeoutMs: number;
      signal: AbortSignal;
    },
  ): Promise<EgressResponse>;
}
