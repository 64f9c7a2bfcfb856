/**
 * The door: what is too large ends here, before anything is parsed or paid for.
 *
 * Of a client's headers the origin sees those that `forward` names, and no others: `tombolo-*`, `signature*`,
 * `expect` and whatever else is sent along go no further than the edge.
 */
import { Fault } from '../../shared/contract/fault.ts';
import { limits } from '../../shared/contract/limits.ts';
import { hopHeaders } from '../../shared/hop/profile.ts';
import { floodKey } from '../flood-key.ts';
import { edgeLimits } from '../limits.ts';
import type { Stage } from '../path.ts';
import { SentHeaders } from '../sent-headers.ts';
import { type Target, toTarget } from '../target.ts';

/** Names target, fields, sender and deadline for the stages behind. */
export function guard(): Stage {
  return function guard(c) {
    const { raw } = c.req;
    const target = toTarget(raw.url);
    const sent = new SentHeaders(raw.headers);
    c.set('target', target);
    c.set('sent', sent);
    c.set('network', networkOf(sent));
    c.set('deadlineAt', Date.now() + limits.requestMsMax);
    mustFit(target, sent);
    return undefined;
  };
}

function mustFit({ path, query }: Target, sent: SentHeaders): void {
  if (path.length + query.length > limits.targetBytesMax) throw new Fault('target_too_long', { detail: `path and query have at most ${limits.targetBytesMax} bytes` });
  if (sent.bytes > limits.headerBytesMax) throw new Fault('headers_too_large', { detail: `all header fields together have at most ${limits.headerBytesMax} bytes` });
  if (sent.bytes <= edgeLimits.carriedCharactersMax) return;
  // Those that go on to the origin, beside what the edge adds itself.
  for (const name of hopHeaders)
    if ((sent.get(name)?.length ?? 0) > edgeLimits.carriedCharactersMax) throw new Fault('headers_too_large', { detail: `${name} has at most ${edgeLimits.carriedCharactersMax} characters` });
}

/** Cloudflare sets the header, over whatever a client sent. Without Cloudflare there is none, and no address. */
function networkOf(sent: SentHeaders): string | undefined {
  const address = sent.get('cf-connecting-ip');
  return address === null ? undefined : floodKey(address);
}
