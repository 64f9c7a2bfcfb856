/**
 * Edge and origin as one process on one port. This folder is the only place that imports both sides.
 *
 *   request ─▶ edge's pipeline ─▶ ask ─▶ execute ─▶ store
 *                   ▲                                 │
 *              coordinator ◀────── purge sink ◀── feed
 */
import type { JSONWebKeySet } from 'jose';
import { toPipeline } from '../../edge/pipeline.ts';
import { served } from '../../shared/resources/all.ts';
import { offered } from '../../shared/resources/plans.ts';
import type { Own } from '../own.ts';
import { startMetrics } from '../metrics/listen.ts';
import { startPurge } from '../purge/start-purge.ts';
import { openServed } from '../served.ts';
import type { Origin } from '../server.ts';
import { asOrigin, toStreams } from '../socket.ts';
import { toOrigin } from './ask.ts';
import { openStateFile } from './database.ts';
import { Door } from './door.ts';
import { openHost } from './host.ts';
import type { ServeSettings } from './settings.ts';

/** The script of `/docs` is 5 MB: it is loaded when somebody asks for it. */
async function docsAsset(path: string, ifNoneMatch: string | undefined): Promise<Response> {
  const { localAssets } = await import('../dev/local-assets.ts');
  return localAssets({ url: `https://assets.tombolo.invalid${path}`, headers: { get: () => ifNoneMatch ?? null } });
}

interface ServeOptions extends Own {
  readonly jwks?: JSONWebKeySet;
}

export async function serve(given: ServeSettings, own: ServeOptions = {}): Promise<Origin> {
  const { jwks, ...rest } = own;
  const file = openStateFile(given.settings.dataDir);
  const context = await openServed(given.settings, rest);
  const { services, store } = context;
  const metricsPort = await startMetrics(context);
  await services.start('edge state', () => ({ value: file, stop: async () => file.close(), state: () => ({ ready: true }) }));
  const door = new Door({ ...given, jwks, services, people: context.people });
  const { host, coordinator, quotasUsed } = openHost({ file, shared: store.shared }, given.floodMax, {
    variables: given.edgeVariables,
    toOrigin: () => toOrigin(context, (requestId) => door.untimed(requestId)),
    addressOf: (raw) => door.addressOf(raw),
    asset: docsAsset,
  });
  await services.start('generations', () =>
    startPurge(context, 'this process', async (report) => coordinator.report(report, Date.now())));
  await services.start('plans', () => ({
    value: undefined, stop: async () => undefined, state: () => ({ ready: true }), figures: () => ({ quotasUsed: quotasUsed() }),
  }));
  const port = await services.start('server', () => door.open(toPipeline(host, { contract: served, plans: offered })));
  await services.start('streams', () => toStreams(context));
  return asOrigin(context, { port, metricsPort });
}
