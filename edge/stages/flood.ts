/**
 * The flood shield: the platform's own counter per address, coarse and cheap, in front of everything that costs.
 * It sees every request but the origin's reports, those included that no plan counts: preflights, `/health`.
 */
import { Fault } from '../../shared/contract/fault.ts';
import { reportPath } from '../../shared/contract/report.ts';
import { edgeLimits } from '../limits.ts';
import { log, toLogged } from '../log.ts';
import type { Stage } from '../path.ts';

export function flood(): Stage {
  return function flood(c) {
    const network = c.get('network');
    // Two busy origins behind one address report as often as the shield allows. A report is known by its signature,
    // and one that is refused is charged to its address (`early-refusals.ts`).
    if (network === undefined || c.get('target').path === reportPath) return undefined;
    return mustBeWithin(c.env.FLOOD, network);
  };
}

async function mustBeWithin(shield: RateLimit, key: string): Promise<undefined> {
  if (!(await isWithin(shield, key))) throw flooded();
}

/** A shield that is itself down lets pass: it protects against load, not against people. */
async function isWithin(shield: RateLimit, key: string): Promise<boolean> {
  try {
    return (await shield.limit({ key })).success;
  } catch (cause) {
    log('warn', 'limit.shield_failed', { cause: toLogged(cause) });
    return true;
  }
}

/** The platform's window is not one of the plan's, so it has no place in `RateLimit`. */
function flooded(): Fault {
  return new Fault('limit_exceeded', { detail: 'too many requests from this address', headers: { 'retry-after': String(edgeLimits.floodSeconds) }, members: { 'violated-policies': ['flood'] } });
}
