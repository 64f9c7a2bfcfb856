/**
 * `resource()`: the one declaration from which routes, validation, store checks, indexes, dependencies,
 * scopes and cache keys follow. Everything wrong with it is found here, at start, and named by file,
 * resource and key. What is not allowed by a rule is refused.
 */
import * as z from 'zod';
import { type Choices, mustChoose } from './choices.ts';
import { type Field, isScalarKind, kindOfType, reservedFieldNames, toFields } from './fields.ts';
import { digest64, toCanonicalJson } from './hash.ts';
import { type LimitsDeclaration, type ResourceLimits, toResourceLimits } from './resource-limits.ts';
import { readChoices, type ResourceReads } from './resource-reads.ts';
import { type ResourceValidation, validationChoices } from './resource-validation.ts';
import { type Mentions, mentionsOf, nobody, type Rule, toCanonicalRule } from './rules.ts';
import { type IndexSpec, type Shape, type ShapeDeclaration, toIndexes, toShape } from './shapes.ts';

export type IdDeclaration =
  | 'uuid'
  | 'objectId'
  | {
      /** The caller names its documents; `format` is what such a name may be. */
      readonly kind: 'string';
      readonly format: z.ZodString;
      /** The column or member of imported rows that holds the id; `id` unless said. */
      readonly importedFrom?: string;
    };

export interface RuleDeclaration {
  readonly read?: Rule;
  /** Shorthand for create, update and remove. */
  readonly write?: Rule;
  readonly create?: Rule;
  readonly update?: Rule;
  readonly remove?: Rule;
}

export interface ResourceDeclaration {
  /** Plural noun, lower case: the path segment, the table, and the file `shared/resources/<name>.ts`. */
  readonly name: string;
  readonly schema: z.ZodObject;
  readonly id?: IdDeclaration;
  readonly rules?: RuleDeclaration;
  /** Per field: who may read it, who may write it. Without an entry the row rule alone decides. */
  readonly fieldRules?: Readonly<Record<string, { readonly read?: Rule; readonly write?: Rule }>>;
  readonly shapes: Readonly<Record<string, ShapeDeclaration>>;
  readonly cache?: Serving['cache'];
  readonly invalid?: Serving['invalid'];
  readonly preconditions?: Changing['preconditions'];
  /** How the database checks what other programs write; `moderate` and `error` unless said. */
  readonly validation?: Partial<ResourceValidation>;
  /** Where a replica set reads; `primary` and `majority` unless said. */
  readonly reads?: Partial<ResourceReads>;
  /** Whether a change feed is offered. */
  readonly live?: boolean;
  /** What requests cost of a plan, and what happens while nobody can count them. */
  readonly limits?: LimitsDeclaration;
  /** Grows when the meaning of what is sent changes in a way that this declaration does not show. */
  readonly revision?: number;
}

interface Serving {
  /** Whether the edge may store answers; `none` for what must always be asked of the origin. */
  readonly cache: 'shared' | 'none';
  /** Documents by others that fail the schema are still served, or refused on read. */
  readonly invalid: 'serve' | 'refuse';
}

interface Changing {
  /** `required`: a document is changed only by who says which one they read, by If-Match (RFC 6585 §3). */
  readonly preconditions: 'optional' | 'required';
}

const changingChoices: Choices<Changing> = { preconditions: ['optional', 'required'] };
const servingChoices: Choices<Serving> = { cache: ['shared', 'none'], invalid: ['serve', 'refuse'] };

export interface Resource extends Serving, Changing {
  readonly name: string;
  readonly schema: z.ZodObject;
  readonly id: IdDeclaration;
  /** How ids compare: those that callers choose may be declared as UUIDs, too. */
  readonly idKind: 'uuid' | 'objectId' | 'string';
  readonly rules: { readonly read: Rule; readonly create: Rule; readonly update: Rule; readonly remove: Rule };
  readonly fieldRules: Readonly<Record<string, { readonly read?: Rule; readonly write?: Rule }>>;
  readonly fields: ReadonlyMap<string, Field>;
  readonly shapes: readonly Shape[];
  readonly indexes: readonly IndexSpec[];
  /** The database's alone, as are `reads`: nothing that is sent depends on them, so they are not in the digest. */
  readonly validation: ResourceValidation;
  readonly reads: ResourceReads;
  readonly live: boolean;
  /** The edge's alone: nothing that is stored or sent depends on it, so it is not in the digest. */
  readonly limits: ResourceLimits;
  /** What the read rule and the field rules mention: the scope of an answer (SEMANTICS: scope). */
  readonly mentions: Mentions;
  /** Names this declaration; edge and origin compare it before an answer is stored. */
  readonly digest: string;
}

