// The way out against those who would turn it inwards: a real server on this machine, names that resolve to whatever
// the test says, and every way we know to write an address that should not be called.
import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, beforeEach, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { Problem, type ProblemCode } from '../../base/problems.ts';
import type { Egress, EgressResponse } from '../ports/egress.ts';
import { isPublicAddress } from './addresses.ts';
import { openEgress } from './egress.ts';

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

let server: Server;
let port: number;
let handler: Handler;
const seen: string[] = [];
before(async () => {
  server = createServer((request, response) => {
    seen.push(`${request.method} ${request.headers.host}${request.url}`);
    handler(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as AddressInfo).port;
});
beforeEach(() => {
  seen.length = 0;
  handler = (_request, response) => response.end('hello');
});
after(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const limits = { maxBytes: 1000, timeoutMs: 5000, signal: new AbortController().signal };

/** Reaches the test's server under any name: the resolver says it is here, and here is allowed. */
function insider(resolve: (hostname: string) => Promise<string[]> = async () => ['127.0.0.1']): Egress {
  return openEgress({ resolve, allowedAddresses: ['127.0.0.1'], allowedPorts: [port] });
}

const url = (path = '/', host = 'data.example'): string => `http://${host}:${port}${path}`;

async function textOf({ body }: EgressResponse): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk as Uint8Array);
  return Buffer.concat(chunks).toString();
}

async function refused(work: Promise<unknown>, code: ProblemCode, what = ''): Promise<Problem> {
  const error = await work.then(
    () => assert.fail(`was let through: ${what}`),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof Problem)) throw error;
  assert.equal(error.code, code, `${what}: ${error.message}`);
  return error;
}

const blockedIPv4 =
  '0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.100.100.200 100.127.255.255 127.0.0.1 127.255.255.254 168.63.129.16 169.254.0.1 169.254.169.254 169.254.170.2 172.16.0.1 172.31.255.255 192.0.0.1 192.0.0.192 192.0.2.1 192.88.99.1 192.168.0.1 192.168.255.255 198.18.0.1 198.19.255.255 198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255'.split(
    ' ',
  );
const blockedIPv6 =
  ':: ::1 ::2 ::127.0.0.1 ::7f00:1 ::ffff:127.0.0.1 ::ffff:7f00:1 ::ffff:10.0.0.1 ::ffff:169.254.169.254 ::ffff:0:127.0.0.1 ::ffff:168.63.129.16 64:ff9b::127.0.0.1 64:ff9b::a00:1 64:ff9b::8.8.8.8 64:ff9b:1::1 100::1 2001::1 2001:0:4136:e378:8000:63bf:3fff:fdd2 2001:2::1 2001:10::1 2001:20::1 2001:db8::1 2002:7f00:1:: 2002:a00:1::1 2002:808:808::1 3fff::1 5f00::1 fc00::1 fd00::1 fd00:ec2::254 fdff::1 fe80::1 fe80::a9fe:a9fe febf::1 fec0::1 ff00::1 ff02::1 ff0e::1 4000::1 e000::1 2606:4700::5efe:a00:1 2606:4700::200:5efe:c0a8:1'.split(
    ' ',
  );
/** Ways to write 127.0.0.1, 10.0.0.1, 169.254.169.254 and 0.0.0.0 that some parser somewhere accepts. */
const disguises =
  '127.1 127.0.1 127.000.000.001 0177.0.0.1 0177.0.0.01 0x7f.0.0.1 0x7f.1 0x7f000001 0X7F000001 2130706433 017700000001 00000177.0.0.1 127.0.0.1. 0 0x0 00 10.1 012.0.0.1 0xa000001 167772161 0xa9fea9fe 2852039166 0251.0376.0251.0376 0xa9.0xfe.0xa9.0xfe 169.254.43518 169.16689662 [::1] [0:0:0:0:0:0:0:1] [::] [::ffff:127.0.0.1] [::ffff:7f00:1] [0:0:0:0:0:ffff:127.0.0.1] [::127.0.0.1] [64:ff9b::7f00:1] [2002:7f00:1::] １２７.０.０.１ 127。0。0。1 ①②⑦.⓪.⓪.① %31%32%37.0.0.1'.split(
    ' ',
  );
