/**
 * `resource()`: the one declaration from which routes, validation, store checks, indexes, dependencies,
 * scopes and cache keys follow. Everything wrong with it is found here and kept as `mistakes`, which refuse the
 * start (`mustBeSound`). What is not allowed by a rule is refused.
 */
import * as z from 'zod';
import { type Aggregate, type AggregateDeclaration, toAggregates } from '../aggregates/aggregate.ts';
import { type Choices, toChosen } from './choices.ts';
import { type DocumentSchema, isDocumentSchema, memberNames } from './document-schema.ts';
import { type Field, toFields } from './fields.ts';
import { idField } from './filter-values.ts';
import { type GivenDeclaration, type GivenFields, toGivenFields, toReadonly } from './given-fields.ts';
import { digest64, toCanonicalJson } from '../wire/hash.ts';
import { type IdDeclaration, type IdKind, toId, toIdKind } from './id-declarations.ts';
import { isEngineName, isInternalName, whyNoCollection } from './internal-names.ts';
import { Mistakes, refuseUnknown, toObject } from './mistakes.ts';
import { type LimitsDeclaration, type ResourceLimits, toResourceLimits } from '../limits/cost.ts';
import { withReferringIndexes } from './references.ts';
import { type KeepsHistory, type Logged, toHistory } from './history.ts';
import { type Links, type Relations, toRelations } from './relations.ts';
import { readChoices, type ResourceReads } from './resource-reads.ts';
import { type Removal, type RemovalDeclaration, toRemoval, withRemovedIndexes } from './removal.ts';
import { toSchema } from './resource-schema.ts';
import { type ResourceValidation, validationChoices } from './resource-validation.ts';
import { canonical, type RowRules, type RuleDeclaration, type Surroundings, toRules } from './row-rules.ts';
import { toRule } from './rule-checks.ts';
import { anyone, type Mentions, mentionsOf, nobody, type Rule } from './rules.ts';
import { fieldsOf, valueTypesOf, whyNoField } from './schema-fields.ts';
import { outlineOf } from './schema-tree.ts';
import { toShapes } from './shape-checks.ts';
import { checkFoldedRule } from './text-checks.ts';
import type { VersionChanges } from '../versions/changes.ts';
import { type StoredAsDeclaration, type StoredNames, toStoredNames } from './stored-names.ts';
import { type SystemDeclaration, type SystemFields, toAdoptedFields, toSystemFields } from './system-fields.ts';
import { type IndexSpec, type Shape, type ShapeDeclaration, toIndexes } from './shapes.ts';
import { toUniques, type UniqueKeys, type Uniques } from './unique.ts';

export interface ResourceDeclaration<Schema extends DocumentSchema = DocumentSchema> extends
  SystemDeclaration, GivenDeclaration, Uniques, KeepsHistory {
  /** Plural noun, lower case: the path segment, the table, and the file `shared/resources/<name>.ts`. */
  readonly name: string;
  /**
   * Tombolo's own, `tombolo_<words>`: stored, indexed and told of by the feed; never routed, live, reported, or in the digest.
   */
  readonly internal?: boolean;
  /** The stored collection, or SQLite table; `name` unless said. */
  readonly collection?: string;
  /** What members are called in the database where that is not their name on the wire. */
  readonly storedAs?: StoredAsDeclaration;
  readonly schema: Schema;
  readonly id?: IdDeclaration;
  readonly rules?: RuleDeclaration;
  /** Per path: who may read it, who may write it. Without an entry the row rule alone decides. */
  readonly fieldRules?: Readonly<Record<string, { readonly read?: Rule; readonly write?: Rule }>>;
  readonly shapes: Readonly<Record<string, ShapeDeclaration>>;
  /** Documents that are removed stay for a while, hidden from whoever may not restore them (SEMANTICS §17). */
  readonly removal?: RemovalDeclaration;
  /** What may be grouped and summed up, by name, as in `{ byYear: { group: ['year'] } }`; nothing else is. */
  readonly aggregates?: Readonly<Record<string, AggregateDeclaration>>;
  /** By name: related documents that `expand` shows, as in `film: to('films', 'film')`. */
  readonly relations?: Relations;
  readonly cache?: Serving['cache'];
  readonly outage?: Serving['outage'];
  readonly invalid?: Serving['invalid'];
  readonly extra?: Serving['extra'];
  readonly preconditions?: Serving['preconditions'];
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
  /** By older version: what the next one changed, as in `v1: [moved({ thumbnail: 'image.url' })]` (SEMANTICS §19). */
  readonly versions?: VersionChanges;
}

