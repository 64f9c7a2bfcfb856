/**
 * Row rules: written once, compiled three times (query, write check, event filter). A rule mentions roles,
 * claims and fields; `reduce` puts the principal in and leaves a predicate over the document alone, in
 * negation normal form. `satisfies` is the naive interpreter that defines what a predicate means; the
 * engines' compilers are tested against it.
 *
 * Two-valued: a comparison with a missing field, null, an array or another type is false, and `not` is its
 * exact complement. A claim that is absent grants nothing, in either polarity: its leaf is false whether it
 * stands under `not` or not, so that "everyone but X" is never "nobody asked, so yes".
 */
import { claimOf, type Plain, type Principal } from '../wire/principal.ts';
import { parseFinite } from '../wire/exact-numbers.ts';
import {
  formsOf, isExactKind, isNumeric, type JsonObject, type NumberKind, ranks, type Scalar, toInstant, toSortValue, toUuid,
} from '../wire/values.ts';
import { valueAt } from './path.ts';
import { bytesRank, isOfRank, isTextOfNumber } from './stored-ranks.ts';

export type Rule =
  | { readonly kind: 'anyone' }
  | { readonly kind: 'nobody' }
  | { readonly kind: 'signedIn' }
  | { readonly kind: 'role'; readonly role: string }
  | { readonly kind: 'claim'; readonly field: string; readonly claim: string; readonly as?: Comparison }
  | { readonly kind: 'equals'; readonly field: string; readonly value: Scalar; readonly as?: Comparison }
  | { readonly kind: 'absent'; readonly field: string }
  | { readonly kind: 'not'; readonly rule: Rule }
  | { readonly kind: 'all' | 'any'; readonly rules: readonly Rule[] };

/** How a field compares, where not as text: a UUID in any spelling, numbers by what they are, the rest as it is stored. */
export type Comparison = 'uuid' | StoredComparison;
type StoredComparison = NumberKind | 'objectId' | 'instant' | 'binary';

export const anyone: Rule = { kind: 'anyone' };
export const nobody: Rule = { kind: 'nobody' };
/** Exported for resource files: anyone with a token. */
export const signedIn: Rule = { kind: 'signedIn' };
export const role = (name: string): Rule => ({ kind: 'role', role: name });
/** The document's `field` holds the subject of the token. */
export const owner = (field: string): Rule => ({ kind: 'claim', field, claim: 'sub' });
/** The document's `field` holds the caller's `tenant` claim. */
export const tenant = (field: string): Rule => ({ kind: 'claim', field, claim: 'tenant' });
export const equals = (field: string, value: Scalar): Rule => ({ kind: 'equals', field, value });
/** Exported for resource files: the document's `field` is missing or null. */
export const absent = (field: string): Rule => ({ kind: 'absent', field });
/** Exported for resource files: the exact complement, for a caller who has every claim that it mentions. */
export const not = (rule: Rule): Rule => ({ kind: 'not', rule });
export const all = (...rules: Rule[]): Rule => ({ kind: 'all', rules });
export const any = (...rules: Rule[]): Rule => ({ kind: 'any', rules });

/** The same rule with its values, and its claims, in the form in which documents have them. */
export function toCanonicalRule(rule: Rule, kindOf: (field: string) => string | undefined): Rule {
  switch (rule.kind) {
    case 'claim':
      return { ...rule, ...comparisonOf(kindOf(rule.field)) };
    case 'equals':
      return { ...rule, ...comparisonOf(kindOf(rule.field)), value: toCanonicalValue(rule.value, kindOf(rule.field)) };
    case 'not':
      return { ...rule, rule: toCanonicalRule(rule.rule, kindOf) };
    case 'all':
    case 'any':
      return { ...rule, rules: rule.rules.map((part) => toCanonicalRule(part, kindOf)) };
    case 'anyone':
    case 'nobody':
    case 'signedIn':
    case 'role':
    case 'absent':
      return rule;
    default:
      // What is no rule: the types of a declaration are not checked when it runs.
      return nobody;
  }
}

