// Debian's Chromium for tests that look at pages, or the word that there is none.
import { existsSync } from 'node:fs';
import { chromium, type Browser } from 'playwright-core';

const executablePath = process.env['PILVI_TEST_CHROMIUM'] ?? '/usr/bin/chromium';

/** Why tests in the browser are skipped; false when they are not. */
export const noChromium = existsSync(executablePath) ? false : `no Chromium at ${executablePath}`;

/** A headless browser that talks to nobody but the pages under test. */
export async function openChromium(): Promise<Browser> {
  return await chromium.launch({
    executablePath,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}
