/**
 * Plans: how much a caller may ask, in several windows at once. A request passes when every window of its
 * plan has room for its cost, and is then counted in all of them; otherwise it is counted in none.
 *
 * A window slides: at any moment it looks back `seconds`, so there is no boundary at which a limit doubles.
 * Everything wrong with a plan is found here, at start.
 */
import type { Contract } from './contract.ts';
import type { Principal } from './principal.ts';

export interface WindowDeclaration {
  readonly limit: number;
  readonly seconds: number;
  /** Stands in `RateLimit` and in a refusal; from the seconds unless said: `minute`, `hour`, `10s`. */
  readonly name?: string;
}

export interface PlansDeclaration {
  /** The plan of callers who are not signed in, each address for itself. */
  readonly anonymous: string;
  /** The plan of signed-in callers whose token has no claim `plan`, or names none of these. */
  readonly signedIn: string;
  readonly plans: Readonly<Record<string, readonly WindowDeclaration[]>>;
}

export interface Window {
  readonly name: string;
  readonly limit: number;
  readonly seconds: number;
}

export interface Plan {
  readonly name: string;
  /** From the shortest to the longest. */
  readonly windows: readonly Window[];
  /** Asked for each request, because a window is too small to lease from. */
  readonly exact: boolean;
  /** The value of `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers §3), a List of RFC 9651. */
  readonly policy: string;
}

export interface Plans {
  readonly anonymous: Plan;
  readonly signedIn: Plan;
  readonly byName: ReadonlyMap<string, Plan>;
}

const planLimits = {
  /** Up to here a limit is kept to the request: five percent of it would be no block worth leasing. */
  exactLimitMax: 20,
  /** Windows of a plan: each is one more log to keep and one more item in two headers. */
  windowsMax: 4,
  /** A day: a longer quota is for billing, which needs a ledger and not a limiter. */
  secondsMax: 86_400,
  /** Beyond this nothing is limited. */
  limitMax: 1_000_000_000,
} as const;

/** A mistake in the plans: a refusal to start. */
export class PlansError extends Error {
  constructor(key: string, detail: string) {
    super(`shared/resources/plans.ts: ${key}: ${detail}`);
    this.name = 'PlansError';
  }
}

export function plans(declared: PlansDeclaration): Plans {
  mustKnow('', declared, ['anonymous', 'signedIn', 'plans']);
  const byName = new Map(Object.entries(declared.plans).map(([name, windows]) => [name, mustPlan(name, windows)]));
  return { anonymous: mustFind(byName, 'anonymous', declared), signedIn: mustFind(byName, 'signedIn', declared), byName };
}

/** The plan that applies, and the name that the token gave where no plan has it. */
export function planOf({ anonymous, signedIn, byName }: Plans, principal: Principal): { readonly plan: Plan; readonly unknown?: string } {
  if (principal.subject === undefined) return { plan: anonymous };
  const named = Object.hasOwn(principal.claims, 'plan') ? String(principal.claims['plan']) : undefined;
  if (named === undefined) return { plan: signedIn };
  const plan = byName.get(named);
  return plan === undefined ? { plan: signedIn, unknown: named } : { plan };
}

/** Throws if some plan could never pay for some request: that would be a route which is always 429. */
export function mustAfford({ byName }: Plans, { resources }: Contract): void {
  for (const { name, windows } of byName.values())
    for (const resource of resources.values())
      for (const [verb, cost] of Object.entries(resource.limits.cost)) {
        const short = windows.find((window) => window.limit < cost);
        if (short !== undefined) throw new PlansError(`plans.${name}`, `window "${short.name}" of ${short.limit} can never pay for "${verb}" of ${resource.name}, which costs ${cost}`);
      }
}

function mustPlan(name: string, declared: readonly WindowDeclaration[]): Plan {
  const key = `plans.${name}`;
  if (!/^[a-z][a-z0-9-]{0,31}$/.test(name)) throw new PlansError(key, 'a plan is named in lower case letters, digits and hyphens');
  if (!Array.isArray(declared) || declared.length === 0 || declared.length > planLimits.windowsMax) throw new PlansError(key, `has 1 to ${planLimits.windowsMax} windows`);
  const windows = declared.map((window) => mustWindow(key, window)).sort((a, b) => a.seconds - b.seconds);
  windows.slice(1).forEach((window, index) => mustMatter(key, windows[index], window));
  if (new Set(windows.map((window) => window.name)).size < windows.length) throw new PlansError(key, 'two windows have one name');
  return { name, windows, exact: windows.some((window) => window.limit <= planLimits.exactLimitMax), policy: toPolicy(windows) };
}

function mustWindow(key: string, declared: WindowDeclaration): Window {
  mustKnow(`${key}: `, declared, ['limit', 'seconds', 'name']);
  const { limit, seconds, name = named.get(seconds) ?? `${seconds}s` } = declared;
  if (!isWhole(limit, planLimits.limitMax)) throw new PlansError(key, `limit must be a whole number from 1 to ${planLimits.limitMax}`);
  if (!isWhole(seconds, planLimits.secondsMax)) throw new PlansError(key, `seconds must be a whole number from 1 to ${planLimits.secondsMax}`);
  if (!/^[a-z0-9][a-z0-9-]{0,31}$/.test(name)) throw new PlansError(key, 'a window is named in lower case letters, digits and hyphens');
  return { name, limit, seconds };
}

const named: ReadonlyMap<number, string> = new Map([[1, 'second'], [60, 'minute'], [3_600, 'hour'], [86_400, 'day']]);

/** A shorter window that allows as much as a longer one can never be the one that refuses. */
function mustMatter(key: string, shorter: Window | undefined, longer: Window): void {
  if (shorter === undefined || (shorter.seconds < longer.seconds && shorter.limit < longer.limit)) return;
  throw new PlansError(key, `window "${shorter.name}" allows as much as "${longer.name}", so it never refuses`);
}

function mustFind(byName: ReadonlyMap<string, Plan>, key: 'anonymous' | 'signedIn', declared: PlansDeclaration): Plan {
  const plan = byName.get(declared[key]);
  if (plan === undefined) throw new PlansError(key, `there is no plan "${declared[key]}"`);
  return plan;
}

function mustKnow(path: string, given: object, known: readonly string[]): void {
  const unknown = Object.keys(given).find((key) => !known.includes(key));
  if (unknown !== undefined) throw new PlansError(path + unknown, `unknown key; known are ${known.join(', ')}`);
}

function isWhole(value: number, max: number): boolean {
  return Number.isInteger(value) && value >= 1 && value <= max;
}

function toPolicy(windows: readonly Window[]): string {
  return windows.map(({ name, limit, seconds }) => `"${name}";q=${limit};w=${seconds}`).join(', ');
}
