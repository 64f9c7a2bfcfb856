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
import { openContext } from '../context.ts';
import { beforeWrites as hooks } from '../hooks/all.ts';
import { startPurge } from '../purge/start-purge.ts';
import type { Origin } from '../server.ts';
import { toOrigin } from './ask.ts';
import { openStateFile } from './database.ts';
import { Door } from './door.ts';
import { openHost } from './host.ts';
import type { ServeSettings } from './settings.ts';

/** The time for a stop, and the share of it for what is behind the door, as an origin alone has them. */
const stopMsMax = 9_500;
const behindMsMax = 1_500;

/** The script of `/docs` is 5 MB: it is loaded when somebody asks for it. */
async function docsAsset(path: string, ifNoneMatch: string | undefined): Promise<Response> {
  const { localAssets } = await import('../dev/local-assets.ts');
  return localAssets({ url: `https://assets.tombolo.invalid${path}`, headers: { get: () => ifNoneMatch ?? null } });
}

export async function serve(given: ServeSettings, jwks?: JSONWebKeySet): Promise<Origin> {
  const file = openStateFile(given.settings.dataDir);
  const context = await openContext(given.settings, served, { hooks });
  const { services, store, streams } = context;
  await services.start('edge state', () => ({ value: file, stop: async () => file.close(), state: () => ({ ready: true }) }));
  const door = new Door({ ...given, jwks, services, behindMsMax });
  const { host, coordinator } = openHost(file, given.floodMax, {
    variables: given.edgeVariables,
    toOrigin: () => toOrigin(context, (requestId) => door.untimed(requestId)),
    addressOf: (raw) => door.addressOf(raw),
    asset: docsAsset,
  });
  await services.start('generations', () =>
    startPurge(context, 'this process', async (report) => coordinator.report(report, Date.now())));
  const port = await services.start('server', () => door.open(toPipeline(host, { contract: served, plans: offered })));
  // Stopped before the server: a live stream that is not told to end would keep it from draining.
  await services.start('streams', () => ({ value: undefined, stop: async () => streams.abort(), state: () => ({ ready: true }) }));
  return { port, storeState: () => store.state(), close: () => services.stop(Date.now() + stopMsMax) };
}
