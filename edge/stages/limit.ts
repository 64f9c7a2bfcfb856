/** The plan of the caller: exact, and told in every answer that was counted. Preflights and `/health` never come this far. */
import type { Context } from 'hono';
import { type Plan, planOf } from '../../shared/contract/plans.ts';
import { costOf } from '../../shared/contract/resource-limits.ts';
import { isSafe } from '../../shared/operations/operation.ts';
import type { Route } from '../../shared/operations/route.ts';
import type { EdgeEnv } from '../context.ts';
import { tell } from '../leave.ts';
import type { Stage } from '../path.ts';
import type { Spending, Verdict } from '../quota/quota.ts';
import { toLimitFault, toLimitHeaders } from '../quota/rate-limit-headers.ts';
import { callerOf } from '../quota/caller.ts';
import { countUnknownPlan } from '../quota/unknown-plans.ts';

export function limit(): Stage {
  return function limit(c) {
    const spending = toSpending(c);
    const verdict = c.get('context').quota.spend(spending);
    return verdict instanceof Promise ? verdict.then((given) => admit(c, spending.plan, given)) : admit(c, spending.plan, verdict);
  };
}

function admit(c: Context<EdgeEnv>, plan: Plan, verdict: Verdict): undefined {
  const fault = toLimitFault(plan, verdict);
  if (fault !== undefined) throw fault;
  for (const [name, value] of toLimitHeaders(plan, verdict)) tell(c, name, value);
}

function toSpending(c: Context<EdgeEnv>): Spending {
  // A path that the edge answers itself has no route: it costs one, and counts as a write.
  const route: Route | undefined = c.get('route');
  return {
    caller: callerOf(c.get('principal').subject, c.get('network')),
    plan: mustPlan(c),
    cost: route === undefined ? 1 : costOf(route.resource, route.operation),
    unavailable: route === undefined ? 'refuse' : route.resource.limits.unavailable[isSafe(route.operation) ? 'read' : 'write'],
    waitUntil: (work) => c.executionCtx.waitUntil(work),
  };
}

function mustPlan(c: Context<EdgeEnv>): Plan {
  const { plan, unknown } = planOf(c.get('context').plans, c.get('principal'));
  if (unknown !== undefined) countUnknownPlan(unknown, plan);
  return plan;
}
