/**
 * Spans of this process (OpenTelemetry), of what the edge has sampled: its decision comes with the `traceparent` that it signs
 * (W3C Trace Context §3.2.2.5). The libraries are loaded where an exporter is set, and nowhere else.
 */
import { hostname } from 'node:os';
import type { Span } from '@opentelemetry/api';
import type { Started } from '../services/services.ts';
import type { Store } from '../store/store.ts';

export interface Traces {
  /** `undefined`: it is not sampled. */
  begin(name: string, of: Beginning): Traced | undefined;
}

interface Beginning {
  readonly parent?: string | undefined;
  /** The `tracestate` beside the parent. */
  readonly state?: string | undefined;
  /** Another trace that led to it, which it is no part of. */
  readonly link?: string | undefined;
  /** Others are asked in it. */
  readonly isAsking?: true;
}

export interface Traced {
  /** What is caused from here on continues this span. */
  readonly traceparent: string;
  /** A store whose calls are spans below this one. */
  over(store: Store): Store;
  /** What it is called from now on. */
  named(name: string): void;
  /** Names that the code has, and numbers. */
  end(attributes: Readonly<Record<string, string | number | undefined>>, isFailed: boolean): void;
}

const bounds = {
  /** Spans that wait to be sent; more are dropped. */
  waitingMax: 8_192,
  sentAtOnceMax: 512,
  sentEveryMs: 1_000,
  /** One sending; what is not sent is lost. */
  sendingMsMax: 5_000,
} as const;

/** `url`: of an OTLP/HTTP receiver, without `/v1/traces`. */
export async function startTraces(url: string): Promise<Started<Traces>> {
  const [api, { OTLPTraceExporter }, { resourceFromAttributes }, sdk] = await Promise.all([
    import('@opentelemetry/api'), import('@opentelemetry/exporter-trace-otlp-http'), import('@opentelemetry/resources'),
    import('@opentelemetry/sdk-trace-base'),
  ]);
  const { createTraceState, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } = api;
  const exporter = new OTLPTraceExporter({ url: `${url}/v1/traces`, timeoutMillis: bounds.sendingMsMax });
  const processor = new sdk.BatchSpanProcessor(exporter, {
    maxQueueSize: bounds.waitingMax, maxExportBatchSize: bounds.sentAtOnceMax, scheduledDelayMillis: bounds.sentEveryMs,
    exportTimeoutMillis: bounds.sendingMsMax,
  });
  const provider = new sdk.BasicTracerProvider({
    // Of spans of one host a receiver believes the clock: Jaeger would else move a delivery to before the end of its write.
    resource: resourceFromAttributes({ 'service.name': 'tombolo-origin', 'host.name': hostname() }), spanProcessors: [processor],
    sampler: new sdk.AlwaysOnSampler(),
  });
  const tracer = provider.getTracer('tombolo');

  const below = (span: Span) => trace.setSpan(ROOT_CONTEXT, span);
  const timed = (name: string, span: Span, now: () => number, call: () => unknown): unknown => {
    const inner = tracer.startSpan(name, { kind: SpanKind.CLIENT, startTime: now() }, below(span));
    const failed = (cause: unknown): never => {
      inner.setStatus({ code: SpanStatusCode.ERROR }).end(now());
      throw cause;
    };
    const given = call();
    if (!(given instanceof Promise)) return inner.end(now()), given;
    return given.then((value: unknown) => (inner.end(now()), value), failed);
  };

  const begin: Traces['begin'] = (name, { parent, state, link, isAsking }) => {
    const [parentContext, linkContext] = [contextOf(parent), contextOf(link)];
    if (parentContext === undefined && linkContext === undefined) return undefined;
    const stated = state === undefined ? {} : { traceState: createTraceState(state) };
    const kind = isAsking === true ? SpanKind.CLIENT : linkContext === undefined ? SpanKind.SERVER : SpanKind.CONSUMER;
    const now = toClock();
    const span = tracer.startSpan(
      name,
      { kind, startTime: now(), links: linkContext === undefined ? [] : [{ context: linkContext }] },
      parentContext === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, { ...parentContext, ...stated }),
    );
    const { traceId, spanId } = span.spanContext();
    return {
      traceparent: `00-${traceId}-${spanId}-01`,
      over: (store) => over(store, (method, call) => timed(`store ${method}`, span, now, call)),
      named: (name) => void span.updateName(name),
      end(attributes, isFailed) {
        for (const [key, value] of Object.entries(attributes)) if (value !== undefined) span.setAttribute(`tombolo.${key}`, value);
        if (isFailed) span.setStatus({ code: SpanStatusCode.ERROR });
        span.end(now());
      },
    };
  };
  return { value: { begin }, stop: () => provider.shutdown(), state: () => ({ ready: true }) };
}

/**
 * The time of the system in milliseconds, exact to a part of one from its first call on, so that a span and those below it
 * lie as they were; the system's own clock would have each begin at a whole millisecond.
 */
function toClock(): () => number {
  const beganMs = Date.now() - performance.now();
  return () => beganMs + performance.now();
}

/** Of a `traceparent` of version 00 that says that it is sampled. */
function contextOf(traceparent: string | undefined) {
  const found = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/.exec(traceparent ?? '');
  const [, traceId = '', spanId = '', flags = '0'] = found ?? [];
  return (Number.parseInt(flags, 16) & 1) === 1 ? { traceId, spanId, traceFlags: 1, isRemote: true } : undefined;
}

/** What a store is asked for in a call. */
const asked: ReadonlySet<string | symbol> = new Set([
  'get', 'many', 'holder', 'list', 'lists', 'count', 'write', 'aggregate', 'distinct', 'hold',
]);

function over(store: Store, timed: (method: string, call: () => unknown) => unknown): Store {
  return new Proxy(store, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      const bound = value.bind(target) as (...given: readonly unknown[]) => unknown;
      return asked.has(name) ? (...given: readonly unknown[]) => timed(String(name), () => bound(...given)) : bound;
    },
  });
}
