/** `GET /health`: this edge is up, and which contract it speaks. It asks nobody, so it says nothing of the origin. */
import type { Routed } from '../request/request.ts';
import type { Stage } from '../runner.ts';

export function health(): Stage<Routed, Routed> {
  return function health(request, next) {
    if (request.own?.name !== 'health') return next(request);
    return Response.json({ status: 'ok', contract: request.context.contract.digest }, { headers: { 'cache-control': 'no-store' } });
  };
}
