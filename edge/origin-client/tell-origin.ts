/** What the edge tells the origin for itself, behind an answer: JSON, by POST, below the current version. */
import { joinedBytes } from '../../shared/wire/bytes.ts';
import type { Principal } from '../../shared/wire/principal.ts';
import { edgeLimits } from '../limits.ts';
import type { Admitted } from '../request/request.ts';
import { traceparentOf } from '../request/traceparent.ts';
import { discardReply } from './one-origin.ts';

/** Gives the status. Throws what kept it from being told. */
export async function tellOrigin(
  request: Admitted, told: { readonly path: string; readonly principal: Principal; readonly body: object },
): Promise<number> {
  const { context: { origin, contract }, requestId, waitUntil } = request;
  const reply = await origin.ask({
    method: 'POST', target: { path: `/${contract.versions.current.name}${told.path}`, query: '' }, safe: false, principal: told.principal,
    headers: { 'content-type': 'application/json' }, body: joinedBytes([new TextEncoder().encode(JSON.stringify(told.body))]),
    deadlineAt: Date.now() + edgeLimits.toldMsMax, requestId, waitUntil, refusedAt: 3, traceparent: traceparentOf(request),
  });
  await discardReply(reply);
  return reply.status;
}
