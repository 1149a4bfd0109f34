// The product in Chromium, as someone meets it who just started it: a fresh home, signed in by the link that it prints.
import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import { openChromium } from './chromium.ts';
import { startProduct, type Product } from './product.ts';

/** How long one step may take, milliseconds. */
export const stepMs = 120_000;

export interface ProductPage {
  product: Product;
  page: Page;
  /** What went wrong in the page so far: errors that nobody caught, and those in its console. */
  problems: readonly string[];
  close(): Promise<void>;
}

/** Starts the product and a browser with one empty page. */
export async function openProductPage(): Promise<ProductPage> {
  const product = await startProduct();
  try {
    const browser = await openChromium();
    const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
    page.setDefaultTimeout(stepMs);
    const problems: string[] = [];
    page.on('pageerror', (error) => problems.push(`page: ${error.message}`));
    page.on('console', (message) => {
      // A page that is opened signed out asks who is there and is told: nobody.
      if (message.type() === 'error' && !message.text().includes('401'))
        problems.push(`console: ${message.text()}`);
    });
    const close = async (): Promise<void> => {
      await browser.close();
      await product.close();
    };
    return { product, page, problems, close };
  } catch (error) {
    await product.close();
    throw error;
  }
}

/** Follows the printed link to the page that asks for a first file. */
export async function signIn({ product, page }: ProductPage): Promise<void> {
  const link = /http:\/\/\S+\/sign-in#code=\S+/.exec(product.output())?.[0];
  assert.ok(link, `the server printed no link:\n${product.output()}`);
  await page.goto(link);
  await page.getByText('Drop a file').first().waitFor();
}
