// Under which address a request reached the server, as its sender sees it: a proxy that speaks TLS for us says so in
// X-Forwarded-Proto. The header is believed from anyone, because it changes nothing for anyone else: a browser does
// not let another site add it, and a sender who makes it up only gets an answer that does not fit their connection.

export interface AskedAt {
  /** Whether over https. */
  secure: boolean;
  /** The Host header. */
  host: string | undefined;
}

/** @param tls whether the server itself speaks TLS. */
export function askedAt(header: (name: string) => string | undefined, tls: boolean): AskedAt {
  const protocol = header('x-forwarded-proto')?.split(',', 1)[0]!.trim().toLowerCase();
  return { secure: tls || protocol === 'https', host: header('host') };
}

/** `http://localhost:4700`. */
export function originOf({ secure, host }: AskedAt): string {
  return `${secure ? 'https' : 'http'}://${host ?? 'localhost'}`;
}
