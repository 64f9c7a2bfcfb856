/** The one place that decides what a refusal tells the world: a problem document, and one line in the log. */
import type { Context } from 'hono';
import { HTTPException } from 'hono/http-exception';
import { Fault, levelOf, toFault } from '../shared/contract/fault.ts';
import { toProblemResponse } from '../shared/contract/problem.ts';
import { type EdgeEnv, refusals } from './context.ts';
import { log, toLogged } from './log.ts';

export function respond(thrown: unknown, c: Context<EdgeEnv>): Response {
  const fault = toEdgeFault(thrown);
  const requestId = c.get('requestId') ?? 'none';
  count(fault, requestId, c);
  const response = toProblemResponse(fault, requestId);
  response.headers.set('x-request-id', requestId);
  return response;
}

function count(fault: Fault, requestId: string, c: Context<EdgeEnv>): void {
  const refused = (refusals.get(fault.reason) ?? 0) + 1;
  refusals.set(fault.reason, refused);
  const level = levelOf(fault.reason);
  const facts = { requestId, reason: fault.reason, status: fault.status, refused, method: c.req.method, path: c.req.path.slice(0, 200), ...fault.facts };
  if (level === 'error') log(level, 'request.failed', { ...facts, detail: fault.detail, cause: toLogged(fault.cause ?? fault) });
  else log(level, 'request.refused', { ...facts, detail: fault.detail });
}

function toEdgeFault(thrown: unknown): Fault {
  // The one exception that Hono's JSON validator throws itself.
  if (thrown instanceof HTTPException && thrown.status === 400) return new Fault('body_malformed', { detail: 'the body is not JSON', cause: thrown });
  return toFault(thrown);
}
