/**
 * Who asks: nobody, or whom a bearer token or, on a change feed, a ticket names. A bad one is refused
 * everywhere, public routes included.
 */
import type { Context } from 'hono';
import { anonymous } from '../../shared/contract/principal.ts';
import type { Route } from '../../shared/operations/route.ts';
import type { EdgeEnv } from '../context.ts';
import { verifyEventId } from '../hop/event-ids.ts';
import { tokenInvalid } from '../identity/token-faults.ts';
import type { Verified } from '../identity/tokens.ts';
import { mustBeDeclaredOrigin, type Taken, takeTicket, ticketRefused } from '../live/ticket-parameter.ts';
import { mustBeTicket, mustRedeem } from '../live/tickets.client.ts';
import type { Stage } from '../path.ts';

export function identify(): Stage {
  return function identify(c) {
    const header = c.get('sent').get('authorization');
    const route: Route | undefined = c.get('route');
    const taken = route?.operation.answers === 'moment' ? takeTicket(c.get('target')) : undefined;
    if (taken !== undefined) return admitTicket(c, taken, header);
    if (header !== null) return admitBearer(c, mustBearer(header));
    c.set('principal', anonymous);
    return undefined;
  };
}

/** A token that this isolate knows is one look. */
function admitBearer(c: Context<EdgeEnv>, token: string): undefined | Promise<undefined> {
  const waitUntil = (work: Promise<unknown>) => c.executionCtx.waitUntil(work);
  const { tokens } = c.get('context');
  const known = tokens.recall(token, waitUntil);
  return known === undefined ? tokens.mustVerify(token, waitUntil).then((verified) => admit(c, verified)) : admit(c, known);
}

function admit(c: Context<EdgeEnv>, { principal, expiresAt }: Verified): undefined {
  c.set('principal', principal);
  c.set('signedInUntil', expiresAt);
}

async function admitTicket(c: Context<EdgeEnv>, { ticket, rest }: Taken, header: string | null): Promise<undefined> {
  c.set('target', rest);
  if (header !== null) throw ticketRefused('comes in place of an Authorization header, not with one');
  // Before it is taken: a foreign page must not be able to spend it.
  mustBeDeclaredOrigin(c.req.raw.headers, c.get('context').settings.corsOrigins);
  const { macs } = c.get('context');
  const stream = await mustBeTicket(ticket, macs);
  const lastEventId = c.get('sent').get('last-event-id');
  const isHeard = lastEventId !== null && (await verifyEventId(lastEventId, macs))?.stream === stream;
  const { principal, signedInUntil } = await mustRedeem(c.env.TICKETS, stream, isHeard ? 'again' : 'first');
  c.set('stream', stream);
  return admit(c, { principal, expiresAt: signedInUntil });
}

/** RFC 6750 §2.1; the scheme's case does not matter (RFC 9110 §11.1). */
function mustBearer(header: string): string {
  const token = /^bearer +([A-Za-z0-9._~+/=-]+)$/i.exec(header)?.[1];
  if (token === undefined) throw tokenInvalid('the Authorization header is not a bearer token');
  return token;
}
