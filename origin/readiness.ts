/** Whether this process runs and does its work, for whoever balances or supervises (SEMANTICS §22). */
import type { Services } from './services/services.ts';

const untold = { 'cache-control': 'no-store' } as const;

/** That the process runs. */
export function liveness(): Response {
  return Response.json({ status: 'live' }, { headers: untold });
}

/** 200 when every service does its work; otherwise 503, with those that do not and why. */
export async function readiness(services: Services): Promise<Response> {
  const states = await services.states();
  return toReadiness(Object.values(states).every((state) => state.ready), { services: states });
}

/** `told`: what it follows from. */
export function toReadiness(ready: boolean, told: object): Response {
  return Response.json({ status: ready ? 'ready' : 'unready', ...told }, { status: ready ? 200 : 503, headers: untold });
}
