/** What a request of a resource costs of its caller's plan, and what happens while nobody can count. */

export type UnavailablePolicy = 'allow' | 'refuse';

export interface LimitsDeclaration {
  /**
   * Units of the plan for one request, by the name of the operation, as in `{ import: 50 }`; those of its row unless said. What
   * names no operation is a mistake with which nothing starts (`shared/checks`).
   */
  readonly cost?: Readonly<Record<string, number>>;
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

/** A row of an operation, of which no more is asked here. */
interface Priced {
  readonly name: string;
  readonly cost: number;
}

/** Units of the caller's plan; a list of several pages costs a multiple (`Cached.times`). */
export function costOf({ limits }: { readonly limits: ResourceLimits }, { name, cost }: Priced): number {
  return limits.cost[name] ?? cost;
}