/** A mistake in a declaration: a refusal to start. */
export class DeclarationError extends Error {
  constructor(name: string, key: string, detail: string) {
    super(`shared/resources/${name}.ts: resource "${name}": ${key}: ${detail}`);
    this.name = 'DeclarationError';
  }
}

const keys = {
  resource: ['name', 'schema', 'id', 'rules', 'fieldRules', 'shapes', 'cache', 'invalid', 'preconditions', 'validation', 'reads', 'live', 'limits', 'revision'],
  rules: ['read', 'write', 'create', 'update', 'remove'],
  shape: ['equal', 'range', 'prefix', 'sort'],
  fieldRule: ['read', 'write'],
} as const;

/** Paths below the version that are not resources. */
const reservedNames: ReadonlySet<string> = new Set(['live']);

export function resource(declared: ResourceDeclaration): Resource {
  const { name } = declared;
  if (!/^[a-z][a-z0-9-]{0,62}$/.test(name)) throw new DeclarationError(name, 'name', 'must be lower case, a plural noun of letters, digits and hyphens');
  if (reservedNames.has(name)) throw new DeclarationError(name, 'name', `"/${name}" is kept for live feeds; choose another`);
  mustKnow(name, '', declared, keys.resource);
  mustKnow(name, 'rules.', declared.rules ?? {}, keys.rules);
  const fields = mustFields(declared);
  const shapes = mustShapes(declared, fields);
  const kindOf = (field: string) => (field === 'id' ? toIdKind(declared.id ?? 'uuid') : fields.get(field)?.kind);
  const rules = toRules(declared.rules ?? {}, kindOf);
  const fieldRules = mustFieldRules(declared, fields, kindOf);
  mustIndexable(name, 'rules.read', rules.read, fields);
  const { cache = 'shared', invalid = 'serve', preconditions = 'optional', live = false, id = 'uuid', revision = 0 } = declared;
  mustChoose(servingChoices, { cache, invalid }, refuseAt(name, ''));
  mustChoose(changingChoices, { preconditions }, refuseAt(name, ''));
  const isArray = (field: string) => fields.get(field)?.kind === 'array';
  return {
    name, schema: declared.schema.strict(), id, idKind: toIdKind(id), rules, fieldRules, fields, shapes, cache, invalid, preconditions, live,
    limits: toResourceLimits(declared.limits ?? {}, refuseAt(name, 'limits.')),
    validation: mustChoose(validationChoices, declared.validation ?? {}, refuseAt(name, 'validation.')),
    reads: mustReads(name, declared.reads ?? {}, cache),
    indexes: toIndexes(shapes, rules.read, isArray),
    mentions: mentionsOf([rules.read, ...Object.values(fieldRules).flatMap((rule) => rule.read ?? [])]),
    digest: digest64(toCanonicalJson([name, typeof id === 'string' ? id : id.kind, rules, fieldRules, [...fields.values()], shapes, cache, invalid, revision])),
  };
}

function toIdKind(id: IdDeclaration): Resource['idKind'] {
  if (typeof id === 'string') return id;
  return kindOfType(id.format) === 'uuid' ? 'uuid' : 'string';
}

function refuseAt(name: string, path: string) {
  return (key: string, detail: string): never => {
    throw new DeclarationError(name, path + key, detail);
  };
}

function mustReads(name: string, declared: Partial<ResourceReads>, cache: Resource['cache']): ResourceReads {
  const reads = mustChoose(readChoices, declared, refuseAt(name, 'reads.'));
  if (reads.concern === 'local' && cache === 'shared') throw new DeclarationError(name, 'reads.concern', 'what an election takes back, no change tells the edge: "local" needs cache: "none"');
  return reads;
}

function mustKnow(name: string, path: string, given: object, known: readonly string[]): void {
  const unknown = Object.keys(given).find((key) => !known.includes(key));
  if (unknown !== undefined) throw new DeclarationError(name, path + unknown, `unknown key; known are ${known.join(', ')}`);
}

function mustFields({ name, schema }: ResourceDeclaration): ReadonlyMap<string, Field> {
  if (schema.def.type !== 'object') throw new DeclarationError(name, 'schema', 'must be a z.object()');
  if ((schema.def.checks?.length ?? 0) > 0) throw new DeclarationError(name, 'schema', 'refine fields, not the whole object');
  for (const field of Object.keys(schema.shape)) {
    if (reservedFieldNames.has(field)) throw new DeclarationError(name, `schema.${field}`, 'is kept by Tombolo and must not be declared');
    // Field names stand in SQL paths and in query parameters: nothing there may need escaping.
    if (!/^[A-Za-z][A-Za-z0-9_]{0,62}$/.test(field)) throw new DeclarationError(name, `schema.${field}`, 'must be letters, digits and _, beginning with a letter');
  }
  return toFields(schema);
}

