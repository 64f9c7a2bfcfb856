/**
 * The origin's socket before there is an origin: a start may wait minutes for its database, and whoever supervises or balances
 * asks meanwhile how it is. It gives way to the real one, which opens once all is there.
 */
import { hosted, targetOf } from './host-and-target.ts';
import { liveness, toReadiness } from './readiness.ts';
import type { Settings } from './settings.ts';

export interface WaitingRoom {
  close(): Promise<void>;
}

const waiting = { ready: false, detail: 'is waited for' } as const;

/** SQLite is there at once or never, and of several processes on one port another may serve: they need none. */
export function openWaitingRoom({ mongodbUri, originHost, originPort }: Settings, isOneOfSeveral: boolean): WaitingRoom | undefined {
  if (mongodbUri === undefined || isOneOfSeveral || originPort === 0) return undefined;
  const server = Bun.serve({
    hostname: originHost, port: originPort, reusePort: false,
    fetch: hosted((request) => {
      const path = targetOf(request);
      if (path === '/live') return liveness();
      if (path === '/ready') return toReadiness(false, { services: { store: waiting } });
      return new Response(null, { status: 503, headers: { 'cache-control': 'no-store', 'retry-after': '1', connection: 'close' } });
    }),
  });
  return { close: () => server.stop(true) };
}