function comparisonOf(kind = ''): { readonly as?: Comparison } {
  const isCompared = kind === 'uuid' || kind === 'objectId' || kind === 'instant' || kind === 'binary' || isNumeric(kind);
  return isCompared ? { as: kind } : {};
}

function toCanonicalValue(value: Scalar, kind: string | undefined): Scalar {
  if (kind !== undefined && isExactKind(kind)) return parseFinite(String(value)) ?? value;
  if (typeof value !== 'string') return value;
  return (kind === 'uuid' ? toUuid(value) : kind === 'instant' ? toInstant(value) : undefined) ?? value;
}

/** A condition over the document alone. `true` and `false` occur only as the whole of a predicate. */
export type Predicate =
  | boolean
  | { readonly kind: 'equals' | 'differs'; readonly field: string; readonly value: Plain; readonly as?: StoredComparison }
  | { readonly kind: 'absent' | 'present'; readonly field: string }
  | { readonly kind: 'all' | 'any'; readonly of: readonly Predicate[] };

export function reduce(rule: Rule, principal: Principal, negated = false): Predicate {
  switch (rule.kind) {
    case 'anyone':
      return !negated;
    case 'nobody':
      return negated;
    case 'signedIn':
      return (principal.subject !== undefined) !== negated;
    case 'role':
      return principal.roles.includes(rule.role) !== negated;
    case 'claim': {
      const value = comparable(claimOf(principal, rule.claim), rule.as);
      return value === undefined ? false : comparing(rule, value, negated);
    }
    case 'equals':
      return comparing(rule, rule.value, negated);
    case 'absent':
      return { kind: negated ? 'present' : 'absent', field: rule.field };
    case 'not':
      return reduce(rule.rule, principal, !negated);
    case 'all':
    case 'any':
      return combine((rule.kind === 'all') !== negated ? 'all' : 'any', rule.rules.map((part) => reduce(part, principal, negated)));
  }
}

/** The equality of a field of this kind. */
export function equality(field: string, value: Scalar, kind: string | undefined): Predicate {
  return comparing({ field, ...comparisonOf(kind) }, value, false);
}

function comparing({ field, as }: { readonly field: string; readonly as?: Comparison }, value: Plain, negated: boolean): Predicate {
  return { kind: negated ? 'differs' : 'equals', field, value, ...(as === undefined || as === 'uuid' ? {} : { as }) };
}

/** A claim that is no number has no place in a field of numbers: as if it were absent. */
function comparable(claim: Plain | undefined, as: Comparison | undefined): Plain | undefined {
  if (as === undefined || claim === undefined) return claim;
  if (as === 'uuid') return toCanonicalValue(claim, as);
  if (!isNumeric(as)) return claim;
  return isExactKind(as) ? parseFinite(String(claim)) : typeof claim === 'number' ? claim : undefined;
}

function combine(kind: 'all' | 'any', parts: readonly Predicate[]): Predicate {
  const absorbing = kind === 'any';
  if (parts.includes(absorbing)) return absorbing;
  const left = parts.filter((part) => typeof part !== 'boolean');
  const [first] = left;
  if (first === undefined) return !absorbing;
  return left.length === 1 ? first : { kind, of: left };
}

/** The definition of a predicate. `document` is the wire form of what is stored, before any projection. */
export function satisfies(document: JsonObject, predicate: Predicate): boolean {
  if (typeof predicate === 'boolean') return predicate;
  switch (predicate.kind) {
    case 'equals':
      return isEqual(document, predicate);
    case 'differs':
      return !isEqual(document, predicate);
    case 'absent':
      return isAbsent(document, predicate.field);
    case 'present':
      return !isAbsent(document, predicate.field);
    case 'all':
      return predicate.of.every((part) => satisfies(document, part));
    case 'any':
      return predicate.of.some((part) => satisfies(document, part));
  }
}

/** NaN is shown as null, and stands there. */
function isAbsent(document: JsonObject, field: string): boolean {
  return (valueAt(document, field) ?? null) === null && isOfRank(document, field, ranks.null);
}

