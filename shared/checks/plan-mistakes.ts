/** What is wrong with plans, and with plans beside what requests cost. */
import type { Contract } from '../contract/contract.ts';
import { costOf } from '../limits/cost.ts';
import {
  concurrentName, type PlanDeclaration, type Plans, toWindow, type Window, type WindowDeclaration, withQuota,
} from '../limits/plans.ts';
import { operationsOf } from '../operations/route.ts';
import { Mistakes, refuseUnknown, toObject } from './mistakes.ts';

const planLimits = {
  /** Windows of a plan: each is one more log to keep and one more item in two headers. */
  windowsMax: 4,
  /** The longest window, a day: what is longer is counted by the calendar, as a quota. */
  secondsMax: 86_400,
  /** The largest limit: a greater one would limit nothing. */
  limitMax: 1_000_000_000,
  /** Requests under way of one caller: each has a slot of 60 bytes in their counter. */
  concurrentMax: 1_000,
} as const;

const file = 'shared/resources/plans.ts';

export function planMistakes({ declared }: Plans): readonly string[] {
  const mistakes = new Mistakes(file);
  refuseUnknown(declared, ['anonymous', 'signedIn', 'tenants', 'plans'], mistakes.at(''));
  const named = toObject(declared.plans, (detail) => mistakes.add('plans', detail));
  for (const [name, plan] of Object.entries(named)) checkPlan(name, plan, (detail) => mistakes.add(`plans.${name}`, detail));
  for (const key of ['anonymous', 'signedIn', 'tenants'] as const) {
    const plan = declared[key];
    if (plan === undefined && key === 'tenants') continue;
    if (!Object.hasOwn(named, String(plan))) mistakes.add(key, `there is no plan "${plan}"`);
  }
  return mistakes.found;
}

/** Mistakes of plans that could never pay for some request: that would be a route which is always 429. */
export function unaffordable({ byName }: Plans, { resources }: Contract): readonly string[] {
  const mistakes = new Mistakes(file);
  for (const plan of byName.values())
    for (const resource of resources.values())
      for (const operation of operationsOf(resource)) {
        const cost = costOf(resource, operation);
        const short = withQuota(plan).find(({ limit }) => limit < cost);
        if (short !== undefined) {
          mistakes.add(
            `plans.${plan.name}`,
            `window "${short.name}" of ${short.limit} can never pay for "${operation.name}" of ${resource.name}, which costs ${cost}`,
          );
        }
      }
  return mistakes.found;
}

function checkPlan(name: string, declared: PlanDeclaration | readonly WindowDeclaration[], refuse: (detail: string) => void): void {
  if (!/^[a-z][a-z0-9-]{0,31}$/.test(name)) refuse('a plan is named in lower case letters, digits and hyphens');
  const { windows: listed, month: quota, concurrent } = toDeclaration(declared, refuse);
  const given = Array.isArray(listed) ? listed : [];
  if (given.length === 0 || given.length > planLimits.windowsMax) refuse(`has 1 to ${planLimits.windowsMax} windows`);
  const windows = given.map((window) => checkWindow(window, refuse)).sort((a, b) => a.seconds - b.seconds);
  if (quota !== undefined && !isWhole(quota, planLimits.limitMax)) refuse(`month must be a whole number from 1 to ${planLimits.limitMax}`);
  if (concurrent !== undefined && !isWhole(concurrent, planLimits.concurrentMax)) {
    refuse(`concurrent must be a whole number from 1 to ${planLimits.concurrentMax}`);
  }
  const all = withQuota({ windows, ...(quota === undefined ? {} : { quota }) });
  all.slice(1).forEach((window, index) => checkMatters(all[index], window, refuse));
  const names = [...all.map((window) => window.name), ...(concurrent === undefined ? [] : [concurrentName])];
  if (new Set(names).size < names.length) refuse('two windows have one name');
}

function toDeclaration(declared: PlanDeclaration | readonly WindowDeclaration[], refuse: (detail: string) => void): PlanDeclaration {
  if (Array.isArray(declared)) return { windows: declared };
  const given: Partial<PlanDeclaration> = toObject(declared as PlanDeclaration, () => refuse('a plan is a list of windows, or an object'));
  refuseUnknown(given, ['windows', 'month', 'concurrent'], (key, detail) => refuse(`${key}: ${detail}`));
  return { windows: [], ...given };
}

/** Gives what can be read of it. */
function checkWindow(declared: WindowDeclaration, refuse: (detail: string) => void): Window {
  const given: Partial<WindowDeclaration> = toObject(declared, () => refuse('a window is an object'));
  refuseUnknown(given, ['limit', 'seconds', 'name'], (key, detail) => refuse(`${key}: ${detail}`));
  const window = toWindow({ limit: 0, seconds: 0, ...given });
  const { limit, seconds, name } = window;
  if (!isWhole(limit, planLimits.limitMax)) refuse(`limit must be a whole number from 1 to ${planLimits.limitMax}`);
  if (!isWhole(seconds, planLimits.secondsMax)) refuse(`seconds must be a whole number from 1 to ${planLimits.secondsMax}`);
  else if (!/^[a-z0-9][a-z0-9-]{0,31}$/.test(name)) refuse('a window is named in lower case letters, digits and hyphens');
  return window;
}

/** A shorter window that allows as much as a longer one can never be the one that refuses. */
function checkMatters(shorter: Window | undefined, longer: Window, refuse: (detail: string) => void): void {
  if (shorter === undefined || (shorter.seconds < longer.seconds && shorter.limit < longer.limit)) return;
  refuse(`window "${shorter.name}" allows as much as "${longer.name}", so it never refuses`);
}

function isWhole(value: number, max: number): boolean {
  return Number.isInteger(value) && value >= 1 && value <= max;
}
