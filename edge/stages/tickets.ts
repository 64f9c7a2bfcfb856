/** `POST /v1/live/tickets`: a ticket for whoever is signed in, to open one live feed with (SEMANTICS §13). */
import type { Context } from 'hono';
import { Fault } from '../../shared/contract/fault.ts';
import { mustBeWithoutParameters } from '../../shared/contract/parameters.ts';
import { currentVersion } from '../../shared/operations/route.ts';
import type { EdgeEnv } from '../context.ts';
import { edgeLimits } from '../limits.ts';
import { issueTicket } from '../live/tickets.client.ts';
import type { Stage } from '../path.ts';

export const ticketsPath = `/${currentVersion}/live/tickets`;

/** A body says nothing here, so none is read. */
export function tickets(): Stage {
  return function tickets(c) {
    return c.get('target').path === ticketsPath ? issue(c) : undefined;
  };
}

async function issue(c: Context<EdgeEnv>): Promise<Response> {
  mustBeWithoutParameters(c.get('target').query);
  const signedInUntil = c.get('signedInUntil');
  if (signedInUntil === undefined) throw new Fault('token_missing', { detail: 'sign in to get a ticket', headers: { 'www-authenticate': 'Bearer realm="tombolo"' } });
  const ticket = await issueTicket(c.env.TICKETS, c.get('context').macs, { principal: c.get('principal'), signedInUntil });
  return c.json({ ticket, expiresIn: edgeLimits.ticketSeconds }, 201, { 'cache-control': 'no-store' });
}
