/** The origin's socket: health and development's key set in the open, everything else through the pipeline. */
import type { JSONWebKeySet } from 'jose';
import type { Contract } from '../shared/contract/contract.ts';
import { limits } from '../shared/contract/limits.ts';
import { served } from '../shared/resources/all.ts';
import { type Context, openContext } from './context.ts';
import { handle } from './pipeline.ts';
import type { Settings } from './settings.ts';
import { runPurge } from './sinks/purge.ts';
import { sendReport } from './sinks/send-report.ts';

export interface Origin {
  readonly port: number;
  /** Stops accepting, finishes what runs, closes the store: 8 s at most, then cuts. */
  close(): Promise<void>;
}

export interface OriginOptions {
  readonly contract?: Contract;
  /** Development alone: served at `/.well-known/jwks.json`. */
  readonly jwks?: JSONWebKeySet;
}

const drainMsMax = 8_000;

export async function startOrigin(settings: Settings, options: OriginOptions = {}): Promise<Origin> {
  const context = await openContext(settings, options.contract ?? served);
  const stop = new AbortController();
  const server = await listen(context, options.jwks);
  const sinks = settings.edgeUrls.map((edgeUrl) => startPurge(context, edgeUrl, stop.signal));
  let closed: Promise<void> | undefined;
  return {
    port: server.port ?? settings.originPort,
    close: () => (closed ??= close()),
  };

  async function close(): Promise<void> {
    await context.feed.close();
    await Promise.race([server.stop(), Bun.sleep(drainMsMax)]);
    await server.stop(true);
    stop.abort();
    await Promise.all(sinks);
    await context.close();
  }
}

async function listen(context: Context, jwks: JSONWebKeySet | undefined) {
  const { settings } = context;
  try {
    return Bun.serve({
      hostname: settings.originHost,
      port: settings.originPort,
      maxRequestBodySize: limits.importBytesMax,
      fetch(request, server) {
        const open = openRoute(context, request, jwks);
        if (open !== undefined) return open;
        // Bun cuts bodies slower than 16 KB/s and streams that are quiet for 10 s.
        return handle(context, request, () => server.timeout(request, 0));
      },
    });
  } catch (cause) {
    await context.close();
    throw cause;
  }
}

/** What is answered without a signature (SEMANTICS: the hop). */
function openRoute({ settings, store, contract }: Context, request: Request, jwks: JSONWebKeySet | undefined): Response | undefined {
  if (request.method !== 'GET') return undefined;
  // The whole path: a document may have such an id.
  const path = request.url.slice(request.url.indexOf('/', 'https://'.length));
  if (path === '/health') return Response.json({ status: 'ok', engine: store.engine, contract: contract.digest });
  if (jwks !== undefined && settings.environment === 'development' && path === '/.well-known/jwks.json') return Response.json(jwks);
  return undefined;
}

function startPurge(context: Context, edgeUrl: string, signal: AbortSignal): Promise<void> {
  const { store, feed, contract, log, settings } = context;
  let troubled = 0;
  return runPurge({
    store, feed, contract, signal,
    send: async (report) => {
      const answer = await sendReport(edgeUrl, report, settings.keys[0], signal);
      if (troubled > 0) log.warn({ edgeUrl }, 'the edge hears of changes again');
      troubled = 0;
      return answer;
    },
    onTrouble: (message, cause) => {
      // Once when it begins, then rarely: an edge that is away for an hour is one event.
      if (troubled++ % 60 === 0) log.warn({ edgeUrl, err: cause }, message);
    },
  });
}
