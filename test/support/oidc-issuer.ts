/** An issuer of OpenID Connect (`oidc-provider`) on this machine, and what a browser does there: sign in, and agree. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import Provider, { type ClientMetadata } from 'oidc-provider';

export interface OidcAccount {
  readonly email: string;
  readonly email_verified: boolean;
}

export class OidcIssuer implements AsyncDisposable {
  readonly issuer: string;
  readonly #close: () => Promise<void>;

  constructor(issuer: string, close: () => Promise<void>) {
    this.issuer = issuer;
    this.#close = close;
  }

  /** Accounts by their `sub`. `inIdToken`: whether the ID token says the address, or the issuer is asked for it. */
  static async start(
    client: ClientMetadata, accounts: Readonly<Record<string, OidcAccount>>, { inIdToken = true } = {},
  ): Promise<OidcIssuer> {
    const server = createServer();
    await new Promise<void>((listening) => void server.listen(0, '127.0.0.1', listening));
    const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const provider = new Provider(issuer, {
      clients: [client],
      claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
      conformIdTokenClaims: !inIdToken,
      pkce: { required: () => true },
      cookies: { keys: ['k'.repeat(32)] },
      findAccount: async (_context, sub) => ({ accountId: sub, claims: async () => ({ sub, name: sub, ...accounts[sub] }) }),
    });
    server.on('request', provider.callback());
    return new OidcIssuer(issuer, async () => {
      server.closeAllConnections();
      await new Promise<void>((closed) => void server.close(() => closed()));
    });
  }

  /** As a browser: to where the issuer sends whoever signed in there as `sub`. */
  async signIn(authorizationUrl: string, sub: string): Promise<string> {
    const cookies = new Map<string, string>();
    let ask = new Request(authorizationUrl);
    for (let hops = 0; hops < 20; hops++) {
      ask.headers.set('cookie', [...cookies].map(([name, value]) => `${name}=${value}`).join('; '));
      const answer = await fetch(ask, { redirect: 'manual' });
      for (const line of answer.headers.getSetCookie()) {
        const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
        cookies.set(name, value);
      }
      const to = answer.headers.get('location');
      const text = await answer.text();
      if (to !== null && !to.startsWith('/') && !to.startsWith(this.issuer)) return to;
      ask = to === null ? submitted(text, sub) : new Request(new URL(to, this.issuer).href);
    }
    throw new Error('the issuer sent nobody back');
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#close();
  }
}

/** The form of the page: whose account it is, or that they agree. */
function submitted(page: string, login: string): Request {
  const action = /<form[^>]*action="([^"]+)"/.exec(page)?.[1];
  if (action === undefined) throw new Error(`the issuer shows no form: ${page.slice(0, 500)}`);
  const isLogin = page.includes('name="login"');
  const body = new URLSearchParams(isLogin ? `prompt=login&login=${login}&password=x` : 'prompt=consent');
  return new Request(action, { method: 'POST', body });
}
