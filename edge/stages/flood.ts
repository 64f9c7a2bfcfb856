/**
 * The flood shield: the platform's own counter per address, coarse and cheap, in front of everything that costs.
 * It sees every request but the origin's reports, those included that no plan counts: preflights, `/health`.
 */
import { Fault } from '../../shared/wire/fault.ts';
import { reportPath } from '../../shared/hop/purge-report.ts';
import { edgeLimits } from '../limits.ts';
import type { Admitted } from '../request/request.ts';
import type { Answer, Stage } from '../runner.ts';

export function flood(): Stage<Admitted, Admitted> {
  return function flood(request, next) {
    const { network, context, target } = request;
    // Two busy origins behind one address report as often as the shield allows. A report is known by its signature,
    // and one that is refused is charged to its address (`charge.ts`).
    if (network === undefined || target.path === reportPath) return next(request);
    const go = (isWithin: boolean): Answer => {
      if (!isWithin) throw flooded();
      return next(request);
    };
    const isWithin = context.host.isWithin(network);
    return isWithin instanceof Promise ? isWithin.then(go) : go(isWithin);
  };
}

/** The platform's window is not one of the plan's, so it has no place in `RateLimit`. */
function flooded(): Fault {
  return new Fault('limit_exceeded', {
    detail: 'too many requests from this address',
    headers: { 'retry-after': String(edgeLimits.floodSeconds) },
    members: { 'violated-policies': ['flood'] },
  });
}
