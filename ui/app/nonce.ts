// The nonce of this page, with which libraries may write style elements; the server's policy refuses all others.

/** Undefined on a page that was served without one. */
export const styleNonce: string | undefined = read();

// Some libraries (react-remove-scroll, behind dialogs) look for the nonce under webpack's name for it.
Object.assign(globalThis, { __webpack_nonce__: styleNonce });

function read(): string | undefined {
  const nonce = document.querySelector<HTMLMetaElement>('meta[property="csp-nonce"]')?.nonce;
  return nonce === undefined || nonce === '' ? undefined : nonce;
}
