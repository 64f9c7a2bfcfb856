/**
 * The plan of the caller: exact, and told in every answer that was counted. Preflights and `/health` never come this far.
 * What is refused from here on is the caller's own, and is answered here.
 */
import { type Plan, planOf, tenantPlanOf, unlimited } from '../../shared/limits/plans.ts';
import { costOf, type UnavailablePolicy } from '../../shared/limits/cost.ts';
import { Fault } from '../../shared/wire/fault.ts';
import { anonymous, type Principal } from '../../shared/wire/principal.ts';
import { isSafe } from '../../shared/operations/operation.ts';
import { callerOf, keyCounter, tenantCounter } from '../rate-limit/caller.ts';
import { mustBePayable, mustBeWithin } from '../rate-limit/headers.ts';
import type { Spending, Verdict } from '../rate-limit/limiter.ts';
import { countUnknownPlan } from '../rate-limit/unknown-plans.ts';
import { tellAlert } from '../rate-limit/usage-alert.ts';
import { courseOf, whileUnderWay } from '../rate-limit/while-under-way.ts';
import type { OwnRoute } from '../own-routes.ts';
import { tell } from '../request/arrival.ts';
import type { Identified } from '../request/request.ts';
import { respond } from '../respond.ts';
import { type Answer, orElse, type Stage } from '../runner.ts';

export function limit(): Stage<Identified, Identified> {
  return function limit(request, next) {
    return spend(request, next);
  };
}

/** What is thrown behind it is answered here. */
export function spend<R extends Identified>(request: R, next: (request: R) => Answer): Answer {
  return orElse(() => charged(request, next), (thrown) => respond(thrown, request));
}

/** First the caller, then their tenant: who is refused by their own plan uses up nothing of the others'. */
function charged<R extends Identified>(request: R, next: (request: R) => Answer): Answer {
  const course = courseOf(request.route?.operation);
  const payers = payersOf(request, 1, course.msMax);
  const pay = (index: number): Answer => {
    const spending = payers[index];
    if (spending === undefined) {
      tellLoad(request);
      return next(request);
    }
    const verdict = request.context.limiter.spend(spending);
    const go = (given: Verdict): Answer => whileUnderWay(given.leave, course, () => {
      noteVerdict(request, spending, given, index === 0);
      return pay(index + 1);
    });
    return verdict instanceof Promise ? verdict.then(go) : go(verdict);
  };
  return pay(0);
}

/** What is refused for now, whoever asks (SEMANTICS §9). */
function tellLoad(request: Identified): void {
  const level = request.context.origin.load();
  if (level > 0) tell(request, 'tombolo-brownout', String(level));
}

/**
 * So many units more of what the request is, of which `paid` are charged already: what it says of the caller's plan is what is
 * left then. Who is refused is told to wait for all of it.
 */
export async function spendMore(request: Identified, times: number, paid = 1): Promise<void> {
  if (times < 1) return;
  try {
    for (const [index, more] of payersOf(request, times).entries()) {
      const spending = { ...more, paid: (more.cost / times) * paid };
      mustBePayable(spending.plan, spending.cost + spending.paid);
      noteVerdict(request, spending, await request.context.limiter.spend(spending), index === 0);
    }
  } catch (thrown) {
    if (thrown instanceof Fault) for (const [name, value] of Object.entries(thrown.headers)) tell(request, name, value);
    throw thrown;
  }
}

/** Throws where it refuses. Of what is granted the caller's own plan is told, and metrics count that. */
function noteVerdict(request: Identified, spending: Spending, verdict: Verdict, isOwn: boolean): void {
  mustBeWithin(isOwn ? request : { told: [] }, spending.plan, verdict);
  if (!isOwn || verdict.kind !== 'granted') return;
  const { context: { counts } } = request;
  if (counts !== undefined) counts.unitsSpent += spending.cost;
  noteOfKey(request, spending);
}

/** What is spent with a key of its owner's plan is noted for the key, and decides nothing. */
function noteOfKey({ own, principal: { key }, context: { limiter }, waitUntil }: Identified, spending: Spending): void {
  if (own?.name === 'usage' || key === undefined || key.isCountedAlone === true) return;
  const noted = limiter.spend({ ...spending, caller: keyCounter(key.id), plan: unlimited, unavailable: 'allow' });
  if (noted instanceof Promise) waitUntil(noted);
}

function payersOf(request: Identified, times: number, underWayMsMax?: number): readonly Spending[] {
  const { own, principal, context: { plans }, waitUntil } = request;
  const spending = toSpending(request, times, underWayMsMax);
  if (own?.name === 'usage' || plans.tenants === undefined) return [spending];
  const of = tenantPlanOf(plans, principal);
  if (of === undefined) return [spending];
  const onShare = (share: number) => waitUntil(tellAlert(request, of.plan, share, true));
  return [spending, { ...spending, caller: tenantCounter(of.tenant), plan: of.plan, onShare }];
}

/** What a caller uses can be asked when nothing is left: it is the address's to pay. */
function toSpending(request: Identified, times: number, underWayMsMax: number | undefined): Spending {
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
    waitUntil, underWayMsMax,
    onShare: plan.quota === undefined ? undefined : (share) => waitUntil(tellAlert(request, plan, share, false)),
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
