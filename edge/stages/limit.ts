/**
 * Two layers. The flood shield is the platform's own counter per address: coarse, cheap, in front of the rest.
 * The plan is the caller's, exact, and told in every answer that was counted. Preflights and `/health` never
 * come this far.
 */
import type { Context } from 'hono';
import { Fault } from '../../shared/contract/fault.ts';
import { type Plan, planOf } from '../../shared/contract/plans.ts';
import { costOf } from '../../shared/contract/resource-limits.ts';
import { isSafe } from '../../shared/operations/operation.ts';
import type { Route } from '../../shared/operations/route.ts';
import type { EdgeEnv } from '../context.ts';
import { floodKey } from '../flood-key.ts';
import { tell } from '../leave.ts';
import { edgeLimits } from '../limits.ts';
import { log, toLogged } from '../log.ts';
import type { Stage } from '../path.ts';
import type { Spending } from '../quota/quota.ts';
import { toLimitFault, toLimitHeaders } from '../quota/rate-limit-headers.ts';
import { countUnknownPlan } from '../quota/unknown-plans.ts';

export function limit(): Stage {
  return async function limit(c) {
    // Cloudflare sets the header, over whatever a client sent. Without Cloudflare there is none, and no shield.
    const address = c.get('sent').get('cf-connecting-ip');
    const network = address === null ? undefined : floodKey(address);
    if (network !== undefined && !(await isWithin(c.env.FLOOD, network))) throw flooded();
    const spending = toSpending(c, network);
    const verdict = await c.get('context').quota.spend(spending);
    const fault = toLimitFault(spending.plan, verdict);
    if (fault !== undefined) throw fault;
    for (const [name, value] of toLimitHeaders(spending.plan, verdict)) tell(c, name, value);
    return undefined;
  };
}

function toSpending(c: Context<EdgeEnv>, network: string | undefined): Spending {
  // A path that the edge answers itself has no route: it costs one, and counts as a write.
  const route: Route | undefined = c.get('route');
  return {
    caller: callerOf(c.get('principal').subject, network),
    plan: mustPlan(c),
    cost: route === undefined ? 1 : costOf(route.resource, route.operation),
    unavailable: route === undefined ? 'refuse' : route.resource.limits.unavailable[isSafe(route.operation) ? 'read' : 'write'],
    waitUntil: (work) => c.executionCtx.waitUntil(work),
  };
}

/** Who pays. Where nobody tells addresses apart, all who are not signed in are one caller. */
function callerOf(subject: string | undefined, network: string | undefined): string {
  return subject === undefined ? `address:${network ?? 'unknown'}` : `subject:${subject}`;
}

function mustPlan(c: Context<EdgeEnv>): Plan {
  const { plan, unknown } = planOf(c.get('context').plans, c.get('principal'));
  if (unknown !== undefined) countUnknownPlan(unknown, plan);
  return plan;
}

/** The platform's window is not one of the plan's, so it has no place in `RateLimit`. */
function flooded(): Fault {
  return new Fault('limit_exceeded', { detail: 'too many requests from this address', headers: { 'retry-after': String(edgeLimits.floodSeconds) }, members: { 'violated-policies': ['flood'] } });
}

/** A shield that is itself down lets pass: it protects against load, not against people. */
async function isWithin(flood: RateLimit, key: string): Promise<boolean> {
  try {
    return (await flood.limit({ key })).success;
  } catch (cause) {
    log('warn', 'limit.shield_failed', { cause: toLogged(cause) });
    return true;
  }
}
