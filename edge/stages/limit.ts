/**
 * The plan of the caller: exact, and told in every answer that was counted. Preflights and `/health` never come this far.
 * What is refused from here on is the caller's own, and is answered here.
 */
import { type Plan, planOf } from '../../shared/limits/plans.ts';
import { costOf, type UnavailablePolicy } from '../../shared/limits/cost.ts';
import { Fault } from '../../shared/wire/fault.ts';
import { anonymous, type Principal } from '../../shared/wire/principal.ts';
import { isSafe } from '../../shared/operations/operation.ts';
import { callerOf } from '../rate-limit/caller.ts';
import { mustBeWithin } from '../rate-limit/headers.ts';
import type { Spending, Verdict } from '../rate-limit/limiter.ts';
import { countUnknownPlan } from '../rate-limit/unknown-plans.ts';
import { tellAlert } from '../rate-limit/usage-alert.ts';
import { courseOf, whileUnderWay } from '../rate-limit/while-under-way.ts';
import type { OwnRoute } from '../own-routes.ts';
import { type Identified, tell } from '../request/request.ts';
import { respond } from '../respond.ts';
import { type Answer, orElse, type Stage } from '../runner.ts';

export function limit(): Stage<Identified, Identified> {
  return function limit(request, next) {
    return spend(request, next);
  };
}

/** `times` what the operation costs. What is thrown behind it is answered here. */
export function spend<R extends Identified>(request: R, next: (request: R) => Answer, times = 1): Answer {
  return orElse(() => charged(request, next, times), (thrown) => respond(thrown, request));
}

function charged<R extends Identified>(request: R, next: (request: R) => Answer, times: number): Answer {
  const course = courseOf(request.route?.operation);
  const spending = { ...toSpending(request, times), underWayMsMax: course.msMax };
  const verdict = request.context.limiter.spend(spending);
  const go = (given: Verdict): Answer => whileUnderWay(given.leave, course, () => {
    mustBeWithin(request, spending.plan, given);
    noteSpent(request, spending, given);
    tellLoad(request);
    return next(request);
  });
  return verdict instanceof Promise ? verdict.then(go) : go(verdict);
}

/** What is refused for now, whoever asks (SEMANTICS §9). */
function tellLoad(request: Identified): void {
  const level = request.context.origin.load();
  if (level > 0) tell(request, 'tombolo-brownout', String(level));
}

/** So many units more of what the request is: what it says of the caller's plan is what is left then. */
export async function spendMore(request: Identified, times: number): Promise<void> {
  if (times < 1) return;
  const spending = toSpending(request, times);
  try {
    const verdict = await request.context.limiter.spend(spending);
    mustBeWithin(request, spending.plan, verdict);
    noteSpent(request, spending, verdict);
  } catch (thrown) {
    if (thrown instanceof Fault) for (const [name, value] of Object.entries(thrown.headers)) tell(request, name, value);
    throw thrown;
  }
}

function noteSpent({ context: { counts } }: Identified, { cost }: Spending, { kind }: Verdict): void {
  if (counts !== undefined && kind === 'granted') counts.unitsSpent += cost;
}

/** What a caller uses can be asked when nothing is left: it is the address's to pay. */
function toSpending(request: Identified, times: number): Spending {
  const { route, own, network, waitUntil } = request;
  const principal = own?.name === 'usage' ? anonymous : request.principal;
  const plan = toPlan(request, principal);
  return {
    caller: callerOf(principal, network),
    plan,
    cost: route === undefined ? own.cost : costOf(route.resource, route.operation) * times,
    kind: kindOf[route === undefined ? effectOf(own) : route.operation.answers],
    keepsDays: principal.subject !== undefined,
    unavailable: route === undefined ? ownPolicy(own) : route.resource.limits.unavailable[isSafe(route.operation) ? 'read' : 'write'],
    waitUntil,
    ...(plan.quota === undefined ? {} : { onShare: (share: number) => waitUntil(tellAlert(request, plan, share)) }),
  };
}

const kindOf = { state: 'reads', moment: 'streams', effect: 'writes' } as const;

function effectOf({ methods }: OwnRoute): 'state' | 'effect' {
  return methods.includes('POST') ? 'effect' : 'state';
}

function ownPolicy({ methods }: OwnRoute): UnavailablePolicy {
  return methods.includes('POST') ? 'refuse' : 'allow';
}

function toPlan({ context }: Identified, principal: Principal): Plan {
  const { plan, unknown } = planOf(context.plans, principal);
  if (unknown !== undefined) countUnknownPlan(unknown, plan);
  return plan;
}
