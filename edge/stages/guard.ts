/**
 * Refuses what is too large or names no host that there can be, before anything is parsed or paid for.
 *
 * Of a client's headers the origin sees those that its operation reads, and no others: `tombolo-*`, `signature*`,
 * `expect` and whatever else is sent along go no further than the edge.
 */
import { Fault } from '../../shared/wire/fault.ts';
import { isHost } from '../../shared/wire/host.ts';
import { limits } from '../../shared/wire/limits.ts';
import { hopHeaders } from '../../shared/hop/profile.ts';
import { edgeLimits } from '../limits.ts';
import type { Admitted } from '../request/request.ts';
import type { Stage } from '../runner.ts';

export function guard(): Stage<Admitted, Admitted> {
  return function guard(request, next) {
    mustFit(request);
    mustNameHost(request);
    return next(request);
  };
}

function mustFit({ target: { path, query }, sent }: Admitted): void {
  if (path.length + query.length > limits.targetBytesMax) {
    throw new Fault('target_too_long', { detail: `path and query have at most ${limits.targetBytesMax} bytes` });
  }
  if (sent.bytes > limits.headerBytesMax) {
    throw new Fault('headers_too_large', { detail: `all header fields together have at most ${limits.headerBytesMax} bytes` });
  }
  if (sent.bytes <= edgeLimits.carriedCharactersMax) return;
  // Only these headers go on to the origin, beside what the edge adds itself.
  for (const name of hopHeaders) {
    if ((sent.get(name)?.length ?? 0) > edgeLimits.carriedCharactersMax) {
      throw new Fault('headers_too_large', { detail: `${name} has at most ${edgeLimits.carriedCharactersMax} characters` });
    }
  }
}

function mustNameHost({ sent }: Admitted): void {
  if (isHost(sent.get('host'))) return;
  throw new Fault('header_invalid', {
    detail: 'Host: one host, with its port where it has one',
    errors: [{ at: 'Host', in: 'header', detail: 'one host, with its port where it has one' }],
  });
}
