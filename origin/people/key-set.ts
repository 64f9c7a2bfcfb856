/** The public keys of people's tokens (RFC 7517 §5), in the open, as any issuer's. */
import { peopleLimits } from '../../shared/people/limits.ts';
import type { People } from './people.ts';

export const keySetPath = '/.well-known/jwks.json';

/** `undefined` where people are off. */
export function keySetAnswer(people: People | undefined): Promise<Response> | undefined {
  return people?.keySet().then(
    (keys) => Response.json(keys, { headers: { 'cache-control': `public, max-age=${peopleLimits.keySetSeconds}` } }),
    () => new Response(null, { status: 503 }),
  );
}
