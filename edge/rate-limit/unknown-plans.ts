/** Tokens whose claim `plan` names none of ours: the issuer and `shared/resources/plans.ts` have drifted apart. */
import type { Plan } from '../../shared/limits/plans.ts';
import { log } from '../log.ts';

/** Names told apart; whatever comes then is counted together. */
const namesMax = 100;

/** Requests of this isolate since it began, by the unknown name. */
const unknownPlans = new Map<string, number>();

/** One line in the log for each doubling: the first is told at once, and a busy token does not fill the log. */
export function countUnknownPlan(name: string, applied: Plan): void {
  const short = name.slice(0, 40);
  const key = unknownPlans.has(short) || unknownPlans.size < namesMax ? short : 'others';
  const seen = (unknownPlans.get(key) ?? 0) + 1;
  unknownPlans.set(key, seen);
  if (Number.isInteger(Math.log2(seen))) log('warn', 'limit.plan_unknown', { plan: key, applied: applied.name, seen });
}