interface Serving {
  /** Whether the edge may store answers; `none` for what must always be asked of the origin. */
  readonly cache: 'shared' | 'none';
  /** Documents by others that fail the schema are still served, or refused on read. */
  readonly invalid: 'serve' | 'refuse';
  /** Stored members that the schema does not name: every write keeps them, and they are served to nobody or like the others. */
  readonly extra: 'keep' | 'serve';
  /** `required`: a document is changed only by who says which one they read, by If-Match (RFC 6585 §3). */
  readonly preconditions: 'optional' | 'required';
  /**
   * What the edge may answer while the origin is away: what is not known to have changed, or also what was right before
   * the last change. What is known to be deleted or hidden it never answers (SEMANTICS §1).
   */
  readonly outage: 'unchanged' | 'last-known';
}

const servingChoices: Choices<Serving> = {
  cache: ['shared', 'none'], invalid: ['serve', 'refuse'], extra: ['keep', 'serve'], preconditions: ['optional', 'required'],
  outage: ['unchanged', 'last-known'],
};

export interface Resource<Schema extends DocumentSchema = DocumentSchema> extends Serving, GivenFields, UniqueKeys, Links, Logged {
  /** What it is called on the wire, in the feed and in reports. */
  readonly name: string;
  /** What the database calls it. */
  readonly collection: string;
  readonly internal: boolean;
  /** `z.infer` of it is what a document holds beside the fields that Tombolo keeps. */
  readonly schema: Schema;
  readonly id: IdDeclaration;
  readonly idKind: IdKind;
  readonly rules: RowRules;
  readonly removal: Removal | undefined;
  readonly fieldRules: Readonly<Record<string, { readonly read?: Rule; readonly write?: Rule }>>;
  /** By path, at every depth. */
  readonly fields: ReadonlyMap<string, Field>;
  /** What Tombolo keeps beside them, and what of it in a collection that others made. */
  readonly system: SystemFields;
  readonly adoptedSystem: SystemFields;
  /** `undefined`: the database calls every member as the wire does. */
  readonly names: StoredNames | undefined;
  readonly shapes: readonly Shape[];
  readonly aggregates: readonly Aggregate[];
  readonly indexes: readonly IndexSpec[];
  /** The database's alone, as are `reads`: nothing that is sent depends on them, so they are not in the digest. */
  readonly validation: ResourceValidation;
  readonly reads: ResourceReads;
  readonly live: boolean;
  readonly relations: Relations;
  /** The edge's alone: nothing that is stored or sent depends on it, so it is not in the digest. */
  readonly limits: ResourceLimits;
  /** What the read rule and the field rules mention: the scope of an answer (SEMANTICS §2). */
  readonly mentions: Mentions;
  /** The edge's alone: the origin speaks the current version. */
  readonly versions: VersionChanges;
  /** Lines, each with file, resource and key. With any, nothing else here means anything, and no start serves it. */
  readonly mistakes: readonly string[];
  /** Names this declaration; edge and origin compare it before an answer is stored. */
  readonly digest: string;
}

const keys = {
  resource: [
    'name', 'collection', 'storedAs', 'internal', 'schema', 'id', 'rules', 'fieldRules', 'readonly', 'immutable', 'defaults', 'shapes',
    'cache', 'outage', 'invalid', 'extra', 'preconditions', 'rev', 'createdAt', 'updatedAt', 'validation', 'reads', 'live', 'limits',
    'revision', 'versions', 'unique', 'removal', 'aggregates', 'relations', 'history'],
  /** What means something for a resource that is stored and not served. */
  internal: ['name', 'internal', 'schema', 'id', 'rev', 'createdAt', 'updatedAt', 'shapes', 'validation', 'reads'],
  fieldRule: ['read', 'write'],
} as const;

/** Paths below the version that are no resources, and what they are. */
const keptNames: ReadonlyMap<string, string> = new Map([['live', 'live feeds'], ['usage', 'what a caller has used']]);

export function resource<Schema extends DocumentSchema>(declared: ResourceDeclaration<Schema>): Resource<Schema> {
  const mistakes = new Mistakes(placeOf(declared));
  checkPlain(declared, mistakes);
  try {
    const made = toResource(declared, mistakes);
    if (mistakes.found.length === 0) return made;
  } catch (cause) {
    // Without a schema nothing else can be read, and the types of a declaration are not checked when it runs.
    if (isDocumentSchema(declared.schema)) {
      mistakes.add('declaration', `cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`);
    }
  }
  return closed(declared, mistakes.found);
}

