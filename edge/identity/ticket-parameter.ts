/**
 * The parameter `ticket` of a change feed: taken out of the target before any stage behind could see it, so it
 * reaches neither the origin, a cache key, nor a log. On every other route it is a parameter like any other,
 * which `validate` refuses unless the contract knows it.
 */
import type { Fault } from '../../shared/wire/fault.ts';
import { parametersRefused, toParameters } from '../../shared/wire/parameters.ts';
import { originNotAllowed } from '../request/cors.ts';
import type { Target } from '../request/target.ts';

const parameter = 'ticket';

export interface Taken {
  readonly ticket: string;
  /** What was asked for, without the ticket. */
  readonly rest: Target;
}

export function takeTicket({ path, query }: Target): Taken | undefined {
  const search = toParameters(query);
  const ticket = search.get(parameter);
  if (ticket === null) return undefined;
  search.delete(parameter);
  return { ticket, rest: { path, query: search.size === 0 ? '' : `?${search}` } };
}

export function ticketRefused(detail: string): Fault {
  return parametersRefused([[parameter, detail]]);
}

/**
 * A page must be of a declared origin. Browsers send `Origin` with every request to another one, and
 * `Sec-Fetch-Site` with all (W3C Fetch Metadata §2.4); of requests without Origin only those of our own
 * pages pass. Without either header it is no browser, and there is no page to check.
 */
export function mustBeDeclaredOrigin(headers: Headers, declared: ReadonlySet<string>): void {
  const origin = headers.get('origin');
  const site = headers.get('sec-fetch-site');
  if (origin === null ? site === null || site === 'same-origin' : declared.has(origin)) return;
  throw originNotAllowed();
}
