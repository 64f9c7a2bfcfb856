/**
 * `GET /health` and `/live`: this edge is up; the first says which contract it speaks. They ask nobody. `GET /ready` asks each
 * origin, and is 503 where none is ready. Neither says what anything is called or why it does not work: the origin's own says it
 * to whoever operates it.
 */
import type { Routed } from '../request/request.ts';
import type { Stage } from '../runner.ts';

export function health(): Stage<Routed, Routed> {
  return function health(request, next) {
    const { own, context: { contract, origin } } = request;
    switch (own?.name) {
      case 'health':
        return answer(200, { status: 'ok', contract: contract.digest });
      case 'live':
        return answer(200, { status: 'live' });
      case 'ready':
        return origin.readiness().then((origins) => {
          const isReady = origins.some(({ status }) => status === 'ready');
          return answer(isReady ? 200 : 503, { status: isReady ? 'ready' : 'unready', origins });
        });
      default:
        return next(request);
    }
  };
}

function answer(status: number, body: object): Response {
  return Response.json(body, { status, headers: { 'cache-control': 'no-store' } });
}
