/** A state of which related documents are shown: what its answer is kept under. */
import { type Expansion, expansionDigest, targetsOf } from '../contract/expansion.ts';
import type { Resource } from '../contract/resource.ts';
import { anyone } from '../contract/rules.ts';
import type { Cached } from './operation.ts';

/** The same state with related documents in it: which those are, and so what it depends on, its answer says (SEMANTICS §1). */
export function withExpanded(name: string, own: Resource, expanded: readonly Expansion[]): Cached {
  const digest = expansionDigest(expanded);
  const read = new Set([own.name, ...targetsOf(expanded).map((target) => target.name)]);
  return {
    name: `${name} ${digest}`, keepsAbsence: false, expanded,
    dependencies: [...read].map((resource) => ({ resource, buckets: [] })),
    stated: { digest, rule: anyone, forEverybody: false },
  };
}
