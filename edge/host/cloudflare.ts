/** The edge on Cloudflare: Durable Objects or Redis, the Cache API and the rate-limit binding behind the ports of `host.ts`. */
// There is one route, for which Hono's smallest router does: the usual pair weighs 2.5 KB more.
import { Hono } from 'hono/tiny';
import type { Served } from '../context.ts';
import type { Coordinator } from '../coordinator/generations.object.ts';
import type { Tickets } from '../identity/tickets.object.ts';
import { log, toLogged } from '../log.ts';
import { OriginClient } from '../origin-client/origin-client.ts';
import { toPipeline } from '../pipeline.ts';
import type { Counters } from '../rate-limit/counters.object.ts';
import { toArrival } from '../request/arrive.ts';
import type { Arrival } from '../request/arrival.ts';
import type { Answer } from '../runner.ts';
import { loadKeys, storeKeys } from './cached-keys.ts';
import { loadEntry, storeEntry } from './cache-api.ts';
import macModule from '../../wasm/dist/mac.wasm';
import type { Host } from './host.ts';
import { toRedisKeepers } from './redis.ts';

/** `wrangler.toml` and the secrets. Texts are read by `shared/settings` alone. */
export interface Bindings {
  readonly COORDINATOR: DurableObjectNamespace<Coordinator>;
  readonly COUNTERS: DurableObjectNamespace<Counters>;
  readonly TICKETS: DurableObjectNamespace<Tickets>;
  readonly FLOOD: RateLimit;
  readonly ASSETS: Fetcher;
  /** Bound by those who want it. */
  readonly METRICS?: AnalyticsEngineDataset;
}

/** The pipeline as a Worker. */
export function toWorker(served: Served): Hono<{ Bindings: Bindings }> {
  /** The pipelines, kept as long as the platform hands out the same bindings. */
  const pipelines = new WeakMap<Bindings, (arrival: Arrival) => Answer>();

  function pipelineOf(bindings: Bindings): (arrival: Arrival) => Answer {
    const known = pipelines.get(bindings);
    if (known !== undefined) return known;
    const pipeline = toPipeline(toHost(bindings), served);
    pipelines.set(bindings, pipeline);
    return pipeline;
  }

  const app = new Hono<{ Bindings: Bindings }>();
  app.all('*', (c) => pipelineOf(c.env)(toArrival(c.req.raw, c.env, (work) => c.executionCtx.waitUntil(work))));
  return app;
}

/** Exported for tests. A stub belongs to the request that made it, so it is made for each call. */
export function toHost(bindings: Bindings): Host {
  const coordinator = () => bindings.COORDINATOR.getByName('generations');
  const counterOf = (caller: string) => bindings.COUNTERS.get(bindings.COUNTERS.idFromName(caller));
  const ticketOf = (stream: string) => bindings.TICKETS.get(bindings.TICKETS.idFromName(stream));
  return {
    variables: { ...bindings },
    macModule,
    toOrigin: (options) => new OriginClient(options),
    // Cloudflare sets the header, over whatever a client sent. Without Cloudflare there is none, and no address.
    addressOf: (_raw, sent) => sent.get('cf-connecting-ip') ?? undefined,
    coordinator: {
      report: (signed) => coordinator().report(signed),
      changesSince: (resource, heard) => coordinator().changesSince(resource, heard),
    },
    askCounter: async (caller, ask) => counterOf(caller).decide(ask),
    spentBy: async (caller) => counterOf(caller).spent(),
    tickets: {
      keep: (stream, bearer, ms) => ticketOf(stream).keep(bearer, ms),
      redeem: (stream, opening) => ticketOf(stream).redeem(opening),
    },
    ...toRedisKeepers({ ...bindings }),
    asset: (path, ifNoneMatch) => {
      const headers = ifNoneMatch === undefined ? {} : { 'if-none-match': ifNoneMatch };
      return bindings.ASSETS.fetch(`https://assets.tombolo.invalid${path}`, { headers });
    },
    writeDataPoint: bindings.METRICS && (({ indexes, blobs, doubles }) =>
      bindings.METRICS?.writeDataPoint({ indexes: [...indexes], blobs: [...blobs], doubles: [...doubles] })),
    isWithin: (sender) => isWithin(bindings.FLOOD, sender),
    keys: { load: loadKeys, keep: storeKeys },
    store: { load: loadEntry, keep: storeEntry },
  };
}

/** A shield that is itself down lets pass: it protects against load, not against people. */
async function isWithin(shield: RateLimit, key: string): Promise<boolean> {
  try {
    return (await shield.limit({ key })).success;
  } catch (cause) {
    log('warn', 'limit.shield_failed', { cause: toLogged(cause) });
    return true;
  }
}
