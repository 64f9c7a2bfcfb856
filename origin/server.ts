/** The origin's socket: health, readiness and development's key set in the open, everything else through the pipeline. */
import type { JSONWebKeySet } from 'jose';
import type { Contract } from '../shared/contract/contract.ts';
import { limits } from '../shared/wire/limits.ts';
import { uploadEndBytes } from '../shared/hop/upload-end.ts';
import { hosted, targetOf } from './host-and-target.ts';
import { openContext } from './open-context.ts';
import type { OriginContext } from './origin-context.ts';
import type { Own } from './own.ts';
import { handle } from './pipeline.ts';
import { startMetrics } from './metrics/listen.ts';
import { keySetAnswer, keySetPath } from './people/key-set.ts';
import { liveness, readiness } from './readiness.ts';
import type { ServiceState, Started } from './services/services.ts';
import type { Settings } from './settings.ts';
import { sendReport } from './purge/send-report.ts';
import { startPurge } from './purge/start-purge.ts';
import { openServed } from './served.ts';
import { asOrigin, asService, Drain, takeLongHeads, toStreams } from './socket.ts';
import type { StoreState } from './store/store.ts';
import { openWaitingRoom } from './waiting-room.ts';

export interface Origin {
  readonly port: number;
  /** `undefined`: metrics are told nowhere. */
  readonly metricsPort: number | undefined;
  readonly log: OriginContext['log'];
  /** Of each service by its name. */
  states(): Promise<Readonly<Record<string, ServiceState>>>;
  storeState(): StoreState;
  /** Tells streams to come back, stops accepting, finishes what runs, closes the store: within 9.5 s, then cuts. */
  close(): Promise<void>;
}

export interface OriginOptions extends Own {
  readonly contract?: Contract;
  /** The key set of development, served at `/.well-known/jwks.json`; else that of people, where they are on. */
  readonly jwks?: JSONWebKeySet;
}

export async function startOrigin(settings: Settings, options: OriginOptions = {}): Promise<Origin> {
  const { contract, jwks, ...own } = options;
  const { isOneOfSeveral = false } = own;
  const waiting = openWaitingRoom(settings, isOneOfSeveral);
  const opening = contract === undefined ? openServed(settings, own) : openContext(settings, contract, own);
  const context = await opening.finally(() => waiting?.close());
  const { services } = context;
  const metricsPort = await startMetrics(context);
  for (const edgeUrl of settings.edgeUrls) {
    await services.start(`reports to ${edgeUrl}`, () =>
      startPurge(context, edgeUrl, (report, signal) => sendReport(edgeUrl, report, settings.keys, signal)));
  }
  const drain = new Drain(settings.drainMs);
  const port = await services.start('server', () => listen(context, { jwks, isOneOfSeveral, drain }));
  await services.start('streams', () => toStreams(context));
  await services.start('drain', () => drain.asService());
  return asOrigin(context, { port, metricsPort });
}

interface Listening {
  readonly jwks: JSONWebKeySet | undefined;
  readonly isOneOfSeveral: boolean;
  readonly drain: Drain;
}

function listen(context: OriginContext, { jwks, isOneOfSeveral, drain }: Listening): Started<number> {
  const { settings } = context;
  takeLongHeads();
  const server = Bun.serve({
    hostname: settings.originHost,
    port: settings.originPort,
    // Unless it is said, Bun shares a port wherever NODE_ENV is production.
    reusePort: isOneOfSeveral,
    // The end of an upload, as the edge says it, is added.
    maxRequestBodySize: limits.importBytesMax + uploadEndBytes,
    fetch: hosted((request, server) => {
      const open = openRoute(context, request, jwks);
      // Bun cuts bodies slower than 16 KB/s and streams that are quiet for 10 s.
      return drain.pass(open ?? handle(context, request, () => server.timeout(request, 0)));
    }),
  });
  return asService(server, settings.originPort);
}

/** The answer to what needs no signature (SEMANTICS §9). */
function openRoute(
  { settings, store, contract, services, people }: OriginContext,
  request: Request,
  jwks: JSONWebKeySet | undefined,
): Response | Promise<Response> | undefined {
  if (request.method !== 'GET') return undefined;
  // The whole path is compared: a document may have such an id.
  const path = targetOf(request);
  if (path === '/health') return Response.json({ status: 'ok', engine: store.engine, contract: contract.digest });
  if (path === '/live') return liveness();
  if (path === '/ready') return readiness(services);
  if (jwks !== undefined && settings.environment === 'development' && path === keySetPath) return Response.json(jwks);
  return path === keySetPath ? keySetAnswer(people) : undefined;
}
