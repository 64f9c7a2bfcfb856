/** What of declared aggregates could not be answered. */
import { type AggregateDeclaration, type Surroundings, toWalked } from '../aggregates/aggregate.ts';
import { parseTerm, type Term } from '../aggregates/terms.ts';
import { type Field, isScalarKind } from '../contract/fields.ts';
import { limits } from '../wire/limits.ts';
import { isNumeric } from '../wire/values.ts';
import { whyNoField } from './field-checks.ts';
import { type Refuse, refuseUnknown } from './mistakes.ts';
import { checkShapes } from './shape-checks.ts';

const keys = ['equal', 'range', 'group', 'of', 'least', 'groups'] as const;

/** `refuse` notes a key below `aggregates`. */
export function checkAggregates(
  declared: Readonly<Record<string, AggregateDeclaration>>, surroundings: Surroundings, refuse: Refuse,
): void {
  const { fields } = surroundings;
  for (const [name, given] of Object.entries(declared)) {
    const refuseKey: Refuse = (key, detail) => refuse(`${name}.${key}`, detail);
    if (typeof given !== 'object' || given === null) {
      refuse(name, 'must be an object');
      continue;
    }
    refuseUnknown(given, keys, refuseKey);
    const [group, of] = [textsOf(given, 'group', refuseKey), textsOf(given, 'of', refuseKey)];
    const terms = group.flatMap((text) => mustTerm(text, fields, refuseKey) ?? []);
    const { least = 1, groups = limits.aggregateGroupsDefault } = given;
    const measured = of.filter((field) => isMeasurable(field, fields, refuseKey));
    const arrays = [...new Set(terms.map(({ field }) => field))].filter((field) => isArray(fields, field));
    if (arrays.length > 1) refuseKey('group', `one array at most, not ${arrays.join(' and ')}`);
    checkNumber('least', least, Number.MAX_SAFE_INTEGER, refuseKey);
    checkNumber('groups', groups, limits.aggregateGroupsMax, refuseKey);
    const readable = { ...given, group: terms.map(({ text }) => text), of: measured };
    checkShapes({ [name]: toWalked(readable, surroundings) }, fields, refuse);
  }
}

function isArray(fields: ReadonlyMap<string, Field>, field: string): boolean {
  return fields.get(field)?.kind === 'array';
}

function textsOf(given: AggregateDeclaration, key: 'group' | 'of', refuse: Refuse): readonly string[] {
  const texts = given[key] ?? [];
  if (Array.isArray(texts) && texts.every((text) => typeof text === 'string')) return [...new Set(texts)];
  refuse(key, 'must be a list of texts');
  return [];
}

function mustTerm(text: string, fields: ReadonlyMap<string, Field>, refuse: Refuse): Term | undefined {
  const term = parseTerm(text);
  const why = term === undefined ? `"${text}" is no term, as in year, day(createdAt), bucket(rating,10)` : whyNoTerm(term, fields);
  if (why !== undefined) refuse('group', why);
  return why === undefined ? term : undefined;
}

function whyNoTerm({ field: name, by }: Term, fields: ReadonlyMap<string, Field>): string | undefined {
  const field = fields.get(name);
  if (name === 'id') return '"id" is another one in each document';
  if (field === undefined) return whyNoField(name);
  const kind = field.kind === 'array' ? (field.element ?? 'mixed') : field.kind;
  if (field.isInArray === true) return `"${name}" stands in the elements of an array`;
  if (field.isOfBranches === true) return `"${name}" is named by some branches of the union alone`;
  if (!isScalarKind(kind) || kind === 'binary') return `"${name}" (${field.kind}) cannot be grouped by`;
  if (by === undefined) return undefined;
  if (typeof by === 'string') return kind === 'instant' ? undefined : `"${name}" (${kind}) is no instant`;
  return isNumeric(kind) ? undefined : `"${name}" (${kind}) is no number`;
}

function isMeasurable(name: string, fields: ReadonlyMap<string, Field>, refuse: Refuse): boolean {
  const field = fields.get(name);
  const why =
    field !== undefined && isArray(fields, name) ? `"${name}" is many` : whyNoTerm({ text: name, field: name, by: undefined }, fields);
  if (why !== undefined) refuse('of', why);
  return why === undefined;
}

function checkNumber(key: string, value: unknown, max: number, refuse: Refuse): void {
  if (!(Number.isSafeInteger(value) && Number(value) >= 1 && Number(value) <= max)) refuse(key, `must be a whole number from 1 to ${max}`);
}
