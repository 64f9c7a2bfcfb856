/** Which version of the API answers. The path names it (`routes.ts` knows which there are); the answer repeats it. */
import type { MiddlewareHandler } from 'hono';
import { currentVersion } from '../../shared/contract/routes.ts';
import type { EdgeEnv } from '../context.ts';

export function version(): MiddlewareHandler<EdgeEnv> {
  return async function version(c, next) {
    await next();
    c.res.headers.set('api-version', currentVersion);
  };
}
