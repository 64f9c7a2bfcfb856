/** Every answer is the origin's: nothing is stored yet. */
import type { MiddlewareHandler } from 'hono';
import type { EdgeEnv } from '../context.ts';

export function cache(): MiddlewareHandler<EdgeEnv> {
  return async function cache(c, next) {
    await next();
    if (c.error !== undefined) return;
    const { headers } = c.res;
    headers.set('cache-status', `tombolo; fwd=${c.get('route').safe ? 'bypass' : 'method'}; fwd-status=${c.res.status}`);
    headers.set('age', '0');
    if (!headers.has('cache-control')) headers.set('cache-control', c.get('route').safe ? 'private, no-cache' : 'no-store');
  };
}
