/** What a request of a resource costs of its caller's plan, and what happens while nobody can count. */
import { type Refuse, refuseUnknown } from './mistakes.ts';
import type { Verb } from './routes.ts';

export type UnavailablePolicy = 'allow' | 'refuse';

export interface LimitsDeclaration {
  /** Units of the plan for one request; 1 unless said. */
  readonly cost?: Readonly<Partial<Record<Verb, number>>>;
  /** While the counters cannot be asked: reads are allowed, up to a cap of the isolate, and writes are refused. */
  readonly unavailable?: { readonly read?: UnavailablePolicy; readonly write?: UnavailablePolicy };
}

export interface ResourceLimits {
  readonly cost: Readonly<Record<Verb, number>>;
  readonly unavailable: { readonly read: UnavailablePolicy; readonly write: UnavailablePolicy };
}

const costs: Readonly<Record<Verb, number>> = { list: 1, one: 1, create: 1, replace: 1, patch: 1, remove: 1, import: 1, changes: 1 };
const costMax = 1_000;

/** `refuse` notes the key below `limits` that is wrong. */
export function toResourceLimits(declared: LimitsDeclaration, refuse: Refuse): ResourceLimits {
  const { cost = {}, unavailable = {} } = declared;
  refuseUnknown(declared, ['cost', 'unavailable'], refuse);
  refuseUnknown(cost, Object.keys(costs), (key, detail) => refuse(`cost.${key}`, detail));
  refuseUnknown(unavailable, ['read', 'write'], (key, detail) => refuse(`unavailable.${key}`, detail));
  for (const [verb, units] of Object.entries(cost)) if (!Number.isInteger(units) || units < 1 || units > costMax) refuse(`cost.${verb}`, `must be a whole number from 1 to ${costMax}`);
  for (const [kind, policy] of Object.entries(unavailable)) if (policy !== 'allow' && policy !== 'refuse') refuse(`unavailable.${kind}`, 'must be "allow" or "refuse"');
  return { cost: { ...costs, ...cost }, unavailable: { read: unavailable.read ?? 'allow', write: unavailable.write ?? 'refuse' } };
}
