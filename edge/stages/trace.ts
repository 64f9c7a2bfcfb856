/** Names every request, so that client, edge, origin and logs can speak of the same one. */
import type { MiddlewareHandler } from 'hono';
import type { EdgeEnv } from '../context.ts';

export function trace(): MiddlewareHandler<EdgeEnv> {
  return async function trace(c, next) {
    const uuid = crypto.randomUUID().replaceAll('-', '');
    // An id that a client brings is not believed: it could be another request's.
    const requestId = `req_${uuid}`;
    c.set('requestId', requestId);
    c.set('traceparent', parseTraceparent(c.req.raw.headers.get('traceparent')) ?? `00-${uuid}-${uuid.slice(16)}-00`);
    await next();
    c.res.headers.set('x-request-id', requestId);
  };
}

/** W3C Trace Context §3.2: version 00 in full; what is not valid is replaced, not repaired. */
function parseTraceparent(header: string | null): string | undefined {
  const found = header === null ? null : /^00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}$/.exec(header);
  if (found?.[1] === undefined || found[2] === undefined) return undefined;
  return /^0+$/.test(found[1]) || /^0+$/.test(found[2]) ? undefined : found[0];
}