const publicAddresses =
  '1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.1 169.253.255.255 169.255.0.0 172.15.255.255 172.32.0.0 192.167.255.255 192.169.0.0 198.17.255.255 198.20.0.0 223.255.255.255 2606:4700:4700::1111 2a00:1450:4001::200e 2001:4860:4860::8888 ::ffff:8.8.8.8'.split(
    ' ',
  );

describe('addresses', () => {
  it('are public or not, to the edge of each range', () => {
    for (const address of publicAddresses) assert.equal(isPublicAddress(address), true, address);
    for (const address of [...blockedIPv4, ...blockedIPv6])
      assert.equal(isPublicAddress(address), false, address);
  });

  it('that are none are not public', () => {
    for (const text of [
      '',
      'localhost',
      '8.8.8',
      '08.8.8.8',
      '8.8.8.8.8',
      '8.8.8.8%eth0',
      'fe80::1%1',
      '2606::1%x',
      '1',
    ])
      assert.equal(isPublicAddress(text), false, text);
    fc.assert(fc.property(fc.string(), (text) => assert.equal(isPublicAddress(`x${text}`), false)));
  });

  it('of private ranges stay private inside IPv6', () => {
    const octet = fc.integer({ min: 0, max: 255 });
    const inner = fc.oneof(
      fc.tuple(fc.constant(10), octet, octet, octet),
      fc.tuple(fc.constant(127), octet, octet, octet),
      fc.tuple(fc.constant(169), fc.constant(254), octet, octet),
      fc.tuple(fc.constant(192), fc.constant(168), octet, octet),
    );
    const forms = fc.constantFrom('::ffff:', '::', '64:ff9b::', '::ffff:0:');
    fc.assert(
      fc.property(inner, forms, (octets, prefix) =>
        assert.equal(isPublicAddress(prefix + octets.join('.')), false),
      ),
    );
  });
});

describe('egress refuses before it connects', () => {
  const unresolved = async (): Promise<string[]> => assert.fail('nothing is to be resolved');
  const strict = openEgress({ resolve: unresolved });
  const attempts = [...blockedIPv4, ...blockedIPv6.map((address) => `[${address}]`), ...disguises];
  for (const scheme of ['http', 'https']) {
    // With the port of the test's server: what is let through is answered.
    it(`${attempts.length} ways to write an inner address, over ${scheme}`, async () => {
      const egress = openEgress({ resolve: unresolved, allowedPorts: [port] });
      for (const host of attempts)
        await refused(egress.fetch(`${scheme}://${host}:${port}/`, limits), 'address-forbidden', host);
      assert.deepEqual(seen, []);
    });
  }

  it('names that resolve to any inner address, also among public ones', async () => {
    for (const inner of [...blockedIPv4, ...blockedIPv6]) {
      for (const addresses of [[inner], ['8.8.8.8', inner], [inner, '2606:4700:4700::1111']]) {
        const egress = openEgress({ resolve: async () => addresses });
        const problem = await refused(
          egress.fetch('http://innocent.example/', limits),
          'address-forbidden',
          inner,
        );
        assert.ok(!problem.message.includes(inner), 'does not tell which address it was');
      }
    }
  });

  it('the names of this machine and of metadata servers, as the system resolves them', async () => {
    for (const host of ['localhost', 'LOCALHOST', 'Localhost']) {
      await refused(openEgress().fetch(`http://${host}/`, limits), 'address-forbidden', host);
    }
  });

  it('everything that is not http', async () => {
    const addresses =
      'ftp://8.8.8.8/ file:///etc/passwd gopher://8.8.8.8/ data:text/plain,x javascript:1 ws://8.8.8.8/ blob:http://8.8.8.8/x unix:/run/docker.sock about:blank //8.8.8.8/ 8.8.8.8 http://'.split(
        ' ',
      );
    for (const address of [...addresses, '', ' ', 'http://a b/', 'http://[::1/', 'http://[fe80::1%25eth0]/'])
      await refused(strict.fetch(address, limits), 'address-forbidden', address);
  });

  it('names and passwords in the address, and ports other than those of the web', async () => {
    for (const address of [
      'http://user@8.8.8.8/',
      'http://user:pass@8.8.8.8/',
      'http://:pass@8.8.8.8/',
      'http://8.8.8.8@127.0.0.1/',
    ])
      await refused(strict.fetch(address, limits), 'address-forbidden', address);
    for (const other of [22, 25, 81, 3306, 5432, 6379, 8080, 65535])
      await refused(strict.fetch(`http://8.8.8.8:${other}/`, limits), 'address-forbidden', String(other));
  });

  it('headers that would name another host', async () => {
    for (const name of ['Host', 'content-length', 'Transfer-Encoding'])
      await assert.rejects(
        strict.fetch('http://8.8.8.8/', { ...limits, headers: { [name]: 'x' } }),
        /egress client/,
      );
  });
});