/** What is never served, and refuses everybody should anyone try. */
function closed<Schema extends DocumentSchema>(
  { name, internal, schema, limits }: ResourceDeclaration<Schema>,
  mistakes: readonly string[],
): Resource<Schema> {
  const made = toResource({ name, schema: z.object({}), shapes: {} }, new Mistakes(''));
  // The contract tells of costs that no operation has.
  const cost = toObject(limits?.cost, () => undefined);
  return { ...made, limits: { ...made.limits, cost }, internal: internal === true, schema, mistakes };
}

/** Where it is declared, as lines of mistakes begin. */
export function placeOf({ name, internal, schema }: Pick<ResourceDeclaration, 'name' | 'internal' | 'schema'>): string {
  if (internal === true) return `internal resource "${name}"`;
  if (typeof name === 'string' && name !== '') return `shared/resources/${name}.ts: resource "${name}"`;
  return `shared/resources: a resource without a name (schema of ${memberNames(schema).slice(0, 5).join(', ') || 'nothing'})`;
}

function toResource<Schema extends DocumentSchema>(declared: ResourceDeclaration<Schema>, mistakes: Mistakes): Resource<Schema> {
  const { name, internal = false, collection = name, preconditions = 'optional', live = false, revision = 0 } = declared;
  const { cache = internal ? 'none' : 'shared', invalid = 'serve', extra = 'keep', outage = 'unchanged' } = declared;
  const id = toId(declared.id, mistakes);
  const idKind = toIdKind(id);
  const removal = toRemoval(declared.removal, mistakes);
  const named = { ...declared, deletedAt: removal?.at };
  const system = toSystemFields(named, mistakes);
  const schema = toSchema(declared.schema, system, mistakes);
  const fields = toFields(fieldsOf(schema), system);
  const known: ReadonlyMap<string, Field> = new Map([...fields, ['id', idField({ idKind })]]);
  const shapes = toShapes(toObject(declared.shapes, (detail) => mistakes.add('shapes', detail)), known, mistakes.at('shapes.'));
  const surroundings = { schema, fields: known, types: valueTypesOf(schema) };
  const summed = toObject(declared.aggregates, (detail) => mistakes.add('aggregates', detail));
  const aggregates = toAggregates(summed, { fields: known, shapes }, mistakes.at('aggregates.'));
  const walked = [...shapes, ...aggregates.map(({ shape }) => shape)];
  const rules = toRules(declared.rules, { ...surroundings, removal, isLogged: declared.history !== undefined }, mistakes);
  checkFoldedRule(shapes, rules.read, mistakes);
  const fieldRules = toFieldRules(declared, surroundings, mistakes);
  const relations = toRelations(declared.relations, { schema, fields: known }, mistakes);
  const isArray = (field: string) => fields.get(field)?.kind === 'array';
  const indexes = toIndexes(walked, internal ? anyone : rules.read, isArray);
  const objectAt = <T extends object>(key: string, given: T | undefined) => toObject(given, (detail) => mistakes.add(key, detail));
  return {
    name, collection, internal, schema, id, idKind, rules, removal, fieldRules, fields, system, shapes, aggregates, live,
    mistakes: mistakes.found,
    ...toGivenFields(declared, surroundings, mistakes), unique: toUniques(declared.unique, { ...surroundings, removal }, mistakes),
    names: toStoredNames({ schema, system, storedAs: objectAt('storedAs', declared.storedAs) }, mistakes),
    adoptedSystem: toAdoptedFields({ declared: named, system, shapes, rules: Object.values(rules), fieldRules }),
    ...toChosen(servingChoices, { cache, invalid, extra, preconditions, outage }, mistakes.at('')),
    limits: toResourceLimits(objectAt('limits', declared.limits), mistakes.at('limits.')),
    validation: toChosen(validationChoices, objectAt('validation', declared.validation), mistakes.at('validation.')),
    versions: objectAt('versions', declared.versions),
    relations, related: new Map(), namedBy: [], ...toHistory(declared, mistakes),
    reads: toReads(objectAt('reads', declared.reads), cache, mistakes),
    indexes: withReferringIndexes(relations, withRemovedIndexes(indexes, rules.restore, removal), { removal, isArray }),
    mentions: mentionsOf([rules.read, rules.restore, ...Object.values(fieldRules).flatMap((rule) => rule.read ?? [])]),
    digest: digest64(toCanonicalJson([
      name, collection, typeof id === 'string' ? id : [id.kind, 'storedAs' in id], rules, fieldRules, [...fields.values()], shapes,
      cache, invalid, extra, outlineOf(schema), revision, system, declared.storedAs ?? {},
      ...(aggregates.length === 0 ? [] : [aggregates]),
    ])),
  };
}

