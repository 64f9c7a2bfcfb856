/**
 * `GET /v2/usage`: what whoever is signed in has spent of their plan, by day, as their counter has it (SEMANTICS §12); with `key` or
 * `tenant`, what was asked with that key, or by all callers of that tenant.
 */
import { Fault } from '../../shared/wire/fault.ts';
import { mustKnowOnly, parametersRefused, toParameters } from '../../shared/wire/parameters.ts';
import type { Principal } from '../../shared/wire/principal.ts';
import { type Plan, planOf } from '../../shared/limits/plans.ts';
import { tokenMissing } from '../identity/token-faults.ts';
import { discardReply } from '../origin-client/one-origin.ts';
import { settledWithin } from '../single-flight.ts';
import { edgeLimits } from '../limits.ts';
import { callerOf, keyCounter, tenantCounter } from '../rate-limit/caller.ts';
import { limitsUnavailable } from '../rate-limit/headers.ts';
import { dayMs, kinds, monthOf, type Spent } from '../rate-limit/days.ts';
import type { Identified } from '../request/request.ts';
import { traceparentOf } from '../request/traceparent.ts';
import type { Stage } from '../runner.ts';

export function usage(): Stage<Identified, Identified> {
  return function usage(request, next) {
    return request.own?.name === 'usage' ? answer(request) : next(request);
  };
}

async function answer(request: Identified): Promise<Response> {
  const { target, principal, network, context: { host, plans } } = request;
  const parameters = toParameters(target.query);
  mustKnowOnly(parameters, ['key', 'tenant'], 'use is told by key or by tenant');
  if (principal.subject === undefined) throw tokenMissing('sign in to see what you use');
  const [key, tenant] = [parameters.get('key'), parameters.get('tenant')];
  if (key !== null && tenant !== null) throw parametersRefused([['tenant', 'is not asked for with a key']]);
  if (key !== null) await mustSeeKey(request, key);
  if (tenant !== null) mustAdminister(principal, tenant);
  const counter = key !== null ? keyCounter(key) : tenant !== null ? tenantCounter(tenant) : callerOf(principal, network);
  const spent = await settledWithin(host.spentBy(counter), edgeLimits.counterMsMax);
  if (spent === undefined) throw limitsUnavailable();
  const { plan } = planOf(plans, principal);
  const told = JSON.stringify(toUsage(key === null && tenant === null ? plan : undefined, spent, Date.now()));
  return new Response(told, { headers: { 'content-type': 'application/json', 'cache-control': 'no-store' } });
}

function mustAdminister({ roles, claims }: Principal, tenant: string): void {
  if (roles.includes('admin') && (claims['tenant'] === undefined || claims['tenant'] === tenant)) return;
  throw new Fault('forbidden', { detail: 'what a tenant uses is for its admins; without tenant= you are told what you use' });
}

/** Whoever may see the key, as the origin says, may see what it uses. */
async function mustSeeKey(request: Identified, id: string): Promise<void> {
  if (!/^[0-9a-f]{24}$/.test(id)) throw parametersRefused([['key', 'must be the id of a key']]);
  const { context: { origin, contract }, principal, requestId, deadlineAt, waitUntil } = request;
  const reply = await origin.ask({
    method: 'GET', target: { path: `/${contract.versions.current.name}/keys/${id}`, query: '' }, safe: true, principal,
    headers: {}, refusedAt: 4, deadlineAt, requestId, waitUntil, traceparent: traceparentOf(request),
  });
  await discardReply(reply);
  if (reply.status === 404) throw new Fault('document_not_found', { detail: 'no such key' });
  if (reply.status !== 200) throw new Fault(reply.status < 500 ? 'forbidden' : 'origin_unavailable');
}

function toUsage(plan: Plan | undefined, spent: readonly Spent[], now: number): object {
  const [first, end] = monthOf(now);
  const used = spent.reduce((sum, { day, amount }) => (day >= first && day < end ? sum + amount : sum), 0);
  const quota = plan?.quota;
  const left = quota === undefined ? {} : { quota, left: Math.max(0, quota - used) };
  const none = Object.fromEntries(kinds.map((kind) => [kind, 0]));
  const days = [...Map.groupBy(spent, ({ day }) => day)].map(([day, rows]) => ({
    day: toDate(day), ...none, ...Object.fromEntries(rows.map(({ kind, amount }) => [kind, amount])),
  }));
  return { ...(plan === undefined ? {} : { plan: plan.name }), month: { begins: toDate(first), ends: toDate(end), used, ...left }, days };
}

function toDate(day: number): string {
  return new Date(day * dayMs).toISOString().slice(0, 10);
}
