/** What a request of a resource costs of its caller's plan, and what happens while nobody can count. */
import type { ModuleRows } from '../modules.ts';
import type { Operation } from '../operations/operation.ts';

export type UnavailablePolicy = 'allow' | 'refuse';

export interface LimitsDeclaration {
  /** Units of the plan for one request; those of the operation's row unless said. */
  readonly cost?: Readonly<Partial<Record<keyof ModuleRows, number>>>;
  /** The policy while the counters cannot be asked; unless said, reads are allowed, up to a cap of the isolate, and writes refused. */
  readonly unavailable?: { readonly read?: UnavailablePolicy; readonly write?: UnavailablePolicy };
}

export interface ResourceLimits {
  /** Costs by operation, where they differ from the operation's row. */
  readonly cost: Readonly<Partial<Record<string, number>>>;
  readonly unavailable: { readonly read: UnavailablePolicy; readonly write: UnavailablePolicy };
}

export function toResourceLimits({ cost = {}, unavailable = {} }: LimitsDeclaration = {}): ResourceLimits {
  return { cost, unavailable: { read: unavailable.read ?? 'allow', write: unavailable.write ?? 'refuse' } };
}

/** Units of the caller's plan; a list of several pages costs a multiple (`Cached.times`). */
export function costOf({ limits }: { readonly limits: ResourceLimits }, { name, cost }: Operation): number {
  return limits.cost[name] ?? cost;
}
