/** What a decision tells the client: draft-ietf-httpapi-ratelimit-headers, as structured fields (RFC 9651). */
import { Fault } from '../../shared/wire/fault.ts';
import { concurrentName, type Plan, quotaName, withQuota } from '../../shared/limits/plans.ts';
import { edgeLimits } from '../limits.ts';
import { type Arrival, tell } from '../request/arrival.ts';
import type { Standing } from './counter.ts';
import type { Verdict } from './limiter.ts';

/**
 * Where nothing was counted there is nothing to tell in `RateLimit`, and zeros would be lies. No registered
 * field says so; this one is an Item: `unavailable;policy=allow`.
 */
const unavailableHeader = 'tombolo-limits';

/** Throws where the request stops here; else its answer tells what was counted. */
export function mustBeWithin(request: Pick<Arrival, 'told'>, plan: Plan, verdict: Verdict): void {
  if (verdict.kind === 'refused') throw exceeded(plan, verdict);
  if (verdict.kind === 'full') throw tooManyAtOnce(plan, verdict.retryMs);
  if (verdict.kind === 'unavailable') return mustBeAllowed(request, plan, verdict);
  const underWay = verdict.free === undefined ? '' : `, "${concurrentName}";r=${verdict.free}`;
  tell(request, 'ratelimit-policy', plan.policy);
  tell(request, 'ratelimit', formatLimits(plan, verdict.windows, () => true) + underWay);
}

function mustBeAllowed(request: Pick<Arrival, 'told'>, plan: Plan, verdict: Extract<Verdict, { kind: 'unavailable' }>): void {
  const { policy, retryMs } = verdict;
  const value = `unavailable;policy=${policy}`;
  if (policy === 'refuse') throw limitsUnavailable({ [unavailableHeader]: value });
  if (retryMs === undefined) return tell(request, unavailableHeader, value);
  throw new Fault('limit_exceeded', {
    detail: 'too many requests',
    headers: { [unavailableHeader]: value, 'retry-after': toSeconds(retryMs) },
    members: { 'violated-policies': plan.windows.map(({ name }) => name) },
  });
}

export function limitsUnavailable(headers: Readonly<Record<string, string>> = {}): Fault {
  return new Fault('limits_unavailable', {
    detail: 'requests cannot be counted now; try again', headers: { ...headers, 'retry-after': String(edgeLimits.retryAfterSeconds) },
  });
}

function tooManyAtOnce({ name, concurrent, policy }: Plan, retryMs: number): Fault {
  return new Fault('concurrency_exceeded', {
    detail: `plan "${name}": ${concurrent} at once`,
    headers: { 'ratelimit-policy': policy, ratelimit: `"${concurrentName}";r=0`, 'retry-after': toSeconds(retryMs) },
    members: { 'violated-policies': [concurrentName] },
  });
}

/** `RateLimit` names the violated windows alone, so that `Retry-After` is never before their `t` (draft §6). */
function exceeded(plan: Plan, { windows, retryMs }: Extract<Verdict, { kind: 'refused' }>): Fault {
  const violated = windows.flatMap((window, index) => (window.violated ? [plan.windows[index] ?? { name: quotaName }] : []));
  const words = violated.map((window) => ('limit' in window ? `${window.limit} in ${window.seconds} s` : `${plan.quota} in a month`));
  return new Fault(windows[plan.windows.length]?.violated === true ? 'quota_exceeded' : 'limit_exceeded', {
    detail: `plan "${plan.name}": ${words.join(' and ')}`,
    headers: {
      'ratelimit-policy': plan.policy,
      ratelimit: formatLimits(plan, windows, ({ violated: is }) => is),
      'retry-after': toSeconds(Math.max(retryMs, ...windows.map((window) => (window.violated ? window.resetMs : 0)))),
    },
    members: { 'violated-policies': violated.map(({ name }) => name) },
  });
}

/** Throws for a request of more units than the plan ever has at once: there is no time after which it would be granted. */
export function mustBePayable(plan: Plan, units: number): void {
  const short = withQuota(plan).find(({ limit }) => limit < units);
  if (short === undefined) return;
  throw new Fault('limit_exceeded', {
    detail: `plan "${plan.name}": a request of ${units} units is never within "${short.name}" of ${short.limit}; ask for less at once`,
    headers: { 'ratelimit-policy': plan.policy },
    members: { 'violated-policies': [short.name] },
  });
}

/** `t`: within so many seconds no more than `r` can be used (draft §4.1.2), because nothing comes back earlier. */
function formatLimits(plan: Plan, windows: readonly Standing[], told: (window: Standing) => boolean): string {
  let text = '';
  for (let index = 0; index < windows.length; index++) {
    const window = windows[index];
    if (window === undefined || !told(window)) continue;
    text += `${text === '' ? '' : ', '}"${plan.windows[index]?.name ?? quotaName}";r=${window.left};t=${toSeconds(window.resetMs)}`;
  }
  return text;
}

function toSeconds(ms: number): string {
  return String(Math.max(1, Math.ceil(ms / 1_000)));
}
