/**
 * Plans: how much a caller may ask, in several windows at once. A request passes when every window of its
 * plan has room for its cost, and is then counted in all of them; otherwise it is counted in none.
 *
 * A window slides: at any moment it looks back `seconds`, so there is no boundary at which a limit doubles. Beside the windows
 * there may be a quota for a calendar month, in UTC.
 * Everything wrong with a plan is found here and kept as `mistakes`, which refuse the start.
 */
import type { Contract } from '../contract/contract.ts';
import { Mistakes, refuseUnknown, toObject } from '../contract/mistakes.ts';
import { operationsOf } from '../operations/route.ts';
import type { Principal } from '../wire/principal.ts';
import { costOf } from './cost.ts';

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
}

export interface PlansDeclaration {
  /** The plan of callers who are not signed in, each address for itself. */
  readonly anonymous: string;
  /** The plan of signed-in callers whose token has no claim `plan`, or names none of these. */
  readonly signedIn: string;
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
  /** The counter is asked for each request, because a window is too small to lease from. */
  readonly exact: boolean;
  /** The value of `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers §3), a List of RFC 9651. */
  readonly policy: string;
}

export interface Plans {
  readonly anonymous: Plan;
  readonly signedIn: Plan;
  readonly byName: ReadonlyMap<string, Plan>;
  /** Mistakes with which nothing starts. */
  readonly mistakes: readonly string[];
}

const planLimits = {
  /** The largest limit that is kept to the request: five percent of it would be no block worth leasing. */
  exactLimitMax: 20,
  /** Windows of a plan: each is one more log to keep and one more item in two headers. */
  windowsMax: 4,
  /** The longest window, a day: what is longer is counted by the calendar, as a quota. */
  secondsMax: 86_400,
  /** The largest limit: a greater one would limit nothing. */
  limitMax: 1_000_000_000,
} as const;

/** The quota among windows, in `RateLimit` and in refusals. */
export const quotaName = 'month';

const file = 'shared/resources/plans.ts';

export function plans(declared: PlansDeclaration): Plans {
  const mistakes = new Mistakes(file);
  refuseUnknown(declared, ['anonymous', 'signedIn', 'plans'], mistakes.at(''));
  const named = toObject(declared.plans, (detail) => mistakes.add('plans', detail));
  const byName = new Map(Object.entries(named).map(([name, windows]) => [name, toPlan(name, windows, mistakes)]));
  const [anonymous, signedIn] = [toDefault(byName, 'anonymous', declared, mistakes), toDefault(byName, 'signedIn', declared, mistakes)];
  return { anonymous, signedIn, byName, mistakes: mistakes.found };
}

/** The plan that applies, and the name that the token gave where no plan has it. */
export function planOf({ anonymous, signedIn, byName }: Plans, principal: Principal): { readonly plan: Plan; readonly unknown?: string } {
  if (principal.subject === undefined) return { plan: anonymous };
  const named = Object.hasOwn(principal.claims, 'plan') ? String(principal.claims['plan']) : undefined;
  if (named === undefined) return { plan: signedIn };
  const plan = byName.get(named);
  return plan === undefined ? { plan: signedIn, unknown: named } : { plan };
}

/** Mistakes of plans that could never pay for some request: that would be a route which is always 429. */
export function unaffordable({ byName }: Plans, { resources }: Contract): readonly string[] {
  const mistakes = new Mistakes(file);
  for (const { name, windows, quota = Number.POSITIVE_INFINITY } of byName.values())
    for (const resource of resources.values())
      for (const operation of operationsOf(resource)) {
        const cost = costOf(resource, operation);
        const short = [...windows, { name: quotaName, limit: quota }].find(({ limit }) => limit < cost);
        if (short !== undefined) {
          mistakes.add(
            `plans.${name}`,
            `window "${short.name}" of ${short.limit} can never pay for "${operation.name}" of ${resource.name}, which costs ${cost}`,
          );
        }
      }
  return mistakes.found;
}

