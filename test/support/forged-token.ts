/** Tokens that must be refused: made with the right key and wrong words, or with right words and no key. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { generateKeyPair, importJWK, type JWK, SignJWT } from 'jose';
import type { World } from './whole-world.ts';

const hour = 3_600;

export interface Forgery {
  readonly header?: Readonly<Record<string, unknown>>;
  readonly payload?: Readonly<Record<string, unknown>>;
  /** Signed by a key that the issuer does not know. */
  readonly foreignKey?: boolean;
}

/** An editor's token, but for what the forgery changes. */
export async function forgeToken(
  { dataDir, identity }: World,
  { header = {}, payload = {}, foreignKey = false }: Forgery,
): Promise<string> {
  const jwk = JSON.parse(readFileSync(join(dataDir, 'identity.jwk.json'), 'utf8')) as JWK;
  const key = foreignKey ? (await generateKeyPair('EdDSA')).privateKey : await importJWK(jwk, 'EdDSA');
  const now = Math.floor(Date.now() / 1_000);
  const claims = { sub: 'mallory', roles: ['editor'], iss: identity.issuer, aud: identity.audience, iat: now, exp: now + hour, ...payload };
  return new SignJWT(claims).setProtectedHeader({ alg: 'EdDSA', typ: 'at+jwt', kid: jwk.kid ?? '', ...header }).sign(key);
}

/** RFC 7519 §6: a token that asks not to be checked. */
export function unsecuredToken({ identity }: World): string {
  const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const exp = Math.floor(Date.now() / 1_000) + hour;
  const claims = { sub: 'mallory', roles: ['editor'], iss: identity.issuer, aud: identity.audience, exp };
  return `${encode({ alg: 'none', typ: 'at+jwt' })}.${encode(claims)}.`;
}

/** The same signature in another spelling: base64url whose last character has unused bits set. */
export function respelled(token: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  const last = alphabet.indexOf(token.at(-1) ?? '');
  return `${token.slice(0, -1)}${alphabet[last ^ 1]}`;
}
