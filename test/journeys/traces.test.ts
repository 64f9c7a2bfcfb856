/** Traces of a write from the edge to the job that it enqueues and to whoever a webhook tells of it, as a receiver of OTLP gets them. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { eventually } from '../support/eventually.ts';
import { type Asking, type Engine, type Stack, startWorld, type World } from '../support/whole-world.ts';

interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly traceState?: string;
  readonly name: string;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly links?: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly attributes: readonly { readonly key: string; readonly value: Readonly<Record<string, unknown>> }[];
}

interface Sent {
  readonly resourceSpans: readonly {
    readonly resource: Pick<Span, 'attributes'>;
    readonly scopeSpans: readonly { readonly spans: readonly Span[] }[];
  }[];
}

const received: (Span & { readonly service: unknown })[] = [];
const texts: string[] = [];
const receiver = Bun.serve({
  port: 0,
  async fetch(request) {
    if (new URL(request.url).pathname !== '/v1/traces') return new Response(null, { status: 404 });
    const text = await request.text();
    texts.push(text);
    for (const { resource, scopeSpans } of (JSON.parse(text) as Sent).resourceSpans) {
      const service = valueOf(resource, 'service.name');
      received.push(...scopeSpans.flatMap(({ spans }) => spans).map((span) => ({ ...span, service })));
    }
    return Response.json({ partialSuccess: {} });
  },
});
/** The `traceparent` of each delivery of a webhook, and the id of its document. */
const delivered: { readonly traceparent: string | null; readonly document: string }[] = [];
const hooked = Bun.serve({
  port: 0,
  async fetch(request) {
    const { data } = (await request.json()) as { readonly data: { readonly id: string } };
    delivered.push({ traceparent: request.headers.get('traceparent'), document: data.id });
    return new Response(null, { status: 204 });
  },
});
afterAll(() => Promise.all([receiver.stop(true), hooked.stop(true)]));

const valueOf = ({ attributes }: Pick<Span, 'attributes'>, key: string): unknown =>
  Object.values(attributes.find((attribute) => attribute.key === key)?.value ?? {})[0];
const isWithin = (span: Span | undefined, outer: Span | undefined) =>
  BigInt(span?.startTimeUnixNano ?? 0) >= BigInt(outer?.startTimeUnixNano ?? 0) &&
  BigInt(span?.endTimeUnixNano ?? 0) <= BigInt(outer?.endTimeUnixNano ?? 0);
const ofTrace = (traceId: string) => received.filter((span) => span.traceId === traceId);

/** Each engine and each stack once. */
const worldsOfTwo: readonly (readonly [Engine, Stack])[] = [['sqlite', 'workerd'], ['mongodb', 'one process']];

