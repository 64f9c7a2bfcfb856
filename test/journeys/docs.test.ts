/** `/docs` in a real browser: the API is shown, nothing is asked of another host, and the page's policy is never broken. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { type Browser, chromium, type Page } from 'playwright-core';
import { onPath, testThat } from '../support/needs.ts';
import { type Sample, startSample } from '../support/sample.ts';

const browserTest = testThat(onPath('chromium'));
const quiet = ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-component-update'];

let sample: Sample;
let browser: Browser | undefined;
beforeAll(async () => {
  sample = await startSample();
}, 60_000);
afterAll(async () => {
  await browser?.close();
  await sample.close();
});

interface Watched {
  readonly page: Page;
  readonly asked: string[];
  readonly errors: string[];
}

/** A page that remembers what it asked for, and each breach of its policy. */
async function openPage(): Promise<Watched> {
  browser ??= await chromium.launch({ executablePath: Bun.which('chromium') ?? '', args: quiet });
  const page = await browser.newPage();
  const watched: Watched = { page, asked: [], errors: [] };
  page.on('request', (request) => watched.asked.push(request.url()));
  page.on('pageerror', (error) => watched.errors.push(error.message));
  page.on('console', (message) => {
    if (/Content Security Policy|Refused to/i.test(message.text())) watched.errors.push(message.text());
  });
  return watched;
}

browserTest('shows every resource, its operations and its shapes, and sends what is tried, from this host alone', async () => {
  const { page, asked, errors } = await openPage();
  await page.goto(`${sample.url}/docs`);
  await page.getByText('Lists documents by a declared shape').first().waitFor({ timeout: 60_000 });
  const text = await page.locator('body').innerText();
  for (const shown of ['films', 'places', 'reviews', 'orders', 'People', 'Creates a document.']) expect(text).toContain(shown);
  await page.goto(`${sample.url}/docs#tag/films/GET/v2/films`);
  await page.getByText('byGenre').first().waitFor({ timeout: 60_000 });
  const answered = page.waitForResponse((response) => response.url().startsWith(`${sample.url}/v2/films?`));
  await page.locator('[id$="GET/v2/films"]').getByRole('button', { name: 'Test Request' }).first().click();
  await page.getByRole('button', { name: 'Send' }).first().click();
  const sent = await answered;
  expect([sent.url(), sent.status()]).toEqual([sent.url(), 200]);
  expect(errors).toEqual([]);
  expect(asked.filter((url) => !url.startsWith(`${sample.url}/`) && !/^(data|blob):/.test(url))).toEqual([]);
  expect(asked).toContain(`${sample.url}/v2/openapi.json`);
  expect(asked).toContain(`${sample.url}/docs/scalar.js`);
}, 120_000);

browserTest('shows an older version to whoever chooses it', async () => {
  const { page, asked, errors } = await openPage();
  await page.goto(`${sample.url}/docs`);
  await page.getByText('Lists documents by a declared shape').first().waitFor({ timeout: 60_000 });
  await page.getByRole('button', { name: 'v2', exact: true }).first().click();
  await page.getByText('v1', { exact: true }).first().click();
  await page.getByText('/v1/films').first().waitFor({ timeout: 60_000 });
  expect(errors).toEqual([]);
  expect(asked.filter((url) => !url.startsWith(`${sample.url}/`) && !/^(data|blob):/.test(url))).toEqual([]);
  expect(asked).toContain(`${sample.url}/v1/openapi.json`);
}, 180_000);

test('the page and its script come with a policy of their own, and may be kept', async () => {
  const page = await fetch(`${sample.url}/docs`);
  expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
  const policy = page.headers.get('content-security-policy') ?? '';
  expect(policy).toContain("default-src 'none'; script-src 'self';");
  expect(policy).not.toMatch(/unsafe-eval|https?:|\*/);
  expect(page.headers.get('x-content-type-options')).toBe('nosniff');
  const script = await fetch(`${sample.url}/docs/scalar.js`);
  expect([script.status, script.headers.get('content-type')]).toEqual([200, 'text/javascript; charset=utf-8']);
  expect(script.headers.get('cache-control')).toBe('public, max-age=86400');
  expect((await script.text()).length).toBeGreaterThan(1_000_000);
  for (const { url, headers } of [page, script]) {
    expect((await fetch(url, { headers: { 'if-none-match': headers.get('etag') ?? '' } })).status).toBe(304);
  }
});
