/** The one place that decides what a refusal tells the world: a problem document, and one line in the log. */
import { type Fault, type FaultReason, levelOf, toFault } from '../shared/wire/fault.ts';
import { toProblemResponse } from '../shared/wire/problem.ts';
import { log, toLogged } from './log.ts';
import { lineOf } from './request/line.ts';
import type { Arrival } from './request/arrival.ts';
import { occurrenceOf } from './request/traceparent.ts';

/** Refusals of this isolate by reason, since it began; each log line tells the count. */
const refusals = new Map<FaultReason, number>();

export function respond(thrown: unknown, request: Arrival): Response {
  const fault = toFault(thrown);
  count(fault, request);
  return toProblemResponse(fault, occurrenceOf(request));
}

/** The words for a client that asked wrongly may quote what it sent: they are the client's alone. */
function count(fault: Fault, request: Arrival): void {
  const { reason, status, facts, detail } = fault;
  const refused = (refusals.get(reason) ?? 0) + 1;
  refusals.set(reason, refused);
  Object.assign(request.seen, { isRefused: true, reason });
  const level = levelOf(reason);
  const line = { ...lineOf(request), reason, status, refused, facts };
  if (level === 'error') log(level, 'request.failed', { ...line, detail, cause: toLogged(fault.cause ?? fault) });
  else log(level, 'request.refused', level === 'info' ? line : { ...line, detail });
}
