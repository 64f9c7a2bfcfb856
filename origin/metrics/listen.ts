/** The port for whoever operates this: metrics, and whether the process runs and is ready, unsigned. Nothing else is there. */
import type { Logger } from 'pino';
import { SettingsError } from '../../shared/settings/reader.ts';
import { hosted, targetOf } from '../host-and-target.ts';
import type { OriginContext } from '../origin-context.ts';
import { liveness, readiness } from '../readiness.ts';
import type { Started } from '../services/services.ts';
import type { MetricsAddress } from '../settings.ts';
import { Metrics } from './metrics.ts';
import type { Measuring } from './requests.ts';

/** It is stopped after the sockets of callers, so that a drain is seen until its end. */
export async function startMetrics(context: OriginContext): Promise<number | undefined> {
  const { services, settings: { metrics: address }, measuring } = context;
  if (address === undefined || measuring === undefined) return undefined;
  if (address.process !== undefined) measuring.registry.setDefaultLabels({ process: String(address.process) });
  return services.start('metrics', () => listen(context, measuring, address));
}

function listen(context: OriginContext, { registry }: Measuring, address: MetricsAddress): Started<number> {
  const metrics = new Metrics(context, registry);
  const server = mustListen(address, context.log, (request) => answer(request, metrics, context));
  return {
    value: server.port ?? address.port,
    stop: async () => {
      metrics.close();
      await server.stop(true);
    },
    state: () => ({ ready: true }),
  };
}

async function answer(request: Request, metrics: Metrics, { services }: OriginContext): Promise<Response> {
  const headers = { 'cache-control': 'no-store' };
  const path = request.method === 'GET' ? targetOf(request) : '';
  if (path === '/metrics') return new Response(await metrics.scrape(), { headers: { ...headers, 'content-type': metrics.contentType } });
  if (path === '/live') return liveness();
  if (path === '/ready') return readiness(services);
  return new Response('not found\n', { status: 404, headers });
}

/** Throws a `SettingsError` where another program has the port. */
export function mustListen({ host, port }: MetricsAddress, log: Logger, fetch: (request: Request) => Promise<Response>) {
  const error = (err: Error): Response => {
    log.error({ err }, 'the metrics could not be told');
    return new Response('failed\n', { status: 500, headers: { 'cache-control': 'no-store' } });
  };
  try {
    // Without `development` Bun shares a port with whoever has it, unless it is told not to.
    return Bun.serve({ hostname: host, port, maxRequestBodySize: 0, development: false, reusePort: false, fetch: hosted(fetch), error });
  } catch (cause) {
    if ((cause as { code?: string }).code !== 'EADDRINUSE') throw cause;
    throw new SettingsError(['TOMBOLO_METRICS_PORT: the port is in use by another program']);
  }
}
