/** An issuer whose ID tokens are wrong in one thing, or in none: what it says is signed by whatever key it likes. */
import { exportJWK, generateKeyPair, SignJWT } from 'jose';

/**
 * `none`: signed by nobody. `absent`: there is no ID token. `discovery` names no key set, and `issuer` another issuer, as its
 * tokens do. `silence`: it takes the code and does not answer.
 */
export type Lie = 'nothing' | 'nonce' | 'iss' | 'issuer' | 'aud' | 'exp' | 'key' | 'none' | 'absent' | 'discovery' | 'silence';

const another = 'https://another.example';

export class LyingIssuer implements AsyncDisposable {
  readonly issuer: string;
  readonly #server: Bun.Server<undefined>;
  #nonce = '';

  constructor(server: Bun.Server<undefined>) {
    this.issuer = `http://127.0.0.1:${server.port}`;
    this.#server = server;
  }

  static async start(clientId: string, lie: Lie): Promise<LyingIssuer> {
    const [own, other] = await Promise.all([generateKeyPair('ES256'), generateKeyPair('ES256')]);
    const sign = (claims: Readonly<Record<string, unknown>>) => {
      if (lie === 'none') return [{ alg: 'none' }, claims].map(toPart).join('.').concat('.');
      const { privateKey } = lie === 'key' ? other : own;
      return new SignJWT({ ...claims }).setProtectedHeader({ alg: 'ES256' }).sign(privateKey);
    };
    const routes: Readonly<Record<string, () => unknown>> = {
      '/.well-known/openid-configuration': () => ({
        issuer: lie === 'issuer' ? another : issuer, authorization_endpoint: `${issuer}/authorize`, token_endpoint: `${issuer}/token`,
        userinfo_endpoint: `${issuer}/userinfo`,
        id_token_signing_alg_values_supported: ['ES256'], ...(lie === 'discovery' ? {} : { jwks_uri: `${issuer}/jwks` }),
      }),
      '/jwks': async () => ({ keys: [{ ...(await exportJWK(own.publicKey)), alg: 'ES256' }] }),
      '/token': async () => lie === 'silence' ? new Promise(() => undefined) : ({
        access_token: 'of the issuer', token_type: 'Bearer', refresh_token: 'of the issuer',
        ...(lie === 'absent' ? {} : { id_token: await sign(claims()) }),
      }),
      '/userinfo': () => user,
    };
    const server = Bun.serve({
      port: 0, hostname: '127.0.0.1', fetch: async ({ url }) => Response.json(await routes[new URL(url).pathname]?.()),
    });
    const started = new LyingIssuer(server);
    const { issuer } = started;
    const nowSeconds = () => Math.floor(Date.now() / 1_000);
    const claims = () => ({
      ...user, iat: nowSeconds(), nonce: lie === 'nonce' ? 'another' : started.#nonce, aud: lie === 'aud' ? 'another' : clientId,
      iss: lie === 'iss' || lie === 'issuer' ? another : issuer, exp: nowSeconds() + (lie === 'exp' ? -3_600 : 60),
    });
    return started;
  }

  /** From its page, with a code, to the path of the callback. */
  wayBack(authorizationUrl: string): string {
    if (!URL.canParse(authorizationUrl)) return '/auth/callback/liar?code=any&state=any';
    const { searchParams } = new URL(authorizationUrl);
    this.#nonce = searchParams.get('nonce') ?? '';
    return `/auth/callback/liar?code=any&state=${searchParams.get('state')}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.stop(true);
  }
}

const user = { sub: 'eve', email: 'eve@acme.example', email_verified: true };

function toPart(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
