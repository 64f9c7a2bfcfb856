/**
 * Soft removal (SEMANTICS §17), where a resource declares it: what is removed stays in its place with a field that says since
 * when, which the resource's own read rule hides from every read, count, event and write. Whoever the rule `restore` lets in
 * lists it, restores it or erases it; once its days are over the origin erases it by itself.
 */
import { absent, all, any, anyone, not, type Rule } from './rules.ts';
import { coveringIndex, type IndexSpec, type Shape, toIndexes, toShape } from './shapes.ts';
import type { JsonObject } from '../wire/values.ts';

export interface RemovalDeclaration {
  /**
   * The field that says since when: `deletedAt`, say. Nobody writes it but by removing and restoring. In a collection of
   * others it is written into their documents.
   */
  readonly at: string;
  /** Days after which what was removed is erased; unless said, never. */
  readonly keptDays?: number;
}

export interface Removal {
  readonly at: string;
  readonly keptDays: number | undefined;
  /** How removed documents are listed: the last removed first. */
  readonly shape: Shape;
}

export function toRemoval(declared: RemovalDeclaration | undefined): Removal | undefined {
  if (declared === undefined) return undefined;
  const { at, keptDays } = declared;
  return { at, keptDays, shape: toShape('removed', { range: at, sort: [`-${at}`] }) };
}

/** What everybody reads by: the rule as it is declared, for what is not removed. */
export function readRule(read: Rule, removal: Removal | undefined): Rule {
  return removal === undefined ? read : all(read, absent(removal.at));
}

/** A resource, of which no more is asked here. */
interface Removing {
  readonly removal: Removal | undefined;
}

/** Who sees one that is removed. */
export function removedRule({ rules, removal }: Removing & { readonly rules: { readonly restore: Rule } }): Rule {
  return removal === undefined ? rules.restore : all(rules.restore, not(absent(removal.at)));
}

/** With those that removed documents are listed and erased by; none that another one covers. */
export function withRemovedIndexes(indexes: readonly IndexSpec[], restore: Rule, removal: Removal | undefined): readonly IndexSpec[] {
  if (removal === undefined) return indexes;
  const erased = removal.keptDays === undefined ? restore : any(restore, anyone);
  const removed = toIndexes([removal.shape], erased, () => false).filter((spec) => coveringIndex(indexes, spec) === undefined);
  return [...indexes.filter((spec) => coveringIndex(removed, spec) === undefined), ...removed];
}

export function isRemoved({ removal }: Removing, document: JsonObject): boolean {
  return removal !== undefined && (document[removal.at] ?? null) !== null;
}
