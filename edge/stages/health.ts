/** `GET /health`: this edge is up, and which contract it speaks. It asks nobody, so it says nothing of the origin. */
import type { MiddlewareHandler } from 'hono';
import type { EdgeEnv } from '../context.ts';

export const healthPath = '/health';

export function health(): MiddlewareHandler<EdgeEnv> {
  return async function health(c, next) {
    if (c.get('target').path !== healthPath) return next();
    const { contract } = c.get('context');
    return c.json({ status: 'ok', contract: contract.digest }, 200, { 'cache-control': 'no-store' });
  };
}