type Comparing = Extract<Predicate, { readonly kind: 'equals' | 'differs' }>;

/** A number that JSON does not carry travels as text, and is the number all the same (SEMANTICS §4). */
function isEqual(document: JsonObject, { field, value, as }: Comparing): boolean {
  const found = valueAt(document, field);
  if (as === undefined || !isNumeric(as)) return found === value && (typeof value !== 'string' || isStoredAs(document, field, value, as));
  if (typeof found === 'number' && found === value) return true;
  const number = typeof found !== 'string' ? found : isTextOfNumber(document, field, as) ? parseFinite(found) : undefined;
  return (typeof number === 'number' || typeof number === 'string') && formsOf(value, as).includes(number);
}

/** Texts are how several types are shown, and equal those of their own alone. */
function isStoredAs(document: JsonObject, field: string, value: string, as: Comparing['as']): boolean {
  return isOfRank(document, field, as === 'binary' ? bytesRank : toSortValue(value, as ?? 'string').rank);
}

/** What a rule mentions: the scope of an answer is made of these (SEMANTICS §2), and so are its indexes. */
export interface Mentions {
  readonly fields: ReadonlySet<string>;
  readonly claims: ReadonlySet<string>;
  readonly roles: ReadonlySet<string>;
  readonly signedIn: boolean;
}

export function mentionsOf(rules: readonly Rule[]): Mentions {
  const found = { fields: new Set<string>(), claims: new Set<string>(), roles: new Set<string>(), signedIn: false };
  const visit = (rule: Rule): void => {
    if (rule.kind === 'signedIn') found.signedIn = true;
    if (rule.kind === 'role') found.roles.add(rule.role);
    if (rule.kind === 'claim') found.claims.add(rule.claim);
    if (rule.kind === 'claim' || rule.kind === 'equals' || rule.kind === 'absent') found.fields.add(rule.field);
    if (rule.kind === 'not') visit(rule.rule);
    if (rule.kind === 'all' || rule.kind === 'any') rule.rules.forEach(visit);
  };
  rules.forEach(visit);
  return found;
}

/** Fields that each way through the rule pins by equality: one index prefix a branch (SEMANTICS §6). */
export function branchesOf(rule: Rule): readonly (readonly string[])[] {
  switch (rule.kind) {
    case 'nobody':
      return [];
    case 'claim':
    case 'equals':
    case 'absent':
      return [[rule.field]];
    case 'any':
      return rule.rules.flatMap(branchesOf);
    case 'all':
      return rule.rules.map(branchesOf).reduce<readonly (readonly string[])[]>(
        (left, right) => left.flatMap((a) => right.map((b) => [...new Set([...a, ...b])])), [[]]);
    default:
      return [[]];
  }
}

/** What a field is pinned to; null where it is absent. */
export type Pin = Plain | null;

/** The same of a reduced predicate: alternatives of equalities; `undefined` where it needs more than that. */
export function equalitiesOf(predicate: Predicate): Alternatives {
  if (predicate === true) return [new Map()];
  if (predicate === false) return [];
  switch (predicate.kind) {
    case 'equals':
      return [new Map([[predicate.field, predicate.value]])];
    case 'absent':
      return [new Map([[predicate.field, null]])];
    case 'differs':
    case 'present':
      return undefined;
    case 'any': {
      const parts = predicate.of.map(equalitiesOf);
      return parts.every((part) => part !== undefined) ? parts.flat() : undefined;
    }
    case 'all':
      return predicate.of.map(equalitiesOf).reduce(intersect, [new Map<string, Pin>()]);
  }
}

type Alternatives = readonly ReadonlyMap<string, Pin>[] | undefined;

function intersect(left: Alternatives, right: Alternatives): Alternatives {
  if (left === undefined || right === undefined) return undefined;
  return left.flatMap((a) => right.flatMap((b) => {
    const agree = [...b].every(([field, value]) => !a.has(field) || a.get(field) === value);
    return agree ? [new Map([...a, ...b])] : [];
  }));
}
