import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertBindAllowed } from './bind-guard.ts';

const loopback = ['127.0.0.1', '127.8.9.10', 'localhost', 'LOCALHOST', '::1', '[::1]', '::ffff:127.0.0.1'];
const reachable =
  ' 0.0.0.0 :: [::] * 10.0.0.5 192.168.1.2 169.254.1.1 8.8.8.8 fe80::1 pilvi.example localhost.example 127.0.0.1.example 127.1 2130706433 0x7f.0.0.1 0'.split(
    ' ',
  );

test('a server of this machine alone needs no TLS', () => {
  for (const host of loopback) assertBindAllowed({ host, tls: false, allowInsecure: false });
});

test('a server that others reach needs TLS or the explicit word of the operator', () => {
  for (const host of reachable) {
    assert.throws(
      () => assertBindAllowed({ host, tls: false, allowInsecure: false }),
      { code: 'configuration-invalid', message: /PILVI_TLS_CERT.*PILVI_ALLOW_INSECURE_BIND/ },
      host,
    );
    assertBindAllowed({ host, tls: true, allowInsecure: false });
    assertBindAllowed({ host, tls: false, allowInsecure: true });
  }
});
