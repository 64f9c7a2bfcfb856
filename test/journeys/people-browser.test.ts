/** The newcomer's path in a real browser: sign up, a passkey, their own review, and the orders of their own tenant. */
import { afterAll, beforeAll, expect } from 'bun:test';
import { readFileSync } from 'node:fs';
import { type Browser, chromium, type Page } from 'playwright-core';
import { mailFileOf } from '../../origin/people/mail.ts';
import { eventually } from '../support/eventually.ts';
import { onPath, testThat } from '../support/needs.ts';
import { type Sample, startSample } from '../support/sample.ts';

const browserTest = testThat(onPath('chromium'));
const quiet = ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-component-update'];
const password = 'correct horse battery';

let sample: Sample;
let browser: Browser | undefined;
beforeAll(async () => void (sample = await startSample({ peopleHost: 'localhost' })), 60_000);
afterAll(async () => {
  await browser?.close();
  await sample.close();
});

interface Answered {
  readonly status: number;
  readonly json: Readonly<Record<string, unknown>>;
}

/** A browser on a page of the API, with an authenticator: one that looks who is there, or a stick that asks for a touch. */
class Newcomer {
  readonly page: Page;

  constructor(page: Page) {
    this.page = page;
  }

  static async open(looks: boolean): Promise<Newcomer> {
    browser ??= await chromium.launch({ executablePath: Bun.which('chromium') ?? '', args: quiet });
    const page = await (await browser.newContext()).newPage();
    const devtools = await page.context().newCDPSession(page);
    await devtools.send('WebAuthn.enable');
    await devtools.send('WebAuthn.addVirtualAuthenticator', {
      options: {
        protocol: 'ctap2', transport: looks ? 'internal' : 'usb', hasResidentKey: looks, hasUserVerification: looks, isUserVerified: looks,
        automaticPresenceSimulation: true,
      },
    });
    // An empty page of the API's own origin, whose scripts are this test's.
    await page.route(`${sample.url}/page`, (route) => route.fulfill({ contentType: 'text/html', body: '<!doctype html>' }));
    await page.goto(`${sample.url}/page`);
    return new Newcomer(page);
  }

  /** As a script of the page asks. */
  ask(path: string, json?: unknown, token?: string): Promise<Answered> {
    return this.page.evaluate(async ({ path, json, token }) => {
      const headers = { 'content-type': 'application/json', ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) };
      const body = json === undefined ? {} : { method: 'POST', body: JSON.stringify(json) };
      const answer = await fetch(path, { headers, ...body });
      return { status: answer.status, json: (await answer.json()) as Record<string, unknown> };
    }, { path, json, token });
  }

  /** What the browser makes of the options of the API, as JSON; written as text, since types of pages are no part of this project. */
  credential(kind: 'create' | 'get', options: unknown): Promise<unknown> {
    const parse = kind === 'create' ? 'parseCreationOptionsFromJSON' : 'parseRequestOptionsFromJSON';
    const publicKey = `PublicKeyCredential.${parse}(${JSON.stringify(options)})`;
    return this.page.evaluate(`navigator.credentials.${kind}({ publicKey: ${publicKey} }).then((made) => made.toJSON())`);
  }

  /** `instead`: of what the API asks of a passkey. */
  async register(instead: object = {}): Promise<Answered> {
    const { json: options } = await this.ask('/auth/passkey/generate-register-options');
    const response = await this.credential('create', { ...options, ...instead });
    return this.ask('/auth/passkey/verify-registration', { response, name: 'my phone' });
  }

  async passkeys(): Promise<readonly { readonly id: string }[]> {
    return (await this.ask('/auth/passkey/list-user-passkeys')).json as unknown as readonly { readonly id: string }[];
  }

  async signUp(email: string): Promise<void> {
    expect((await this.ask('/auth/sign-up/email', { name: 'Ada', email, password })).status).toBe(200);
    const link = await eventually('a mail', () => {
      const mail = readFileSync(mailFileOf(sample.dataDir), 'utf8').split('To: ').find((each) => each.startsWith(email));
      return mail?.match(/http\S+verify-email\S+/)?.[0];
    });
    await this.page.goto(link);
    await this.page.goto(`${sample.url}/page`);
    expect((await this.ask('/auth/sign-in/email', { email, password })).status).toBe(200);
  }
}

browserTest('somebody signs up, makes a passkey, signs in with it alone, reviews a film and orders in a tenant of their own', async () => {
  const ada = await Newcomer.open(true);
  await ada.signUp('ada@example.com');
  expect((await ada.register()).status).toBe(200);
  expect((await ada.ask('/auth/sign-out', {})).status).toBe(200);
  expect((await ada.ask('/auth/token')).status).toBe(401);
  const { json: options } = await ada.ask('/auth/passkey/generate-authenticate-options');
  expect(options).not.toHaveProperty('allowCredentials');
  const response = await ada.credential('get', options);
  expect((await ada.ask('/auth/passkey/verify-authentication', { response })).status).toBe(200);
  const token = String((await ada.ask('/auth/token')).json['token']);
  const film = (await ada.ask('/v2/films?limit=1')).json['data'] as readonly { id: string }[];
  const review = await ada.ask('/v2/reviews', { film: film[0]?.id, rating: 4, text: 'Better the second time.' }, token);
  expect(review.status).toBe(201);
  const { json: { id: tenant } } = await ada.ask('/auth/organization/create', { name: 'Odeon', slug: 'odeon' });
  const inTenant = String((await ada.ask('/auth/token')).json['token']);
  const order = await ada.ask('/v2/orders', { tenant, film: film[0]?.id, seats: 2, buyer: 'ada' }, inTenant);
  expect(order.status).toBe(201);
  const ben = await Newcomer.open(false);
  await ben.signUp('ben@example.com');
  const bens = String((await ben.ask('/auth/token')).json['token']);
  expect((await ben.ask(`/v2/orders/${String(order.json['id'])}`, undefined, bens)).status).toBe(403);
  expect((await ben.ask(`/v2/reviews/${String(review.json['id'])}`, undefined, bens)).status).toBe(404);
  // What was signed once opens nothing again, in no other browser either.
  for (const each of [ada, ben]) {
    expect((await each.ask('/auth/passkey/verify-authentication', { response })).json['code']).toBe('challenge_not_found');
  }
  // Nor is what signs a sign-in taken for a new passkey.
  await ben.ask('/auth/passkey/generate-register-options');
  const wrong = await ben.ask('/auth/passkey/verify-registration', { response });
  expect(wrong.json).toMatchObject({ status: 400, errors: [{ at: '/response', in: 'body' }] });
  // A page that asks for less is given a passkey whose owner nobody looked at.
  const unlooked = await ben.register({ authenticatorSelection: { residentKey: 'discouraged', userVerification: 'discouraged' } });
  expect(unlooked.json).toMatchObject({ status: 400, code: 'user_not_verified' });
  expect(await ben.passkeys()).toEqual([]);
  expect((await ada.ask('/auth/passkey/delete-passkey', { id: String((await ada.passkeys())[0]?.id) })).status).toBe(200);
  expect(await ada.passkeys()).toEqual([]);
}, 120_000);
