/**
 * The line of a request in the log (SEMANTICS §22), built of the members that are named here and of nothing else: no path, no
 * query, no field that was sent.
 */
import type { Route } from '../../shared/operations/route.ts';
import type { FaultReason } from '../../shared/wire/fault.ts';
import type { Principal } from '../../shared/wire/principal.ts';
import { hashedOf, isChosen, principalBytes } from '../../shared/wire/request-line.ts';
import type { EdgeSettings } from '../../shared/settings/edge-settings.ts';
import { toBase64Url } from '../../shared/wire/base64.ts';
import { isTold, log } from '../log.ts';
import type { Counts } from '../metrics/counts.ts';
import type { DataPoints } from '../metrics/data-points.ts';
import type { Macs } from '../origin-client/macs.ts';
import type { Arrival } from './arrival.ts';
import { type Trace, traceOf } from './traceparent.ts';

/** The isolate's context, of which no more is asked where all that is known of a request is that it arrived. */
interface Telling {
  readonly settings: EdgeSettings;
  readonly macs: Macs;
  readonly counts: Counts | undefined;
  readonly dataPoints: DataPoints | undefined;
}

/** What stages find out of a request for its line. */
export interface Seen {
  /** Milliseconds of the epoch. */
  readonly beganAt: number;
  context?: Telling;
  operation?: string;
  resource?: string;
  principal?: Principal;
  /** Found out when it is first asked for. */
  trace?: Trace;
  /** A refusal's line is written where it is answered. */
  isRefused?: true;
  /** Of a refusal of the edge's own. */
  reason?: FaultReason;
}

/** Hands on the answer; a line of one that is not refused is written of one request in `TOMBOLO_LOG_ONE_IN`. */
export function told(request: Arrival, answer: Response): Response {
  const { seen, requestId } = request;
  if (seen.isRefused !== undefined || seen.context === undefined) return answer;
  if (!isTold('debug') && !(isChosen(requestId, seen.context.settings.logOneIn) && isTold('info'))) return answer;
  const { status, headers } = answer;
  const [bytes, cache] = [headers.get('content-length'), headers.get('cache-status')?.slice('tombolo; '.length)];
  log('info', 'request', { ...lineOf(request), status, cache, bytes: bytes === null ? undefined : Number(bytes) });
  return answer;
}

/** Notes what is asked for. */
export function see({ seen }: Arrival, { operation, resource }: Route): void {
  seen.operation = operation.name;
  seen.resource = resource.name;
}

/** What a line says of any request. */
export function lineOf(request: Arrival): Readonly<Record<string, unknown>> {
  const { raw, requestId, seen } = request;
  const { beganAt, context, operation, resource, principal } = seen;
  return {
    requestId, traceId: traceOf(request).traceId, operation, resource, method: raw.method,
    principal: context === undefined || principal === undefined ? undefined : principalHash(context, principal),
    ms: Date.now() - beganAt,
  };
}

/** The same as at the origin: whoever has not the deployment's key cannot find it by hashing names. */
function principalHash({ macs }: Telling, principal: Principal): string | undefined {
  const hashed = hashedOf(principal);
  return hashed === undefined ? undefined : toBase64Url(macs.first(hashed).subarray(0, principalBytes));
}
