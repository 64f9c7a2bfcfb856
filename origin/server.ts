/** The origin's socket: health, readiness and development's key set in the open, everything else through the pipeline. */
import type { JSONWebKeySet } from 'jose';
import type { Contract } from '../shared/contract/contract.ts';
import { limits } from '../shared/wire/limits.ts';
import { uploadEndBytes } from '../shared/hop/upload-end.ts';
import { type Context, openContext, type Own } from './context.ts';
import { handle } from './pipeline.ts';
import { startMetrics } from './metrics/listen.ts';
import { keySetAnswer, keySetPath } from './people/key-set.ts';
import { readiness } from './readiness.ts';
import type { Started } from './services/services.ts';
import type { Settings } from './settings.ts';
import { sendReport } from './purge/send-report.ts';
import { startPurge } from './purge/start-purge.ts';
import { openServed } from './served.ts';
import { asService, stopMsMax, takeLongHeads, targetOf, toStreams } from './socket.ts';
import type { StoreState } from './store/store.ts';

export interface Origin {
  readonly port: number;
  readonly log: Context['log'];
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
  const context = await (contract === undefined ? openServed(settings, own) : openContext(settings, contract, own));
  const { services } = context;
  await startMetrics(context);
  for (const edgeUrl of settings.edgeUrls) {
    await services.start(`reports to ${edgeUrl}`, () =>
      startPurge(context, edgeUrl, (report, signal) => sendReport(edgeUrl, report, settings.keys, signal)));
  }
  const port = await services.start('server', () => listen(context, jwks));
  await services.start('streams', () => toStreams(context));
  return { port, log: context.log, storeState: () => context.store.state(), close: () => services.stop(Date.now() + stopMsMax) };
}

function listen(context: Context, jwks: JSONWebKeySet | undefined): Started<number> {
  const { settings } = context;
  takeLongHeads();
  const server = Bun.serve({
    hostname: settings.originHost,
    port: settings.originPort,
    // The end of an upload, as the edge says it, is added.
    maxRequestBodySize: limits.importBytesMax + uploadEndBytes,
    fetch(request, server) {
      const open = openRoute(context, request, jwks);
      if (open !== undefined) return open;
      // Bun cuts bodies slower than 16 KB/s and streams that are quiet for 10 s.
      return handle(context, request, () => server.timeout(request, 0));
    },
  });
  return asService(server, settings.originPort);
}

/** The answer to what needs no signature (SEMANTICS §9). */
function openRoute(
  { settings, store, contract, services, people }: Context,
  request: Request,
  jwks: JSONWebKeySet | undefined,
): Response | Promise<Response> | undefined {
  if (request.method !== 'GET') return undefined;
  // The whole path is compared: a document may have such an id.
  const path = targetOf(request);
  if (path === '/health') return Response.json({ status: 'ok', engine: store.engine, contract: contract.digest });
  if (path === '/ready') return readiness(services);
  if (jwks !== undefined && settings.environment === 'development' && path === keySetPath) return Response.json(jwks);
  return path === keySetPath ? keySetAnswer(people) : undefined;
}