describe.each(worldsOfTwo)('on %s in %s', (engine, stack) => {
  let world: World;
  beforeAll(async () => {
    const variables = { TOMBOLO_OTLP_URL: `http://127.0.0.1:${receiver.port}`, TOMBOLO_TRACE_ONE_IN: '0', TOMBOLO_WEBHOOKS_LOOPBACK: '1' };
    world = await startWorld({ engine, stack, variables });
  });
  afterAll(() => world.close());

  const secret = `planted${crypto.randomUUID()}`;
  const ask = async (path: string, asking: Asking = {}) =>
    world.request(path, { token: await world.token({ subject: secret, roles: ['staff', 'editor'], tenant: 'odeon' }), ...asking });

  test('one write is a tree of spans: edge, origin, store, and the job that it enqueues is linked to it', async () => {
    const order = { tenant: 'odeon', film: crypto.randomUUID(), seats: 1, buyer: secret };
    const made = await ask('/v2/orders', { json: order });
    expect(made.status).toBe(201);
    const traceId = crypto.randomUUID().replaceAll('-', '');
    const parentId = 'aaf067aa0ba902b7';
    const tracestate = 'congo=t61rcWkgMzE,rojo@a=00f067aa0ba902b7';
    const headers = { traceparent: `00-${traceId}-${parentId}-01`, tracestate };
    const { id } = JSON.parse(made.text) as { readonly id: string };
    const paid = await ask(`/v2/orders/${id}/pay`, { headers, json: { card: 'tok_ok' } });
    expect(paid.status).toBe(200);
    const job = await eventually('the job of the write', () => received.find(({ links }) => links?.[0]?.traceId === traceId));
    const spans = await eventually('all of the write', () => {
      const found = ofTrace(traceId);
      const isWhole = found.some(({ service }) => service === 'tombolo-edge') && found.some(({ name }) => name === 'store write');
      return isWhole ? found : undefined;
    });
    const [edge, ...moreOfEdge] = spans.filter(({ service }) => service === 'tombolo-edge');
    const [origin, ...moreOfOrigin] = spans.filter(({ service, name }) => service === 'tombolo-origin' && !name.startsWith('store '));
    expect([moreOfEdge, moreOfOrigin]).toEqual([[], []]);
    expect(spans.map(({ traceState }) => traceState)).toEqual(spans.map(() => tracestate));
    expect([edge?.parentSpanId, origin?.parentSpanId]).toEqual([parentId, edge?.spanId]);
    for (const span of [edge, origin]) {
      expect(span && valueOf(span, 'tombolo.request')).toBe(paid.headers.get('x-request-id'));
      expect(span && [valueOf(span, 'tombolo.operation'), valueOf(span, 'tombolo.resource')]).toEqual(['orders-pay', 'orders']);
      expect([span?.name, span && valueOf(span, 'tombolo.status')]).toEqual(['orders-pay orders', 200]);
    }
    const ofStore = spans.filter(({ name }) => name.startsWith('store '));
    expect(ofStore.map(({ parentSpanId }) => parentSpanId)).toEqual(ofStore.map(() => origin?.spanId));
    for (const { startTimeUnixNano, endTimeUnixNano } of spans) expect(BigInt(endTimeUnixNano) >= BigInt(startTimeUnixNano)).toBe(true);
    for (const below of [origin, ...ofStore]) expect(isWithin(below, below === origin ? edge : origin)).toBe(true);
    expect([job.name, job.links?.[0]?.spanId, job.parentSpanId]).toEqual(['job orders-receipt', origin?.spanId, undefined]);
    expect(job.traceId).not.toBe(traceId);
  });

  test('a delivery is below the write that it tells of, as its receiver is told, and one of an untraced write is in no trace', async () => {
    const url = `http://127.0.0.1:${hooked.port}/`;
    expect((await ask('/v2/webhooks', { json: { url, resource: 'orders', events: ['created', 'changed', 'deleted'] } })).status).toBe(201);
    const traces = ['created', 'deleted'].map(() => crypto.randomUUID().replaceAll('-', ''));
    const traced = traces.map((trace) => ({ traceparent: `00-${trace}-aaf067aa0ba902b7-01` }));
    const patched = { 'content-type': 'application/merge-patch+json' };
    const order = { tenant: 'odeon', film: crypto.randomUUID(), seats: 1, buyer: secret };
    const { id } = JSON.parse((await ask('/v2/orders', { headers: traced[0] ?? {}, json: order })).text) as { readonly id: string };
    expect((await ask(`/v2/orders/${id}`, { method: 'PATCH', headers: patched, json: { seats: 2 } })).status).toBe(200);
    expect((await ask(`/v2/orders/${id}`, { method: 'DELETE', headers: traced[1] ?? {} })).status).toBe(204);
    const all = await eventually('all three are delivered', () => {
      const found = delivered.filter(({ document }) => document === id);
      return found.length === 3 && found.map(({ traceparent }) => traceparent);
    }, { msMax: 20_000 });
    expect(all.filter((traceparent) => traceparent === null)).toHaveLength(1);
    for (const trace of traces) {
      const span = await eventually('its span', () => ofTrace(trace).find(({ name }) => name === 'webhook delivery'));
      const origin = await eventually('that of the write', () =>
        ofTrace(trace).find(({ service, name }) => service === 'tombolo-origin' && / orders$/.test(name)));
      expect([span.parentSpanId, valueOf(span, 'tombolo.status')]).toEqual([origin.spanId, 204]);
      expect(all).toContain(`00-${trace}-${span.spanId}-01`);
    }
  });

  test('what nobody sampled is not sent, and nothing that was sent by a caller is', async () => {
    const traceId = crypto.randomUUID().replaceAll('-', '');
    const sampled = crypto.randomUUID().replaceAll('-', '');
    const parent = (id: string, flags: string) => ({ traceparent: `00-${id}-aaf067aa0ba902b7-${flags}` });
    await ask(`/v2/films?title=${secret}`, { headers: parent(traceId, '00') });
    await ask(`/v2/films?title=${secret}`);
    const refused = await ask(`/v2/films?${secret}=1`, { headers: { ...parent(sampled, '01'), tracestate: `${secret}=1,=2` } });
    expect((JSON.parse(refused.text) as { readonly traceId: string }).traceId).toBe(sampled);
    await ask(`/v2/${secret}`, { headers: parent(sampled, '01') });
    const edges = await eventually('the sampled ones', () => {
      const found = ofTrace(sampled).filter(({ service }) => service === 'tombolo-edge');
      return found.length === 2 && found;
    });
    expect(edges.map(({ name }) => name).sort()).toEqual(['list films', 'request']);
    expect(ofTrace(traceId)).toEqual([]);
    expect(texts.filter((text) => text.includes(secret))).toEqual([]);
  });
});
