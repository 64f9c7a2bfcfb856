/** Whether this process does its work, for whoever balances or supervises. */
import type { Services } from './services/services.ts';

/** 200 when every service does its work; otherwise 503, with those that do not and why (SEMANTICS §22). */
export async function readiness(services: Services): Promise<Response> {
  const states = await services.states();
  const ready = Object.values(states).every((state) => state.ready);
  return Response.json(
    { status: ready ? 'ready' : 'unready', services: states },
    { status: ready ? 200 : 503, headers: { 'cache-control': 'no-store' } },
  );
}
