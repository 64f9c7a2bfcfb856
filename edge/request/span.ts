/** The edge's span of a request that is sampled, sent as OTLP/HTTP JSON behind the answer; a library for it weighs 16 KB. */
import { toSpanName } from '../../shared/wire/request-line.ts';
import { edgeLimits } from '../limits.ts';
import { log, toLogged } from '../log.ts';
import type { Arrival } from './arrival.ts';
import { traceOf } from './traceparent.ts';

/** Of this isolate, in the second that began at `since`. */
const sent = { since: 0, spans: 0 };

/** Hands on the answer. Callers decide what is sampled, so an isolate sends no more spans a second than are bounded. */
export function traced(request: Arrival, answer: Response): Response {
  const { seen, waitUntil } = request;
  const url = seen.context?.settings.otlpUrl;
  if (url === undefined || !traceOf(request).isExported) return answer;
  const now = Date.now();
  if (now - sent.since >= 1_000) Object.assign(sent, { since: now, spans: 0 });
  if (++sent.spans > edgeLimits.spansPerSecondMax) return answer;
  const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(toSpans(request, answer, now)) };
  waitUntil(fetch(`${url}/v1/traces`, { ...init, signal: AbortSignal.timeout(edgeLimits.spanSentMsMax) }).then(
    (taken) => taken.body?.cancel(),
    (cause: unknown) => log('warn', 'trace.not_sent', { to: new URL(url).origin, cause: toLogged(cause) }),
  ));
  return answer;
}

/**
 * `ExportTraceServiceRequest` of OTLP 1.0: times are texts of nanoseconds, ids hexadecimal. The clock tells milliseconds: a span
 * goes on until its last one is over, so that those below it end within it.
 */
function toSpans(request: Arrival, { status, headers }: Response, now: number): object {
  const { requestId, seen: { beganAt, operation, resource } } = request;
  const { traceId, parentId, spanId, state: traceState } = traceOf(request);
  const attributes = toAttributes({
    'tombolo.request': requestId, 'tombolo.operation': operation, 'tombolo.resource': resource, 'tombolo.status': status,
    'tombolo.cache': headers.get('cache-status') ?? undefined,
  });
  const span = {
    traceId, spanId, traceState, parentSpanId: parentId, name: toSpanName(operation, resource), kind: 2,
    startTimeUnixNano: `${beganAt}000000`, endTimeUnixNano: `${now}999999`, attributes, status: { code: status >= 500 ? 2 : 0 },
  };
  const resourceOfAll = { attributes: toAttributes({ 'service.name': 'tombolo-edge' }) };
  return { resourceSpans: [{ resource: resourceOfAll, scopeSpans: [{ scope: { name: 'tombolo' }, spans: [span] }] }] };
}

function toAttributes(values: Readonly<Record<string, string | number | undefined>>): readonly object[] {
  return Object.entries(values).flatMap(([key, value]) =>
    value === undefined ? [] : [{ key, value: typeof value === 'string' ? { stringValue: value } : { intValue: value } }]);
}
