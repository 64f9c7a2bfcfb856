/** What a rule says that cannot hold, or holds for everybody: found at start, since a misspelt field under `not` lets everyone in. */
import * as z from 'zod';
import { type Field, isScalarKind } from '../contract/fields.ts';
import { mentionsOf, nobody, type Rule } from '../contract/rules.ts';
import { whyNoField } from './field-checks.ts';
import { isExactKind, isNumeric } from '../wire/values.ts';

export interface RuleSurroundings {
  /** The id among them. */
  readonly fields: ReadonlyMap<string, Field>;
  /** The type of one value, by field, where the schema gives one. */
  readonly types: ReadonlyMap<string, z.core.$ZodType>;
  /** Notes a mistake at the rule's key. */
  readonly refuse: (detail: string) => void;
}

/** The rule, or in place of what is no rule the one that refuses everybody. */
export function readRule(given: Rule | undefined, surroundings: RuleSurroundings): Rule {
  if (given === undefined) return nobody;
  const detail = whyNone(given);
  if (detail === undefined) checkFields(given, surroundings);
  else surroundings.refuse(detail);
  return detail === undefined ? given : nobody;
}

/** Row rules of reads become conditions on an index; one that negates a comparison would scan. */
export function checkIndexable(rule: Rule, { fields, refuse }: RuleSurroundings): void {
  for (const field of mentionsOf([rule]).fields) {
    const kind = fields.get(field)?.kind;
    if (kind === 'mixed') refuse(`"${field}" (mixed) cannot be indexed here; scalars can`);
  }
  if (negatesFields(rule)) refuse('negates a comparison with a field, which no index can serve');
}

function negatesFields(rule: Rule): boolean {
  if (rule.kind === 'all' || rule.kind === 'any') return rule.rules.some(negatesFields);
  return rule.kind === 'not' && mentionsOf([rule]).fields.size > 0;
}

const makers =
  'rules are anyone, nobody, signedIn and what role(…), owner(…), tenant(…), equals(…), absent(…), not(…), all(…) and any(…) give';

/** The types of a declaration are not checked when it runs. */
function whyNone(given: unknown): string | undefined {
  if (typeof given === 'function') return `is a function and no rule; call it, as in role("editor"): ${makers}`;
  if (typeof given !== 'object' || given === null || !('kind' in given)) {
    return `is ${JSON.stringify(given) ?? typeof given} and no rule; ${makers}`;
  }
  const rule = given as Rule;
  switch (rule.kind) {
    case 'anyone':
    case 'nobody':
    case 'signedIn':
      return undefined;
    case 'role':
      return isName(rule.role) ? undefined : 'role() takes the name of a role';
    case 'claim':
      return isName(rule.field) && isName(rule.claim) ? undefined : 'owner() and tenant() take the name of a field';
    case 'equals':
      return isName(rule.field) && ['string', 'number', 'boolean'].includes(typeof rule.value)
        ? undefined
        : 'equals() takes the name of a field and a text, a number, true or false';
    case 'absent':
      return isName(rule.field) ? undefined : 'absent() takes the name of a field';
    case 'not':
      return whyNone(rule.rule);
    case 'all':
    case 'any':
      return rule.rules.map(whyNone).find((detail) => detail !== undefined);
    default:
      return `is no rule; ${makers}`;
  }
}

function isName(given: unknown): boolean {
  return typeof given === 'string' && given !== '';
}

function checkFields(rule: Rule, surroundings: RuleSurroundings): void {
  if (rule.kind === 'not') checkFields(rule.rule, surroundings);
  if (rule.kind === 'all' || rule.kind === 'any') for (const part of rule.rules) checkFields(part, surroundings);
  if (rule.kind !== 'claim' && rule.kind !== 'equals' && rule.kind !== 'absent') return;
  const detail = rule.kind === 'absent' ? whyNeverOrAlways(rule.field, surroundings) : whyIncomparable(rule, surroundings);
  if (detail !== undefined) surroundings.refuse(detail);
}

/** Why a field has no one value that may be missing, or may be shown as null without being so. */
function whyNeverOrAlways(field: string, { fields }: RuleSurroundings): string | undefined {
  const found = fields.get(field);
  if (found === undefined || field === 'id') return whyNoField(field);
  if (found.isInArray === true || !isScalarKind(found.kind)) return `"${field}" (${found.kind}) is not one value that may be absent`;
  return isNumeric(found.kind) ? `"${field}" (${found.kind}) is also null where it is no number; other scalars can be absent` : undefined;
}

/** Why this comparison is false whatever the document. */
function whyIncomparable(rule: Extract<Rule, { kind: 'claim' | 'equals' }>, { fields, types }: RuleSurroundings): string | undefined {
  const { field } = rule;
  const kind = fields.get(field)?.kind;
  if (kind === undefined) return whyNoField(field);
  if (!isScalarKind(kind) && kind !== 'mixed') return `"${field}" (${kind}) cannot be compared; scalars can`;
  const type = types.get(field);
  if (rule.kind === 'claim') {
    return rule.claim === 'sub' && (isNumeric(kind) || kind === 'boolean' || kind === 'instant')
      ? `"${field}" (${kind}) cannot hold the subject of a token, which is text`
      : undefined;
  }
  const parsed = type === undefined ? undefined : z.safeParse(type, isExactKind(kind) ? String(rule.value) : rule.value);
  return parsed?.success === false
    ? `"${field}" is never ${JSON.stringify(rule.value)}: ${parsed.error.issues[0]?.message ?? 'the schema excludes it'}`
    : undefined;
}
