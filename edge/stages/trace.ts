/** Names every request, so that client, edge, origin and logs can speak of the same one. */
import type { Stage } from '../path.ts';
import { tell } from '../leave.ts';

export function trace(): Stage {
  return function trace(c) {
    // An id that a client brings is not believed: it could be another request's.
    const requestId = `req_${crypto.randomUUID().replaceAll('-', '')}`;
    c.set('requestId', requestId);
    tell(c, 'x-request-id', requestId);
    return undefined;
  };
}
