/** Whether the issuer's keys can be had and verify tokens (RFC 7517 §5). */
import { importJWK, type JWK } from 'jose';
import * as z from 'zod';
import type { Variables } from '../../shared/settings/reader.ts';
import { type Finding, right, skipped, wrong } from './finding.ts';
import { asked, type Read } from './patient.ts';

const setSchema = z.object({ keys: z.array(z.record(z.string(), z.unknown())).min(1) });
/** What imports a key that names no algorithm. */
const algorithmOf: ReadonlyMap<string, string> = new Map([['OKP', 'EdDSA'], ['EC', 'ES256'], ['RSA', 'RS256']]);

export async function issuerFindings({ settings, variables }: Read, vars: Variables): Promise<readonly Finding[]> {
  const told = variables['TOMBOLO_JWKS_URL'] ?? vars['TOMBOLO_JWKS_URL'];
  const isOwn = typeof told !== 'string' || told === '';
  if (isOwn && settings.environment === 'production') return [skipped('issuer', 'TOMBOLO_JWKS_URL is set at the edge, not here')];
  const url = isOwn ? `http://127.0.0.1:${settings.originPort}/.well-known/jwks.json` : told;
  const answer = await asked(url);
  if (answer === undefined && isOwn) return [skipped('issuer', 'development\'s own is served by the origin; npm start')];
  if (answer?.status !== 200) return [unsound(url, answer === undefined ? 'does not answer' : `answers ${answer.status}`)];
  const set = setSchema.safeParse(await answer.json().catch(() => undefined));
  if (!set.success) return [unsound(url, 'has no set of keys')];
  const faults = (await Promise.all(set.data.keys.map(faultOf))).filter((fault) => fault !== undefined);
  if (faults.length > 0) return [unsound(url, faults.join('; '))];
  return [right('issuer', `${set.data.keys.length} keys at ${url}`)];
}

async function faultOf(key: JWK, index: number): Promise<string | undefined> {
  const name = `key ${key.kid ?? index + 1}`;
  // RFC 7518 §6.4, RFC 8037 §2: `d` and `k` are secret.
  if ('d' in key || 'k' in key) return `${name} tells its private half`;
  if (key.kid === undefined) return `${name} has no kid, by which tokens name it`;
  const algorithm = algorithmOf.get(key.kty ?? '');
  if (algorithm === undefined) return `${name} is of a kind that verifies no token: ${key.kty ?? 'none'}`;
  return importJWK(key, key.alg ?? algorithm).then(() => undefined, () => `${name} cannot be read`);
}

function unsound(url: string, what: string): Finding {
  return wrong('issuer', {
    found: `${url} ${what}`, matters: 'tokens cannot be checked: 503 identity_unavailable, or 401 for whoever is right',
    mend: `curl -s ${url}; TOMBOLO_JWKS_URL says where the issuer keeps them`,
  });
}
