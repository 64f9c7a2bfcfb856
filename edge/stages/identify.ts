/**
 * Who asks: nobody, or whom a bearer token or, on a change feed, a ticket names. A bad one is refused
 * everywhere, public routes included.
 */
import type { Context, MiddlewareHandler } from 'hono';
import { anonymous } from '../../shared/contract/principal.ts';
import type { Route } from '../../shared/contract/routes.ts';
import type { EdgeEnv } from '../context.ts';
import { tokenInvalid } from '../identity/tokens.ts';
import { mustBeDeclaredOrigin, type Taken, takeTicket, ticketRefused } from '../live/ticket-parameter.ts';
import { mustRedeem } from '../live/tickets.client.ts';

export function identify(): MiddlewareHandler<EdgeEnv> {
  return async function identify(c, next) {
    const header = c.get('sent').get('authorization');
    const route: Route | undefined = c.get('route');
    const taken = route?.verb === 'changes' ? takeTicket(c.get('target')) : undefined;
    if (taken !== undefined) await admitTicket(c, taken, header);
    else if (header === null) c.set('principal', anonymous);
    else {
      const { principal, expiresAt } = await c.get('context').tokens.mustVerify(mustBearer(header), (work) => c.executionCtx.waitUntil(work));
      c.set('principal', principal);
      c.set('signedInUntil', expiresAt);
    }
    await next();
  };
}

async function admitTicket(c: Context<EdgeEnv>, { ticket, rest }: Taken, header: string | null): Promise<void> {
  c.set('target', rest);
  if (header !== null) throw ticketRefused('comes in place of an Authorization header, not with one');
  // Before it is taken: a foreign page must not be able to spend it.
  mustBeDeclaredOrigin(c.req.raw.headers, c.get('context').settings.corsOrigins);
  const { principal, signedInUntil } = await mustRedeem(c.env.TICKETS, ticket);
  c.set('principal', principal);
  c.set('signedInUntil', signedInUntil);
}

/** RFC 6750 §2.1; the scheme's case does not matter (RFC 9110 §11.1). */
function mustBearer(header: string): string {
  const token = /^bearer +([A-Za-z0-9._~+/=-]+)$/i.exec(header)?.[1];
  if (token === undefined) throw tokenInvalid('the Authorization header is not a bearer token');
  return token;
}
