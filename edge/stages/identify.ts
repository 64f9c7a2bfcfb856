/** Who asks: nobody, or whom a bearer token names. A bad token is refused everywhere, public routes included. */
import type { MiddlewareHandler } from 'hono';
import { anonymous } from '../../shared/contract/principal.ts';
import type { EdgeEnv } from '../context.ts';
import { tokenInvalid } from '../identity/tokens.ts';

export function identify(): MiddlewareHandler<EdgeEnv> {
  return async function identify(c, next) {
    const header = c.get('sent').get('authorization');
    if (header === null) c.set('principal', anonymous);
    else c.set('principal', await c.get('context').tokens.mustVerify(mustBearer(header), (work) => c.executionCtx.waitUntil(work)));
    await next();
  };
}

/** RFC 6750 §2.1; the scheme's case does not matter (RFC 9110 §11.1). */
function mustBearer(header: string): string {
  const token = /^bearer +([A-Za-z0-9._~+/=-]+)$/i.exec(header)?.[1];
  if (token === undefined) throw tokenInvalid('the Authorization header is not a bearer token');
  return token;
}