function mustShapes(declared: ResourceDeclaration, fields: ReadonlyMap<string, Field>): readonly Shape[] {
  return Object.entries(declared.shapes).map(([shapeName, given]) => {
    const path = `shapes.${shapeName}`;
    mustKnow(declared.name, `${path}.`, given, keys.shape);
    const shape = toShape(shapeName, given);
    const arrays = shape.equal.filter((field) => fields.get(field)?.kind === 'array');
    if (arrays.length > 1) throw new DeclarationError(declared.name, `${path}.equal`, `one array field at most, not ${arrays.join(' and ')}`);
    for (const field of shape.equal) mustCompare(declared.name, `${path}.equal`, field, fields, true);
    for (const sort of shape.sorts) for (const key of sort) mustCompare(declared.name, `${path}.sort`, key.field, fields, false);
    if (shape.range !== undefined && shape.prefix !== undefined) throw new DeclarationError(declared.name, `${path}.prefix`, 'a shape has a range or a prefix, not both');
    const bounded = shape.range ?? shape.prefix;
    if (bounded !== undefined && !shape.sorts.some((sort) => sort[0]?.field === bounded))
      throw new DeclarationError(declared.name, `${path}.${shape.range === undefined ? 'prefix' : 'range'}`, `no order begins with "${bounded}", so no index can serve it`);
    if (shape.prefix !== undefined && shape.prefix !== 'id' && !isTextKind(fields.get(shape.prefix)?.kind))
      throw new DeclarationError(declared.name, `${path}.prefix`, `"${shape.prefix}" is not a string`);
    return shape;
  });
}

function mustCompare(name: string, path: string, field: string, fields: ReadonlyMap<string, Field>, arrays: boolean): void {
  if (field === 'id') return;
  const found = fields.get(field);
  if (found === undefined) throw new DeclarationError(name, path, `the schema has no field "${field}"`);
  const kind = arrays && found.kind === 'array' ? (found.element ?? 'mixed') : found.kind;
  if (!isScalarKind(kind)) throw new DeclarationError(name, path, `"${field}" (${found.kind}) cannot be indexed here; scalars can${arrays ? ', and arrays of scalars' : ''}`);
}

type KindOf = Parameters<typeof toCanonicalRule>[1];

function toRules(given: RuleDeclaration, kindOf: KindOf): Resource['rules'] {
  const write = given.write ?? nobody;
  const rules = { read: given.read ?? nobody, create: given.create ?? write, update: given.update ?? write, remove: given.remove ?? write };
  return { read: toCanonicalRule(rules.read, kindOf), create: toCanonicalRule(rules.create, kindOf), update: toCanonicalRule(rules.update, kindOf), remove: toCanonicalRule(rules.remove, kindOf) };
}

function mustFieldRules(declared: ResourceDeclaration, fields: ReadonlyMap<string, Field>, kindOf: KindOf): Resource['fieldRules'] {
  const given = declared.fieldRules ?? {};
  for (const [field, rule] of Object.entries(given)) {
    if (!fields.has(field)) throw new DeclarationError(declared.name, `fieldRules.${field}`, 'the schema has no such field');
    mustKnow(declared.name, `fieldRules.${field}.`, rule, keys.fieldRule);
  }
  return Object.fromEntries(Object.entries(given).map(([field, { read, write }]) => [field, {
    ...(read === undefined ? {} : { read: toCanonicalRule(read, kindOf) }),
    ...(write === undefined ? {} : { write: toCanonicalRule(write, kindOf) }),
  }]));
}

function isTextKind(kind: Field['kind'] | undefined): boolean {
  return kind === 'string' || kind === 'uuid';
}

/** A row rule that negates a comparison cannot be pushed into an index; it would scan. */
function mustIndexable(name: string, path: string, rule: Rule, fields: ReadonlyMap<string, Field>): void {
  if (rule.kind === 'claim' || rule.kind === 'equals') mustCompare(name, path, rule.field, fields, false);
  if (rule.kind === 'all' || rule.kind === 'any') for (const part of rule.rules) mustIndexable(name, path, part, fields);
  if (rule.kind === 'not' && mentionsOf([rule]).fields.size > 0) throw new DeclarationError(name, path, 'negates a comparison with a field, which no index can serve');
}
