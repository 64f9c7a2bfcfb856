/**
 * The flood shield: the platform's own counter per address, coarse and cheap, in front of everything that costs.
 * It sees every request, those included that no plan counts: preflights, `/health`, reports of the origin.
 */
import { Fault } from '../../shared/contract/fault.ts';
import { reportPath } from '../../shared/contract/report.ts';
import { edgeLimits } from '../limits.ts';
import { log, toLogged } from '../log.ts';
import type { Stage } from '../path.ts';

export function flood(): Stage {
  return function flood(c) {
    const network = c.get('network');
    if (network === undefined) return undefined;
    // Reports are counted apart: programs beside the origin, behind its address, must not silence the feed.
    return mustBeWithin(c.env.FLOOD, c.get('target').path === reportPath ? `${network} reports` : network);
  };
}

/** A shield that is itself down lets pass: it protects against load, not against people. */
async function mustBeWithin(shield: RateLimit, key: string): Promise<undefined> {
  const outcome = await shield.limit({ key }).catch((cause: unknown) => void log('warn', 'limit.shield_failed', { cause: toLogged(cause) }));
  if (outcome?.success === false) throw flooded();
}

/** The platform's window is not one of the plan's, so it has no place in `RateLimit`. */
function flooded(): Fault {
  return new Fault('limit_exceeded', { detail: 'too many requests from this address', headers: { 'retry-after': String(edgeLimits.floodSeconds) }, members: { 'violated-policies': ['flood'] } });
}
