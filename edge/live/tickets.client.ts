/**
 * Tickets: `EventSource` cannot send an Authorization header, so a page asks for a ticket with its token and
 * opens the feed with the ticket (SEMANTICS: browsers). 256 random bits, one use, 30 s; kept as a hash.
 */
import type { Bearer, Tickets } from '../coordinator/tickets.object.ts';
import { toBase64Url } from '../hop/base64.ts';
import { tokenInvalid } from '../identity/tokens.ts';
import { edgeLimits } from '../limits.ts';

type Namespace = DurableObjectNamespace<Tickets>;

export async function issueTicket(tickets: Namespace, bearer: Bearer): Promise<string> {
  const ticket = `tkt_${toBase64Url(crypto.getRandomValues(new Uint8Array(32)))}`;
  await (await objectOf(tickets, ticket)).keep(bearer, edgeLimits.ticketSeconds * 1_000);
  return ticket;
}

/** Takes the ticket. A used, an expired and an invented one are refused alike: which it was is nobody's business. */
export async function mustRedeem(tickets: Namespace, ticket: string): Promise<Bearer> {
  const bearer = /^tkt_[A-Za-z0-9_-]{43}$/.test(ticket) ? await (await objectOf(tickets, ticket)).redeem() : undefined;
  if (bearer === undefined) throw tokenInvalid('the ticket is not valid: one use, within 30 seconds');
  return bearer;
}

async function objectOf(tickets: Namespace, ticket: string): Promise<DurableObjectStub<Tickets>> {
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(ticket)));
  return tickets.get(tickets.idFromName(toBase64Url(hash)));
}
