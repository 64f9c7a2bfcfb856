/**
 * The Worker of the limit and live tests: plans small enough to be used up, resources of each policy, and a way
 * to the counters that the test can count, cut and slow down (`/.test/counters?way=open|cut|slow`), and a clock
 * that it can set forward (`/.test/clock?ms=31000`): objects run in the isolate of their Worker.
 */
import * as z from 'zod';
import type { Bindings } from '../../../edge/host/cloudflare.ts';
import type { Counters } from '../../../edge/rate-limit/counters.object.ts';
import { toWorker } from '../../../edge/host/cloudflare.ts';
import { contract } from '../../../shared/contract/contract.ts';
import { plans } from '../../../shared/limits/plans.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { anyone } from '../../../shared/contract/rules.ts';
import { films } from '../../../shared/resources/films.ts';
import { reviews } from '../../../shared/resources/reviews.ts';
import { versions } from '../../../shared/resources/versions.ts';

export { Coordinator, Counters, Tickets } from '../../../edge/worker.ts';

const open = { schema: z.object({ text: z.string() }), rules: { read: anyone, write: anyone }, shapes: { all: {} }, live: true };
/** Refuses reads while nobody can count, and lets writes pass. */
const ledgers = resource({ ...open, name: 'ledgers', limits: { cost: { list: 4 }, unavailable: { read: 'refuse', write: 'allow' } } });
const notes = resource({ ...open, name: 'notes' });

const offered = plans({
  anonymous: 'five',
  signedIn: 'leased',
  plans: {
    five: [{ limit: 5, seconds: 60 }],
    ten: [{ limit: 10, seconds: 60 }],
    twenty: [{ limit: 20, seconds: 60 }],
    hundred: [{ limit: 100, seconds: 60 }],
    leased: [{ limit: 100_000, seconds: 60 }, { limit: 1_000_000, seconds: 3_600 }],
    monthly: { windows: [{ limit: 11, seconds: 1 }], month: 12 },
    three: { windows: [{ limit: 1_000, seconds: 60 }], concurrent: 3 },
    double: [{ limit: 4, seconds: 1 }, { limit: 6, seconds: 60 }],
  },
});

const app = toWorker({ contract: contract(versions, films, reviews, notes, ledgers), plans: offered });
let way = 'open';
let asked = 0;
const scripted = new WeakMap<Bindings, Bindings>();

export default {
  fetch(request: Request, env: Bindings, execution: ExecutionContext): Response | Promise<Response> {
    const url = new URL(request.url);
    if (url.pathname === '/.test/clock') return setForward(Number(url.searchParams.get('ms')));
    if (url.pathname !== '/.test/counters') return app.fetch(request, toScripted(env), execution);
    way = url.searchParams.get('way') ?? way;
    return Response.json({ asked });
  },
};

const trueNow = Date.now;

function setForward(ms: number): Response {
  Date.now = () => trueNow() + ms;
  return Response.json({ now: Date.now() });
}

function toScripted(env: Bindings): Bindings {
  const known = scripted.get(env) ?? {
    ...env,
    COUNTERS: asNamespace({
      idFromName: (name) => env.COUNTERS.idFromName(name),
      get: (id) => ({ decide: (ask) => goOn(() => env.COUNTERS.get(id).decide(ask)), spent: async () => env.COUNTERS.get(id).spent() }),
    }),
  };
  scripted.set(env, known);
  return known;
}

async function goOn<T>(work: () => Promise<T>): Promise<T> {
  asked++;
  if (way === 'cut') throw new Error('the test has cut the way to the counters');
  // The delay is longer than the edge waits for a counter.
  if (way === 'slow') await new Promise((resolve) => setTimeout(resolve, 60_000));
  return work();
}

interface Stub {
  readonly decide: (ask: Parameters<Counters['decide']>[0]) => Promise<ReturnType<Counters['decide']>>;
  readonly spent: () => Promise<ReturnType<Counters['spent']>>;
}

/** A namespace, of which the edge uses these two members alone. */
function asNamespace(used: {
  idFromName(name: string): DurableObjectId;
  get(id: DurableObjectId): Stub;
}): DurableObjectNamespace<Counters> {
  return used as unknown as DurableObjectNamespace<Counters>;
}
