/** A request like one that was answered from the cache goes there at once: its plan and what is fresh are asked, nothing is read again. */
import { parseDirectives } from '../cache/directives.ts';
import { see } from '../request/line.ts';
import { tell } from '../request/arrival.ts';
import type { Admitted } from '../request/request.ts';
import type { Stage } from '../runner.ts';
import { remembered, serve } from './cache.ts';
import { spend } from './limit.ts';

const none = parseDirectives(null);

export function recognise(): Stage<Admitted, Admitted> {
  return function recognise(request, next) {
    const { recognised, contract } = request.context;
    const known = recognised.find(request);
    if (known === undefined) return next(request);
    const { lookup, found } = known;
    see(request, found.route);
    const whole = Object.assign({ ...request }, found);
    const held = remembered(whole, lookup, none);
    if (held === undefined) return next(request);
    tell(request, 'api-version', contract.versions.current.name);
    return spend(whole, (within) => serve(within, lookup, held, 'hit'), found.cached?.times);
  };
}
