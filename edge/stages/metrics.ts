/**
 * `GET /.tombolo/metrics`: what this isolate counts, for who has the token of `TOMBOLO_METRICS_TOKEN`. To everybody else nothing
 * is there. On Cloudflare, where a request reaches any of many isolates, Analytics Engine has the whole instead.
 */
import { Fault } from '../../shared/wire/fault.ts';
import { openMetricsType, toOpenMetrics } from '../metrics/openmetrics.ts';
import { isEqual } from '../origin-client/macs.ts';
import type { Routed } from '../request/request.ts';
import type { Stage } from '../runner.ts';

export function metrics(): Stage<Routed, Routed> {
  return function metrics(request, next) {
    const { own, context: { counts } } = request;
    if (own?.name !== 'metrics') return next(request);
    if (counts === undefined || !isOperators(request)) throw new Fault('route_not_found', { detail: 'no such resource' });
    const headers = { 'content-type': openMetricsType, 'cache-control': 'no-store' };
    return new Response(toOpenMetrics(counts), { headers });
  };
}

/** MACs of one length are compared, so that the time tells nothing of the token. */
function isOperators({ sent, context: { macs, settings: { metricsToken = '' } } }: Routed): boolean {
  return isEqual(macs.first(sent.get('authorization') ?? ''), macs.first(`Bearer ${metricsToken}`));
}
