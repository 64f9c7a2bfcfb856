/**
 * Cross-site request forgery: who may change something below `/auth`, where cookies say who asks. A browser sends `Origin`
 * with every such request (https://fetch.spec.whatwg.org/#origin-header), and says `Sec-Fetch-Site` of all
 * (https://www.w3.org/TR/fetch-metadata/). A link in a mail comes from anywhere, as GET, and opens what its token opens.
 */
import { Fault } from '../../shared/wire/fault.ts';
import { originNotAllowed } from '../request/cors.ts';
import type { Identified } from '../request/request.ts';

/** The page's origin, as far as there is one: our own, or a declared one. `hasCookies`: of ours. */
export function mustOwnPage({ raw, sent, context: { settings } }: Identified, hasCookies: boolean): string | undefined {
  const origin = sent.get('origin');
  const site = sent.get('sec-fetch-site');
  if (origin !== null) {
    if (settings.corsOrigins.has(origin)) return origin;
    const isOwn = origin === settings.people || (settings.environment === 'development' && origin === URL.parse(raw.url)?.origin);
    if (!isOwn) throw originNotAllowed();
    return settings.people;
  }
  if (raw.method === 'GET') return undefined;
  const isForeign = site !== null && site !== 'same-origin' && site !== 'none';
  if (hasCookies || isForeign) throw originMissing();
  return undefined;
}

function originMissing(): Fault {
  return new Fault('origin_not_allowed', {
    detail: 'what changes something by a cookie names the origin of its page',
    errors: [{ at: 'origin', in: 'header', detail: 'is missing' }],
  });
}
