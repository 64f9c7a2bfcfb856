/** `GET /health`: this edge is up, and which contract it speaks. It asks nobody, so it says nothing of the origin. */
import type { Stage } from '../path.ts';

export const healthPath = '/health';

export function health(): Stage {
  return function health(c) {
    if (c.get('target').path !== healthPath) return undefined;
    const { contract } = c.get('context');
    return c.json({ status: 'ok', contract: contract.digest }, 200, { 'cache-control': 'no-store' });
  };
}
