/**
 * The path of a request at the edge, in order. The order is decided here and nowhere else: who asks and how
 * much he may ask comes before the cache, so that a hit is never served to someone who may not see it. Whatever is
 * refused is counted: behind `limit` as the caller's, before it as the address's.
 */
import { Hono } from 'hono';
import { reportPath } from '../shared/contract/report.ts';
import type { EdgeEnv, Served } from './context.ts';
import { report } from './coordinator/report.ts';
import { chargeRefusal } from './early-refusals.ts';
import { walk } from './path.ts';
import { respond } from './respond.ts';
import { cache } from './stages/cache.ts';
import { configure } from './stages/configure.ts';
import { flood } from './stages/flood.ts';
import { forward } from './stages/forward.ts';
import { guard } from './stages/guard.ts';
import { health, healthPath } from './stages/health.ts';
import { identify } from './stages/identify.ts';
import { limit } from './stages/limit.ts';
import { live } from './stages/live.ts';
import { route } from './stages/route.ts';
import { tickets, ticketsPath } from './stages/tickets.ts';
import { trace } from './stages/trace.ts';
import { validate } from './stages/validate.ts';
import { version } from './stages/version.ts';

export function pipeline(served: Served): Hono<EdgeEnv> {
  const stages = {
    trace: trace(),
    configure: configure(served),
    guard: guard(),
    flood: flood(),
    version: version(),
    route: route({ ownRoutes: { [healthPath]: 'GET', [reportPath]: 'POST', [ticketsPath]: 'POST' } }),
    health: health(),
    report: report(),
    live: live(),
    identify: identify(),
    limit: limit(),
    tickets: tickets(),
    validate: validate(),
    cache: cache(),
    forward: forward(),
  };
  const app = new Hono<EdgeEnv>();
  app.all('*', walk(stages, { before: 'limit', charge: chargeRefusal }));
  app.onError(respond);
  return app;
}
