// The built web application (ui/dist). Its files are listed once at start: a request can only name one of them, so no
// path from outside reaches the file system. Unknown paths get the page itself, which routes in the browser.
import { readdir, readFile } from 'node:fs/promises';
import { extname, join, relative, sep } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Context as HonoContext, Hono } from 'hono';
import { sha256 } from '../../base/hash.ts';
import { askedAt } from '../../platform/security/asked-at.ts';
import { newNonce, noncePlaceholder, pageHeaders } from '../../platform/security/security-headers.ts';

const mediaTypes: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.json': 'application/json',
  '.webmanifest': 'application/manifest+json',
  '.txt': 'text/plain; charset=utf-8',
};

const compressible = new Set(['.html', '.js', '.css', '.svg', '.json', '.webmanifest', '.txt']);

interface PageFile {
  path: string;
  mediaType: string;
  /** Vite puts a hash into the names below assets/: they never change. */
  immutable: boolean;
  /** Read and compressed at the first request. */
  content?: Promise<{
    plain: Uint8Array<ArrayBuffer>;
    gzip: Uint8Array<ArrayBuffer> | undefined;
    etag: string;
  }>;
}

/** Serves the files below `folder` from `app`; returns false when the application has not been built. */
export async function servePages(app: Pick<Hono, 'get'>, folder: string, tls: boolean): Promise<boolean> {
  const files = await listFiles(folder);
  const page = files.get('/index.html');
  if (!page) return false;
  const template = await readFile(page.path, 'utf8');
  app.get('*', async (http) => {
    const file = files.get(http.req.path);
    if (file === undefined && extname(http.req.path) !== '') return http.notFound();
    if (file === undefined || file === page) {
      // The page is made anew for each answer: its styles carry a nonce that nobody can know before.
      const nonce = newNonce();
      for (const [name, value] of Object.entries(
        pageHeaders(
          askedAt((name) => http.req.header(name), tls),
          nonce,
        ),
      ))
        http.header(name, value);
      return http.html(template.replaceAll(noncePlaceholder, nonce), 200, { 'Cache-Control': 'no-store' });
    }
    return serveFile(http, file);
  });
  return true;
}

async function serveFile(http: HonoContext, file: PageFile): Promise<Response> {
  file.content ??= load(file.path);
  const { plain, gzip, etag } = await file.content;
  const headers: Record<string, string> = {
    'Content-Type': file.mediaType,
    'Cache-Control': file.immutable ? 'public, max-age=31536000, immutable' : 'no-cache',
    ETag: etag,
    Vary: 'Accept-Encoding',
  };
  if (http.req.header('if-none-match') === etag) return http.body(null, 304, headers);
  const zipped = gzip && /\bgzip\b/.test(http.req.header('accept-encoding') ?? '');
  return http.body(zipped ? gzip : plain, 200, zipped ? { ...headers, 'Content-Encoding': 'gzip' } : headers);
}

async function listFiles(folder: string): Promise<Map<string, PageFile>> {
  const files = new Map<string, PageFile>();
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  for (const entry of entries) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const address = `/${relative(folder, path).split(sep).join('/')}`;
    files.set(address, {
      path,
      mediaType: mediaTypes[extname(path)] ?? 'application/octet-stream',
      immutable: address.startsWith('/assets/'),
    });
  }
  return files;
}

async function load(path: string): Promise<Awaited<NonNullable<PageFile['content']>>> {
  const plain = new Uint8Array(await readFile(path));
  const gzip =
    compressible.has(extname(path)) && plain.byteLength > 1024 ? new Uint8Array(gzipSync(plain)) : undefined;
  return { plain, gzip, etag: `"${(await sha256(plain)).slice(0, 32)}"` };
}