describe('egress connects to what it checked', () => {
  it('reaches a server and asks it for its name', async () => {
    const answer = await insider().fetch(url('/a?b=c'), { ...limits, headers: { 'x-own': '1' } });
    assert.equal(answer.status, 200);
    assert.equal(await textOf(answer), 'hello');
    assert.deepEqual(seen, [`GET data.example:${port}/a?b=c`]);
  });

  it('resolves once: a name that changes its mind changes nothing', async () => {
    let count = 0;
    const rebinding = insider(async () => [['127.0.0.1'], ['127.0.0.2'], ['10.0.0.1']][count++]!);
    await textOf(await rebinding.fetch(url(), limits));
    assert.equal(count, 1);
    await refused(rebinding.fetch(url(), limits), 'address-forbidden');
  });

  it('resolves and checks again at each redirect', async () => {
    handler = (_request, response) => response.writeHead(302, { location: '/next' }).end();
    let count = 0;
    const rebinding = insider(async () => [count++ === 0 ? '127.0.0.1' : '169.254.169.254']);
    await refused(rebinding.fetch(url(), limits), 'address-forbidden');
    assert.equal(seen.length, 1);
  });

  it('follows redirects on the same host, five at most', async () => {
    handler = (request, response) => {
      const step = Number(request.url!.slice(1));
      if (step === 0) response.end('arrived');
      else response.writeHead(301, { location: `/${step - 1}` }).end();
    };
    assert.equal(await textOf(await insider().fetch(url('/5'), limits)), 'arrived');
    await refused(insider().fetch(url('/6'), limits), 'source-failed');
  });

  it('follows redirects nowhere else', async () => {
    const targets =
      'http://other.example/ http://169.254.169.254/latest/meta-data http://127.0.0.1/ http://localhost/ http://[::1]/ //other.example/ http://data.example.evil.example/ file:///etc/passwd ftp://data.example/ http://data.example:22/ http://user@data.example/ javascript:alert(1) http://xdata.example/'.split(
        ' ',
      );
    for (const location of targets) {
      handler = (_request, response) => response.writeHead(302, { location }).end();
      await refused(insider().fetch(url(), limits), 'address-forbidden', location);
    }
    handler = (_request, response) => response.writeHead(302, { location: 'http://[' }).end();
    await refused(insider().fetch(url(), limits), 'source-failed');
  });

  it('sends a body again only where that is meant', async () => {
    const bodies: string[] = [];
    for (const status of [301, 302, 303, 307, 308]) {
      handler = (request, response) => {
        let body = '';
        request.on('data', (chunk: Buffer) => (body += chunk.toString()));
        request.on('end', () => {
          if (request.url === '/end') bodies.push(`${status} ${request.method} ${body}`);
          response.writeHead(request.url === '/end' ? 200 : status, { location: '/end' }).end();
        });
      };
      await textOf(await insider().fetch(url(), { ...limits, method: 'POST', body: 'x' }));
    }
    assert.deepEqual(bodies, ['301 GET ', '302 GET ', '303 GET ', '307 POST x', '308 POST x']);
  });
});