/** What no other part reads closely. */
function checkPlain(declared: ResourceDeclaration, mistakes: Mistakes): void {
  const { name, internal = false, schema, shapes, live = false, revision = 0 } = declared;
  const detail = internal === true ? whyNoInternalName(name) : whyNoName(name);
  if (detail !== undefined) mistakes.add('name', detail);
  const noCollection = declared.collection === undefined ? undefined : whyNoCollection(declared.collection);
  if (noCollection !== undefined) mistakes.add('collection', noCollection);
  if (typeof internal !== 'boolean') mistakes.add('internal', 'must be true or false');
  refuseUnknown(declared, internal === true ? keys.internal : keys.resource, mistakes.at(''));
  if (!isDocumentSchema(schema)) mistakes.add('schema', 'must be a z.object() or a z.discriminatedUnion() of them');
  if (shapes === undefined) mistakes.add('shapes', 'is missing: what can be asked for is declared, as in { all: {} }');
  if (typeof live !== 'boolean') mistakes.add('live', 'must be true or false');
  if (!Number.isSafeInteger(revision) || revision < 0) mistakes.add('revision', 'must be a whole number');
}

function whyNoName(name: unknown): string | undefined {
  if (typeof name !== 'string' || !/^[a-z][a-z0-9-]{0,62}$/.test(name)) {
    return 'must be lower case, a plural noun of letters, digits and hyphens';
  }
  return keptNames.has(name) ? `"/${name}" is kept for ${keptNames.get(name)}; choose another` : undefined;
}

function whyNoInternalName(name: unknown): string | undefined {
  if (typeof name !== 'string' || !isInternalName(name)) {
    return 'must be tombolo_ and words of lower-case letters and digits, with _ between them';
  }
  return isEngineName(name) ? 'is kept by the engines; choose another' : undefined;
}

function toReads(declared: Partial<ResourceReads>, cache: Resource['cache'], mistakes: Mistakes): ResourceReads {
  const reads = toChosen(readChoices, declared, mistakes.at('reads.'));
  if (reads.concern === 'local' && cache === 'shared') {
    mistakes.add('reads.concern', 'what an election takes back, no change tells the edge: "local" needs cache: "none"');
  }
  return reads;
}

function toFieldRules(declared: ResourceDeclaration, surroundings: Surroundings, mistakes: Mistakes): Resource['fieldRules'] {
  const given = toObject(declared.fieldRules, (detail) => mistakes.add('fieldRules', detail));
  const rules = Object.fromEntries(Object.entries(given).map(([field, declaredRules]) => {
    const path = `fieldRules.${field}`;
    const rules = toObject(declaredRules, (detail) => mistakes.add(path, detail));
    if (field === 'id' || !surroundings.fields.has(field)) mistakes.add(path, whyNoField(field));
    if (surroundings.fields.get(field)?.isInArray === true && rules.write !== undefined) {
      mistakes.add(`${path}.write`, 'stands in the elements of an array; who may write the array is what a rule can say');
    }
    refuseUnknown(rules, keys.fieldRule, mistakes.at(`${path}.`));
    const made = keys.fieldRule.flatMap((key) => {
      const rule = rules[key];
      if (rule === undefined) return [];
      const refuse = (detail: string) => mistakes.add(`${path}.${key}`, detail);
      return [[key, canonical(toRule(rule, nobody, { ...surroundings, refuse }), surroundings)]];
    });
    return [field, Object.fromEntries(made)];
  }));
  return { ...rules, ...readonlyRules(declared, rules, surroundings, mistakes) };
}

/** Nobody may write what is read-only, whoever reads it. */
function readonlyRules(
  declared: ResourceDeclaration, given: Resource['fieldRules'], surroundings: Surroundings, mistakes: Mistakes,
): Resource['fieldRules'] {
  return Object.fromEntries(toReadonly(declared, surroundings, mistakes).map((path) => {
    if (given[path]?.write !== undefined) mistakes.add(`fieldRules.${path}.write`, 'is read-only, so that nobody writes it');
    return [path, { ...given[path], write: nobody }];
  }));
}
