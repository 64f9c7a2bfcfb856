/**
 * Who asks: nobody, or whom a bearer token, an API key or, on a change feed, a ticket names. A bad one is refused
 * everywhere, public routes included.
 */
import { isLikeApiKey } from '../../shared/api-keys/key-text.ts';
import { isFeed } from '../../shared/operations/operation.ts';
import { anonymous } from '../../shared/wire/principal.ts';
import { bearerOf } from '../identity/bearer.ts';
import { verifyEventId } from '../identity/event-ids.ts';
import { mustBeDeclaredOrigin, type Taken, takeTicket, ticketRefused } from '../identity/ticket-parameter.ts';
import { mustBeTicket, mustRedeem } from '../identity/tickets.client.ts';
import { tokenInvalid } from '../identity/token-faults.ts';
import type { Verified } from '../identity/tokens.ts';
import type { Identified, Identity, Routed } from '../request/request.ts';
import type { Stage } from '../runner.ts';

export function identify(): Stage<Routed, Identified> {
  return function identify(request, next) {
    const header = request.sent.get('authorization');
    const taken = request.route !== undefined && isFeed(request.route.operation) ? takeTicket(request.target) : undefined;
    if (taken !== undefined) {
      return toTicketIdentity(request, taken, header).then((identity) => next(withIdentity({ ...request, target: taken.rest }, identity)));
    }
    if (header === null) return next(withIdentity(request, nobody));
    const { recalled, context: { apiKeys } } = request;
    if (recalled !== undefined) apiKeys.noteUse(request, recalled.principal);
    const verified = recalled ?? verify(request, mustBearer(header));
    if (verified instanceof Promise) return verified.then((late) => next(withIdentity(request, toIdentity(late))));
    return next(withIdentity(request, toIdentity(verified)));
  };
}

const nobody: Identity = { principal: anonymous, signedInUntil: undefined, stream: undefined };

/** One spread and then fields by name: a second spread in one literal costs every request a microsecond more. */
function withIdentity(request: Routed, { principal, signedInUntil, stream }: Identity): Identified {
  request.seen.principal = principal;
  return { ...request, principal, signedInUntil, stream };
}

/** Fast path: a token or a key that this isolate knows is answered at once, from memory. */
function verify(request: Routed, token: string): Verified | Promise<Verified> {
  const { context: { tokens, apiKeys }, waitUntil } = request;
  if (isLikeApiKey(token)) return apiKeys.verify(request, token);
  return tokens.recall(token, waitUntil) ?? tokens.mustVerify(token, waitUntil);
}

function toIdentity({ principal, expiresAt }: Verified): Identity {
  return { principal, signedInUntil: expiresAt, stream: undefined };
}

async function toTicketIdentity(request: Routed, { ticket }: Taken, header: string | null): Promise<Identity> {
  const { raw, sent, context: { host, macs, settings, apiKeys } } = request;
  if (header !== null) throw ticketRefused('comes in place of an Authorization header, not with one');
  // The page is checked before the ticket is taken: a foreign one must not be able to spend it.
  mustBeDeclaredOrigin(raw.headers, settings.corsOrigins);
  const stream = await mustBeTicket(ticket, macs);
  const lastEventId = sent.get('last-event-id');
  const isHeard = lastEventId !== null && verifyEventId(lastEventId, macs)?.stream === stream;
  const { principal, signedInUntil } = await mustRedeem(host.tickets, stream, isHeard ? 'again' : 'first');
  // A ticket outlives no key that it was asked for with.
  await apiKeys.mustStand(request, principal);
  return { principal, signedInUntil, stream };
}

function mustBearer(header: string): string {
  const token = bearerOf(header);
  if (token === undefined) throw tokenInvalid('the Authorization header is not a bearer token');
  return token;
}