function toPlan(name: string, declared: PlanDeclaration | readonly WindowDeclaration[], mistakes: Mistakes): Plan {
  const refuse = (detail: string) => mistakes.add(`plans.${name}`, detail);
  if (!/^[a-z][a-z0-9-]{0,31}$/.test(name)) refuse('a plan is named in lower case letters, digits and hyphens');
  const { windows: listed, month: quota } = toDeclaration(declared, refuse);
  const given = Array.isArray(listed) ? listed : [];
  if (given.length === 0 || given.length > planLimits.windowsMax) refuse(`has 1 to ${planLimits.windowsMax} windows`);
  const windows = given.map((window) => toWindow(window, refuse)).sort((a, b) => a.seconds - b.seconds);
  if (quota !== undefined && !isWhole(quota, planLimits.limitMax)) refuse(`month must be a whole number from 1 to ${planLimits.limitMax}`);
  // The month is longer than any window.
  const all = quota === undefined ? windows : [...windows, { name: quotaName, limit: quota, seconds: Number.POSITIVE_INFINITY }];
  all.slice(1).forEach((window, index) => checkMatters(all[index], window, refuse));
  if (new Set(all.map((window) => window.name)).size < all.length) refuse('two windows have one name');
  return {
    name, windows, exact: all.some(({ limit }) => limit <= planLimits.exactLimitMax), policy: toPolicy(all),
    ...(quota === undefined ? {} : { quota }),
  };
}

function toDeclaration(declared: PlanDeclaration | readonly WindowDeclaration[], refuse: (detail: string) => void): PlanDeclaration {
  if (Array.isArray(declared)) return { windows: declared };
  const given: Partial<PlanDeclaration> = toObject(declared as PlanDeclaration, () => refuse('a plan is a list of windows, or an object'));
  refuseUnknown(given, ['windows', 'month'], (key, detail) => refuse(`${key}: ${detail}`));
  return { windows: [], ...given };
}

function toWindow(declared: WindowDeclaration, refuse: (detail: string) => void): Window {
  const given: Partial<WindowDeclaration> = toObject(declared, () => refuse('a window is an object'));
  refuseUnknown(given, ['limit', 'seconds', 'name'], (key, detail) => refuse(`${key}: ${detail}`));
  const { limit = 0, seconds = 0, name = named.get(seconds) ?? `${seconds}s` } = given;
  if (!isWhole(limit, planLimits.limitMax)) refuse(`limit must be a whole number from 1 to ${planLimits.limitMax}`);
  if (!isWhole(seconds, planLimits.secondsMax)) refuse(`seconds must be a whole number from 1 to ${planLimits.secondsMax}`);
  else if (!/^[a-z0-9][a-z0-9-]{0,31}$/.test(name)) refuse('a window is named in lower case letters, digits and hyphens');
  return { name, limit, seconds };
}

const named: ReadonlyMap<number, string> = new Map([[1, 'second'], [60, 'minute'], [3_600, 'hour'], [86_400, 'day']]);

/** A shorter window that allows as much as a longer one can never be the one that refuses. */
function checkMatters(shorter: Window | undefined, longer: Window, refuse: (detail: string) => void): void {
  if (shorter === undefined || (shorter.seconds < longer.seconds && shorter.limit < longer.limit)) return;
  refuse(`window "${shorter.name}" allows as much as "${longer.name}", so it never refuses`);
}

function toDefault(byName: ReadonlyMap<string, Plan>, key: 'anonymous' | 'signedIn', declared: PlansDeclaration, mistakes: Mistakes): Plan {
  const plan = byName.get(declared[key]);
  if (plan === undefined) mistakes.add(key, `there is no plan "${declared[key]}"`);
  return plan ?? { name: '', windows: [], exact: false, policy: '' };
}

function isWhole(value: number, max: number): boolean {
  return Number.isInteger(value) && value >= 1 && value <= max;
}

/** A calendar month has no length in seconds, and `w` may be left out. */
function toPolicy(windows: readonly Window[]): string {
  const length = ({ seconds }: Window) => (Number.isFinite(seconds) ? `;w=${seconds}` : '');
  return windows.map((window) => `"${window.name}";q=${window.limit}${length(window)}`).join(', ');
}
