/**
 * Tickets: `EventSource` cannot send an Authorization header, so a page asks for a ticket with its token and
 * opens the feed with the ticket (SEMANTICS §13). A ticket is 256 random bits and their MAC, so that an invented one is
 * refused without asking anybody. It is good once within 30 s; then, for as long as its stream may last, for whoever
 * brings the id of an event that this very stream was given.
 */
import type { Host } from '../host/host.ts';
import type { Bearer, Opening } from './ticket.ts';
import { toBase64Url } from '../../shared/wire/base64.ts';
import type { Macs } from '../origin-client/macs.ts';
import { isTruncatedMac, signTruncated } from './truncated-macs.ts';
import { tokenInvalid } from './token-faults.ts';
import { edgeLimits } from '../limits.ts';

export async function issueTicket(tickets: Host['tickets'], macs: Macs, bearer: Bearer): Promise<string> {
  const random = toBase64Url(crypto.getRandomValues(new Uint8Array(32)));
  const ticket = `tkt_${random}.${signTruncated(macs, toSigned(random))}`;
  await tickets.keep(await streamOf(ticket), bearer, edgeLimits.ticketSeconds * 1_000);
  return ticket;
}

/** The name of the stream that the ticket opens: the ticket's hash. */
export async function mustBeTicket(ticket: string, macs: Macs): Promise<string> {
  const [, random = '', mac = ''] = /^tkt_([A-Za-z0-9_-]{43})\.([A-Za-z0-9_-]{22})$/.exec(ticket) ?? [];
  if (random === '' || !isTruncatedMac(macs, toSigned(random), mac)) throw refused();
  return streamOf(ticket);
}

/** A used, an expired and an invented one are refused alike: which it was is nobody's business. */
export async function mustRedeem(tickets: Host['tickets'], stream: string, opening: Opening): Promise<Bearer> {
  const bearer = await tickets.redeem(stream, opening);
  if (bearer === undefined) throw refused();
  return bearer;
}

function refused(): Error {
  return tokenInvalid('the ticket is not valid: one use, within 30 seconds, then with the Last-Event-ID of its own stream alone');
}

/** The purpose keeps it apart from what else the ring signs (`shared/hop/keys.ts`). */
function toSigned(random: string): string {
  return `tombolo-ticket ${random}`;
}

const streamBytes = 16;

async function streamOf(ticket: string): Promise<string> {
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(ticket)));
  return toBase64Url(hash.subarray(0, streamBytes));
}
