/** Who asks. Made by the edge from a verified token, carried over the signed hop, read by the rules. */

export type Plain = string | number | boolean;

export interface Principal {
  /** Absent: nobody signed in. */
  readonly subject?: string;
  readonly roles: readonly string[];
  /** Further claims that rules may mention, `tenant` among them. Only plain values are kept. */
  readonly claims: Readonly<Record<string, Plain>>;
  /** The API key that asks in its maker's name (SEMANTICS §20); absent: a token does, or nobody. */
  readonly key?: AskingKey;
}

export interface AskingKey {
  readonly id: string;
  readonly scopes: readonly string[];
  /** It has a plan that its maker's token does not: what it asks is counted as its own. */
  readonly isCountedAlone?: true;
}

export const anonymous: Principal = { roles: [], claims: {} };

/** The value of a claim that a rule mentions; `undefined` makes that rule refuse (SEMANTICS §3). */
export function claimOf(principal: Principal, claim: string): Plain | undefined {
  if (claim === 'sub') return principal.subject;
  return Object.hasOwn(principal.claims, claim) ? principal.claims[claim] : undefined;
}
