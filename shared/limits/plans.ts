/**
 * Plans: how much a caller may ask, in several windows at once. A request passes when every window of its
 * plan has room for its cost, and is then counted in all of them; otherwise it is counted in none.
 *
 * A window slides: at any moment it looks back `seconds`, so there is no boundary at which a limit doubles. Beside the windows
 * there may be a quota for a calendar month, in UTC, and a bound of the requests that are under way at once.
 */
import type { Principal } from '../wire/principal.ts';

export interface WindowDeclaration {
  readonly limit: number;
  readonly seconds: number;
  /** The window's name in `RateLimit` and in refusals; made from the seconds unless said: `minute`, `hour`, `10s`. */
  readonly name?: string;
}

export interface PlanDeclaration {
  readonly windows: readonly WindowDeclaration[];
  /** Units for each calendar month (UTC). */
  readonly month?: number;
  /** Requests under way at once. Each then asks the counter, and tells it of its end. */
  readonly concurrent?: number;
}

export interface PlansDeclaration {
  /** The plan of callers who are not signed in, each address for itself. */
  readonly anonymous: string;
  /** The plan of signed-in callers whose token has no claim `plan`, or names none of these. */
  readonly signedIn: string;
  /** The plan of all callers of one tenant together, whose tokens name no other as `tenant_plan`; absent: tenants are not counted. */
  readonly tenants?: string;
  readonly plans: Readonly<Record<string, PlanDeclaration | readonly WindowDeclaration[]>>;
}

export interface Window {
  readonly name: string;
  readonly limit: number;
  readonly seconds: number;
}

export interface Plan {
  readonly name: string;
  /** The windows from the shortest to the longest. */
  readonly windows: readonly Window[];
  /** Units for a calendar month, counted over all that the caller spends in it, whichever plans they had. */
  readonly quota?: number;
  /** Requests under way at once. */
  readonly concurrent?: number;
  /** The counter is asked for each request, because a window is too small to lease from, or those under way are counted. */
  readonly exact: boolean;
  /** The value of `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers §3), a List of RFC 9651. */
  readonly policy: string;
}

export interface Plans {
  readonly anonymous: Plan;
  readonly signedIn: Plan;
  readonly tenants?: Plan | undefined;
  readonly byName: ReadonlyMap<string, Plan>;
  /** What `shared/checks` looks at before anything starts. */
  readonly declared: PlansDeclaration;
}

/** The largest limit that is kept to the request: five percent of it would be no block worth leasing. */
const exactLimitMax = 20;

/** The quota among windows, in `RateLimit` and in refusals. */
export const quotaName = 'month';
/** The requests under way among windows. */
export const concurrentName = 'concurrent';

/** Refuses nothing: what is spent under it is kept by day. */
export const unlimited: Plan = { name: '', windows: [], exact: false, policy: '' };

export function plans(declared: PlansDeclaration): Plans {
  const byName = new Map(Object.entries(declared.plans).map(([name, plan]) => [name, toPlan(name, plan)]));
  const of = (name: string): Plan => byName.get(name) ?? unlimited;
  const { anonymous, signedIn, tenants } = declared;
  return { anonymous: of(anonymous), signedIn: of(signedIn), tenants: tenants === undefined ? undefined : of(tenants), byName, declared };
}

/** The plan that applies, and the name that the token gave where no plan has it. */
export function planOf({ anonymous, signedIn, byName }: Plans, principal: Principal): { readonly plan: Plan; readonly unknown?: string } {
  if (principal.subject === undefined) return { plan: anonymous };
  const named = Object.hasOwn(principal.claims, 'plan') ? String(principal.claims['plan']) : undefined;
  if (named === undefined) return { plan: signedIn };
  const plan = byName.get(named);
  return plan === undefined ? { plan: signedIn, unknown: named } : { plan };
}

/** The plan that bounds all callers of the principal's tenant together, and the tenant; a claim that names none of the plans is none. */
export function tenantPlanOf(
  { tenants, byName }: Plans, { subject, claims }: Principal,
): { readonly tenant: string; readonly plan: Plan } | undefined {
  const { tenant, tenant_plan: named } = claims;
  if (tenants === undefined || subject === undefined || tenant === undefined) return undefined;
  return { tenant: String(tenant), plan: byName.get(String(named)) ?? tenants };
}

function toPlan(name: string, declared: PlanDeclaration | readonly WindowDeclaration[]): Plan {
  const { windows: given = [], month: quota, concurrent } = isList(declared) ? { windows: declared } : declared;
  const windows = given.map(toWindow).sort((a, b) => a.seconds - b.seconds);
  const all = withQuota({ windows, ...(quota === undefined ? {} : { quota }) });
  return {
    name, windows, exact: concurrent !== undefined || all.some(({ limit }) => limit <= exactLimitMax), policy: toPolicy(all, concurrent),
    ...(quota === undefined ? {} : { quota }),
    ...(concurrent === undefined ? {} : { concurrent }),
  };
}

/** The month is longer than any window. */
export function withQuota({ windows, quota }: Pick<Plan, 'windows' | 'quota'>): readonly Window[] {
  return quota === undefined ? windows : [...windows, { name: quotaName, limit: quota, seconds: Number.POSITIVE_INFINITY }];
}

export function toWindow({ limit, seconds, name = named.get(seconds) ?? `${seconds}s` }: WindowDeclaration): Window {
  return { name, limit, seconds };
}

const named: ReadonlyMap<number, string> = new Map([[1, 'second'], [60, 'minute'], [3_600, 'hour'], [86_400, 'day']]);

function isList(declared: PlanDeclaration | readonly WindowDeclaration[]): declared is readonly WindowDeclaration[] {
  return Array.isArray(declared);
}

/** A calendar month has no length in seconds, and `w` may be left out. The unit `qu` is a request unless said (draft §3). */
function toPolicy(windows: readonly Window[], concurrent: number | undefined): string {
  const length = ({ seconds }: Window) => (Number.isFinite(seconds) ? `;w=${seconds}` : '');
  const items = windows.map((window) => `"${window.name}";q=${window.limit}${length(window)}`);
  if (concurrent !== undefined) items.push(`"${concurrentName}";q=${concurrent};qu="concurrent-requests"`);
  return items.join(', ');
}
