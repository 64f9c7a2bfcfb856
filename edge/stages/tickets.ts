/** `POST /v2/live/tickets`: a ticket for whoever is signed in, to open one live feed with (SEMANTICS §13). */
import { mustBeWithoutParameters } from '../../shared/wire/parameters.ts';
import { issueTicket } from '../identity/tickets.client.ts';
import { tokenMissing } from '../identity/token-faults.ts';
import { edgeLimits } from '../limits.ts';
import type { ForEdge, ForOrigin, Identified } from '../request/request.ts';
import type { Stage } from '../runner.ts';

/** The edge's other paths are answered before anybody is identified; only tickets come as far as here. */
export function tickets(): Stage<Identified, Identified<ForOrigin>> {
  return function tickets(request, next) {
    return request.own === undefined ? next(request) : issue(request);
  };
}

/** A body says nothing here, so none is read. */
async function issue({ target, signedInUntil, principal, context: { host, macs } }: Identified<ForEdge>): Promise<Response> {
  mustBeWithoutParameters(target.query);
  if (signedInUntil === undefined) throw tokenMissing('sign in to get a ticket');
  const ticket = await issueTicket(host.tickets, macs, { principal, signedInUntil });
  return Response.json({ ticket, expiresIn: edgeLimits.ticketSeconds }, { status: 201, headers: { 'cache-control': 'no-store' } });
}
