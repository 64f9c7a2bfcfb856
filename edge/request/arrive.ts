/** Names every request, so that client, edge, origin and logs can speak of the same one. */
import { randomId } from './random-texts.ts';
import type { Arrival } from './arrival.ts';

/** `variables` are the platform's own: the settings are read by a later stage, and production pays for no clock. */
export function toArrival(raw: Request, variables: object, waitUntil: Arrival['waitUntil']): Arrival {
  // An id that a client brings is not believed: it could be another request's.
  const requestId = `req_${randomId()}`;
  const isDevelopment = 'TOMBOLO_ENV' in variables && variables.TOMBOLO_ENV === 'development';
  return {
    raw, requestId, waitUntil, told: [['x-request-id', requestId]], seen: { beganAt: Date.now() }, timings: isDevelopment ? [] : undefined,
  };
}
