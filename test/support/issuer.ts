/** An identity provider of one test: key pairs, their JWKS, and tokens good and bad. */
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';

export interface TokenOptions {
  readonly payload?: JWTPayload;
  readonly header?: { readonly alg?: string; readonly typ?: string; readonly kid?: string };
  readonly issuer?: string;
  readonly audience?: string;
  /** The seconds to its end; negative: expired. */
  readonly expiresIn?: number | undefined;
}

export class Issuer {
  readonly issuer = 'https://issuer.test';
  readonly audience = 'tombolo';
  readonly #keys = new Map<string, { readonly alg: string; readonly privateKey: CryptoKey; readonly publicKey: CryptoKey }>();

  async addKey(kid: string, alg = 'EdDSA'): Promise<void> {
    const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
    this.#keys.set(kid, { alg, privateKey, publicKey });
  }

  removeKey(kid: string): void {
    this.#keys.delete(kid);
  }

  async publicJwk(kid: string) {
    return exportJWK(this.#mustKey(kid).publicKey);
  }

  async jwks() {
    return {
      keys: await Promise.all(
        [...this.#keys].map(async ([kid, { alg, publicKey }]) => ({ ...(await exportJWK(publicKey)), kid, alg, use: 'sig' })),
      ),
    };
  }

  async token(
    kid: string,
    { payload = {}, header = {}, issuer = this.issuer, audience = this.audience, expiresIn = 300 }: TokenOptions = {},
  ): Promise<string> {
    const { alg, privateKey } = this.#mustKey(kid);
    const jwt = new SignJWT({ sub: 'usr_1', ...payload })
      .setProtectedHeader({ alg, typ: 'at+jwt', kid, ...header })
      .setIssuer(issuer)
      .setAudience(audience);
    return jwt.setExpirationTime(Math.floor(Date.now() / 1_000) + expiresIn).sign(privateKey);
  }

  /** These very claims, for an issuer that writes its tokens in a manner of its own. */
  async sign(kid: string, payload: JWTPayload, header: Readonly<Record<string, unknown>> = {}): Promise<string> {
    const { alg, privateKey } = this.#mustKey(kid);
    return new SignJWT(payload).setProtectedHeader({ alg, kid, ...header }).sign(privateKey);
  }

  #mustKey(kid: string) {
    const key = this.#keys.get(kid);
    if (key === undefined) throw new Error(`the issuer has no key ${kid}`);
    return key;
  }
}
