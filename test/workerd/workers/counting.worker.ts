/** The Worker of the followers' tests: the edge, which tells how many requests for a path it has (`/.test/entered?path=…`). */
import type { Bindings } from '../../../edge/host/cloudflare.ts';
import { toWorker } from '../../../edge/host/cloudflare.ts';
import { served } from '../../../shared/resources/all.ts';
import { offered } from '../../../shared/resources/plans.ts';

export * from '../../../edge/worker.ts';

const app = toWorker({ contract: served, plans: offered });
const entered = new Map<string, number>();

export default {
  fetch(request: Request, env: Bindings, execution: ExecutionContext): Response | Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === '/.test/entered') return Response.json(entered.get(searchParams.get('path') ?? '') ?? 0);
    entered.set(pathname, (entered.get(pathname) ?? 0) + 1);
    return app.fetch(request, env, execution);
  },
};
