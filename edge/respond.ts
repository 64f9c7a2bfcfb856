/** The one place that decides what a refusal tells the world: a problem document, and one line in the log. */
import { type Fault, type FaultReason, levelOf, toFault } from '../shared/wire/fault.ts';
import { toProblemResponse } from '../shared/wire/problem.ts';
import { log, toLogged } from './log.ts';
import { toTarget } from './request/target.ts';

/** Refusals of this isolate by reason, since it began; each log line tells the count. */
const refusals = new Map<FaultReason, number>();

export function respond(thrown: unknown, request: { readonly raw: Request; readonly requestId: string }): Response {
  const fault = toFault(thrown);
  count(fault, request);
  return toProblemResponse(fault, request.requestId);
}

function count(fault: Fault, { raw, requestId }: { readonly raw: Request; readonly requestId: string }): void {
  const refused = (refusals.get(fault.reason) ?? 0) + 1;
  refusals.set(fault.reason, refused);
  const level = levelOf(fault.reason);
  const path = toTarget(raw.url).path.slice(0, 200);
  const facts = { requestId, reason: fault.reason, status: fault.status, refused, method: raw.method, path, ...fault.facts };
  if (level === 'error') log(level, 'request.failed', { ...facts, detail: fault.detail, cause: toLogged(fault.cause ?? fault) });
  else log(level, 'request.refused', { ...facts, detail: fault.detail });
}
