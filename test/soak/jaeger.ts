/**
 * A real Jaeger is sent the traces of a read and of a write that a job and a webhook follow, in each world, and is then asked
 * for them by its query API. `journeys/traces.test.ts` says the same of a receiver of the tests' own.
 */
import { eventually } from '../support/eventually.ts';
import { Jaeger, type JaegerSpan, jaegerVersion } from '../support/jaeger.ts';
import { type Engine, type Stack, startWorld, type World, worlds } from '../support/whole-world.ts';
import type { Outcome } from './parts.ts';

const [edge, origin] = ['tombolo-edge', 'tombolo-origin'];
const jobName = 'job orders-receipt';

export async function tracesInJaeger(): Promise<Outcome> {
  await using jaeger = await Jaeger.start();
  const runs: object[] = [];
  const violations: string[] = [];
  for (const [engine, stack] of worlds) {
    const seen = await seenBy(jaeger, engine, stack);
    violations.push(...seen.violations.map((violation) => `${engine}, ${stack}: ${violation}`));
    runs.push({ engine, stack, ...seen.figures });
  }
  const operations = { edge: await jaeger.operations(edge), origin: await jaeger.operations(origin) };
  return { figures: { jaeger: jaegerVersion, operations, runs }, violations };
}

async function seenBy(jaeger: Jaeger, engine: Engine, stack: Stack): Promise<Outcome> {
  const told: { readonly traceparent: string | null }[] = [];
  await using receiver = Bun.serve({
    port: 0, hostname: '127.0.0.1',
    fetch(request) {
      told.push({ traceparent: request.headers.get('traceparent') });
      return new Response(null, { status: 204 });
    },
  });
  const variables = { TOMBOLO_OTLP_URL: jaeger.otlpUrl, TOMBOLO_TRACE_ONE_IN: '1', TOMBOLO_WEBHOOKS_LOOPBACK: '1' };
  const world = await startWorld({ engine, stack, variables });
  try {
    const [read, paid] = await asked(world, `http://127.0.0.1:${receiver.port}/`);
    const { traceparent } = await eventually('a delivery', () => told[0]);
    const ofRead = await traced(jaeger, read, `${edge} list films (${origin} list films (store list))`);
    const ofPaid = await traced(
      jaeger, paid, `${edge} orders-pay orders (${origin} orders-pay orders (store get, store write, webhook delivery))`);
    const job = await eventually('the job', async () =>
      (await jaeger.spansWith(origin, jobName)).find(({ links }) => links?.[0]?.traceId === paid), { everyMs: 100 });
    const ofJob = await traced(jaeger, job.traceId, `${origin} ${jobName} (store get)`);
    const delivery = ofPaid.spans.find(({ name }) => name === 'webhook delivery');
    const cause = ofPaid.spans.find(({ service, name }) => service === origin && name === 'orders-pay orders');
    return {
      figures: { read: ofRead.tree, write: ofPaid.tree, job: ofJob.tree },
      violations: [
        ...[ofRead, ofPaid, ofJob].flatMap(({ violations }) => violations),
        ...(job.links?.[0]?.spanId === cause?.spanId ? [] : ['the job is linked to another span than that of the write at the origin']),
        ...(traceparent === `00-${paid}-${delivery?.spanId}-01` ? [] : [`a receiver was told ${traceparent}`]),
      ],
    };
  } finally {
    await world.close();
  }
}

/** The traces of a read and a payment, as the answers name their requests. */
async function asked(world: World, url: string): Promise<readonly [string, string]> {
  const token = await world.token({ subject: 'alice', roles: ['staff', 'editor'], tenant: 'odeon' });
  const traceOf = async (path: string, json?: object) => {
    const { status, text, headers } = await world.request(path, { token, ...(json === undefined ? {} : { json }) });
    if (status > 201) throw new Error(`${path}: ${status} ${text}`);
    return { trace: String(headers.get('x-request-id')).slice('req_'.length), text };
  };
  const read = await traceOf('/v2/films?limit=3');
  await traceOf('/v2/webhooks', { url, resource: 'orders', events: ['changed'] });
  const { text } = await traceOf('/v2/orders', { tenant: 'odeon', film: crypto.randomUUID(), seats: 1, buyer: 'alice' });
  const { id } = JSON.parse(text) as { readonly id: string };
  const paid = await traceOf(`/v2/orders/${id}/pay`, { card: 'tok_ok' });
  return [read.trace, paid.trace];
}

/** The edge's span comes by a way of its own, and those of the origin at some time after they ended. */
async function traced(jaeger: Jaeger, id: string, expected: string) {
  await eventually(expected, async () => toTree(await jaeger.rawTrace(id)) === expected, { everyMs: 100 }).catch(() => undefined);
  const spans = await jaeger.trace(id);
  const tree = toTree(spans);
  const warned = spans.filter(({ warnings }) => warnings !== undefined);
  return {
    spans, tree,
    violations: [
      ...(tree === expected ? [] : [`${tree} and not ${expected}`]),
      ...warned.map(({ name, warnings }) => `Jaeger warns of ${name}: ${JSON.stringify(warnings)}`),
    ],
  };
}

/** Names of spans, each with those below it, in the order of their names; a service is named where another one's begins. */
function toTree(spans: readonly JaegerSpan[], parent?: JaegerSpan): string {
  return spans.filter(({ parentSpanId }) => parentSpanId === parent?.spanId).map((span) => {
    const below = toTree(spans, span);
    return `${span.service === parent?.service ? '' : `${span.service} `}${span.name}${below === '' ? '' : ` (${below})`}`;
  }).sort().join(', ');
}
