/**
 * Refusals that come before `limit`, where nobody is known yet: forged tokens, invented tickets, paths that are
 * nowhere. Each is charged to the plan of its address, like an anonymous request; past that plan it is a 429.
 *
 * The charge comes after the refusal and changes nothing for what is not refused: a caller with a good token is
 * let in, whatever others behind the same address have tried. A question to the address's counter is shared by
 * a whole lease of refusals, and past the plan the isolate asks no more until there is room (`limiter.ts`).
 */
import { anonymous } from '../../shared/wire/principal.ts';
import { Fault } from '../../shared/wire/fault.ts';
import type { Admitted } from '../request/request.ts';
import { callerOf } from './caller.ts';
import { mustBeWithin } from './headers.ts';

/** Gives the refusal itself, charged; throws another where there were too many. */
export async function chargeRefusal(request: Admitted, thrown: unknown): Promise<unknown> {
  if (!isOfTheClient(thrown)) return thrown;
  const { plans, limiter } = request.context;
  const plan = plans.anonymous;
  const verdict = await limiter.spend({
    caller: callerOf(anonymous, request.network), plan, cost: 1, kind: 'reads', keepsDays: false, unavailable: 'allow',
    waitUntil: request.waitUntil,
  });
  mustBeWithin(request, plan, verdict);
  return thrown;
}

/** What the flood shield refuses is counted there, and failures of ours are nobody's to pay for. */
function isOfTheClient(thrown: unknown): boolean {
  return thrown instanceof Fault && thrown.status < 500 && thrown.status !== 429;
}
