/**
 * The identity provider of development: one Ed25519 key pair in the data dir, its public half served by the
 * origin as a JWKS, and tokens minted by whoever can read the private half. Never part of production.
 */
import { join } from 'node:path';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK, type JSONWebKeySet, type JWK, SignJWT } from 'jose';
import { openSecretFile } from './secret-file.ts';

export interface Claims {
  readonly subject: string;
  readonly roles: readonly string[];
  readonly tenant?: string;
  readonly plan?: string;
  /** Whatever else rules may mention. */
  readonly others?: Readonly<Record<string, unknown>>;
  /** One hour unless said; a test wants the past. */
  readonly secondsToLive?: number;
}

export interface Identity {
  readonly issuer: string;
  readonly audience: string;
  /** The public half alone. */
  readonly jwks: JSONWebKeySet;
  mint(claims: Claims): Promise<string>;
  /** Signs whole claims, as those of people are. */
  signToken(claims: Readonly<Record<string, unknown>>): Promise<string>;
}

const secondsToLiveDefault = 3_600;

/** The same on every port, so that a token minted in another shell fits; what it is worth lies in the data dir's key. */
export const developmentNames = { issuer: 'https://development.tombolo.invalid', audience: 'tombolo' } as const;

export async function openIdentity(dataDir: string): Promise<Identity> {
  const privateJwk = JSON.parse(await openSecretFile(join(dataDir, 'identity.jwk.json'), makeKey)) as JWK;
  const { d: _, ...publicJwk } = privateJwk;
  const key = await importJWK(privateJwk, 'EdDSA');
  const kid = privateJwk.kid ?? '';
  return {
    ...developmentNames,
    jwks: { keys: [publicJwk] },
    signToken: (claims) => new SignJWT({ ...claims }).setProtectedHeader({ alg: 'EdDSA', typ: 'at+jwt', kid }).sign(key),
    mint({ subject, roles, tenant, plan, others, secondsToLive = secondsToLiveDefault }) {
      const now = Math.floor(Date.now() / 1_000);
      return new SignJWT({
        ...others,
        roles: [...roles],
        ...(tenant === undefined ? {} : { tenant }),
        ...(plan === undefined ? {} : { plan }),
      })
        .setProtectedHeader({ alg: 'EdDSA', typ: 'at+jwt', kid })
        .setSubject(subject)
        .setIssuer(developmentNames.issuer)
        .setAudience(developmentNames.audience)
        .setIssuedAt(now)
        .setExpirationTime(now + secondsToLive)
        .sign(key);
    },
  };
}

/** RFC 8037, RFC 7638. */
async function makeKey(): Promise<string> {
  const { privateKey } = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true });
  const jwk = await exportJWK(privateKey);
  return JSON.stringify({ ...jwk, alg: 'EdDSA', use: 'sig', kid: await calculateJwkThumbprint(jwk) });
}
