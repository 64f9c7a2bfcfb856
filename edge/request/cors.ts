/** CORS (https://fetch.spec.whatwg.org/#http-cors-protocol) for declared origins, and no others. */
import { isPeoplePath } from '../../shared/people/paths.ts';
import { Fault } from '../../shared/wire/fault.ts';
import { edgeLimits } from '../limits.ts';
import type { Admitted } from './request.ts';
import type { SentHeaders } from './request-headers.ts';

const requestHeaders =
  'Accept, API-Version, Authorization, Baggage, Cache-Control, Content-Type, Idempotency-Key, If-Match, If-None-Match, Last-Event-ID, ' +
  'Prefer, Tombolo-Position, Traceparent, Tracestate';
/** The headers that pages may read: those of SEMANTICS §13, and the rest of what this API says. */
const exposedHeaders =
  'Accept-Patch, Age, Allow, API-Version, Cache-Status, Deprecation, ETag, Link, Location, Preference-Applied, RateLimit, ' +
  'RateLimit-Policy, Retry-After, Sunset, Tombolo-Brownout, Tombolo-Limits, Tombolo-Position, WWW-Authenticate, X-Request-Id';

/**
 * Lets a declared page read the answer, and below `/auth` send and take cookies with it
 * (https://fetch.spec.whatwg.org/#cors-protocol-and-credentials). That every answer varies by Origin stands in `security-headers.ts`.
 */
export function setCorsHeaders(answer: Headers, { context: { settings }, sent, target }: Admitted): void {
  const origin = sent.get('origin');
  if (origin === null || !settings.corsOrigins.has(origin)) return;
  answer.set('access-control-allow-origin', origin);
  answer.set('access-control-expose-headers', exposedHeaders);
  if (settings.people !== undefined && isPeoplePath(target.path)) answer.set('access-control-allow-credentials', 'true');
}

export function originNotAllowed(): Fault {
  return new Fault('origin_not_allowed', { detail: 'pages of this origin are not declared in TOMBOLO_CORS_ORIGINS' });
}

/** The answer to OPTIONS: what the path allows, and to a preflight also what a page may send. */
export function toOptionsAnswer(request: SentHeaders, options: Readonly<Record<'allow', string>>, declared: ReadonlySet<string>): Response {
  const headers = new Headers(options);
  if (request.get('origin') === null || request.get('access-control-request-method') === null) {
    return new Response(null, { status: 204, headers });
  }
  if (!declared.has(request.get('origin') ?? '')) throw originNotAllowed();
  headers.set('access-control-allow-methods', options.allow);
  headers.set('access-control-allow-headers', requestHeaders);
  headers.set('access-control-max-age', String(edgeLimits.preflightSeconds));
  headers.set('vary', 'Access-Control-Request-Method, Access-Control-Request-Headers');
  return new Response(null, { status: 204, headers });
}
