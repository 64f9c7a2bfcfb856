/** `GET /v2/usage`: what whoever is signed in has spent of their plan, by day, as their counter has it (SEMANTICS §12). */
import { mustBeWithoutParameters } from '../../shared/wire/parameters.ts';
import { type Plan, planOf } from '../../shared/limits/plans.ts';
import { tokenMissing } from '../identity/token-faults.ts';
import { settledWithin } from '../single-flight.ts';
import { edgeLimits } from '../limits.ts';
import { callerOf } from '../rate-limit/caller.ts';
import { limitsUnavailable } from '../rate-limit/headers.ts';
import { dayMs, kinds, monthOf, type Spent } from '../rate-limit/days.ts';
import type { Identified } from '../request/request.ts';
import type { Stage } from '../runner.ts';

export function usage(): Stage<Identified, Identified> {
  return function usage(request, next) {
    return request.own?.name === 'usage' ? answer(request) : next(request);
  };
}

async function answer({ raw, target, principal, network, context: { host, plans } }: Identified): Promise<Response> {
  mustBeWithoutParameters(target.query);
  if (principal.subject === undefined) throw tokenMissing('sign in to see what you use');
  const spent = await settledWithin(host.spentBy(callerOf(principal, network)), edgeLimits.counterMsMax);
  if (spent === undefined) throw limitsUnavailable();
  const told = JSON.stringify(toUsage(planOf(plans, principal).plan, spent, Date.now()));
  return new Response(raw.method === 'HEAD' ? null : told, {
    headers: { 'content-type': 'application/json', 'cache-control': 'no-store' },
  });
}

function toUsage({ name, quota }: Plan, spent: readonly Spent[], now: number): object {
  const [first, end] = monthOf(now);
  const used = spent.reduce((sum, { day, amount }) => (day >= first && day < end ? sum + amount : sum), 0);
  const left = quota === undefined ? {} : { quota, left: Math.max(0, quota - used) };
  const none = Object.fromEntries(kinds.map((kind) => [kind, 0]));
  const days = [...Map.groupBy(spent, ({ day }) => day)].map(([day, rows]) => ({
    day: toDate(day), ...none, ...Object.fromEntries(rows.map(({ kind, amount }) => [kind, amount])),
  }));
  return { plan: name, month: { begins: toDate(first), ends: toDate(end), used, ...left }, days };
}

function toDate(day: number): string {
  return new Date(day * dayMs).toISOString().slice(0, 10);
}
