/**
 * The parameter `ticket` of a change feed: taken out of the URL before any stage behind could see it, so it
 * reaches neither the origin, a cache key, nor a log. On every other route it is a parameter like any other,
 * which `validate` refuses unless the contract knows it.
 */
import { Fault } from '../../shared/contract/fault.ts';

const parameter = 'ticket';

/** The ticket, and the URL without it. */
export function takeTicket(url: URL): { readonly ticket: string; readonly rest: URL } | undefined {
  const [ticket, ...more] = url.searchParams.getAll(parameter);
  if (ticket === undefined) return undefined;
  if (more.length > 0) throw ticketRefused('is given twice');
  const rest = new URL(url);
  rest.searchParams.delete(parameter);
  return { ticket, rest };
}

export function ticketRefused(detail: string): Fault {
  return new Fault('query_invalid', { detail: `${parameter}: ${detail}`, errors: [{ at: parameter, in: 'query', detail }] });
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
  throw new Fault('origin_not_allowed', { detail: 'pages of this origin are not declared in TOMBOLO_CORS_ORIGINS' });
}