describe('egress is bounded', () => {
  it('in bytes, whether the size was announced or not', async () => {
    handler = (_request, response) => response.end('x'.repeat(1001));
    await refused(insider().fetch(url(), limits), 'body-too-large');
    handler = (_request, response) => {
      response.write('x'.repeat(600));
      response.end('x'.repeat(600));
    };
    await refused(insider().fetch(url(), limits).then(textOf), 'body-too-large');
    handler = (_request, response) => response.end('x'.repeat(1000));
    assert.equal((await textOf(await insider().fetch(url(), limits))).length, 1000);
    await textOf(await insider().fetch(url(), { ...limits, method: 'HEAD', maxBytes: 1 }));
  });

  it('in time: to connect, to answer, to finish', async () => {
    const short = { ...limits, timeoutMs: 100 };
    await refused(insider(() => new Promise(() => {})).fetch(url(), short), 'source-failed');
    handler = () => {};
    await refused(insider().fetch(url(), short), 'source-failed');
    handler = (_request, response) => void response.write('a little');
    const answer = await insider().fetch(url(), short);
    await sleep(200);
    await refused(textOf(answer), 'source-failed');
  });

  it('by its caller, who may cancel at any time', async () => {
    handler = (_request, response) => void response.write('a little');
    const controller = new AbortController();
    const answer = await insider().fetch(url(), { ...limits, signal: controller.signal });
    controller.abort();
    await refused(textOf(answer), 'cancelled');
    await refused(insider().fetch(url(), { ...limits, signal: controller.signal }), 'cancelled');
  });

  it('lets go of connections that nobody reads', async () => {
    handler = (_request, response) => void response.write('endless');
    const closed = new Promise<void>((resolve) =>
      server.once('connection', (socket) => socket.once('close', () => resolve())),
    );
    const answer = await insider().fetch(url(), limits);
    answer.body.destroy();
    await closed;
  });

  it('unpacks nothing', async () => {
    handler = (request, response) => {
      assert.equal(request.headers['accept-encoding'], 'identity');
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('x'.repeat(100_000)));
    };
    const answer = await insider().fetch(url(), limits);
    assert.equal(answer.headers['content-encoding'], 'gzip');
    assert.ok((await textOf(answer)).length < 1000);
  });
});

describe('egress explains what failed', () => {
  it('without telling what is inside', async () => {
    handler = (_request, response) => void response.destroy();
    await refused(insider().fetch(url(), limits), 'source-failed');
    handler = (_request, response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('part');
      setImmediate(() => response.destroy());
    };
    await refused(insider().fetch(url(), limits).then(textOf), 'source-failed');
    const nowhere = insider(() => Promise.reject(new Error('ENOTFOUND at /secret/path')));
    const problem = await refused(nowhere.fetch(url(), limits), 'source-failed');
    assert.ok(!problem.message.includes('secret'));
    await refused(insider(async () => []).fetch(url(), limits), 'source-failed');
  });

  it('passes on what the other side says', async () => {
    handler = (_request, response) => response.writeHead(404, { 'set-cookie': ['a=1', 'b=2'] }).end('no');
    const answer = await insider().fetch(url(), limits);
    assert.equal(answer.status, 404);
    assert.equal(answer.headers['set-cookie'], 'a=1, b=2');
    assert.equal(await textOf(answer), 'no');
  });
});
