/**
 * `resource()`: the one declaration from which routes, validation, store checks, indexes, dependencies,
 * scopes and cache keys follow. What is not allowed by a rule is refused. What is wrong with it, `shared/checks` finds before
 * anything starts.
 */
import * as z from 'zod';
import { type Aggregate, type AggregateDeclaration, toAggregates } from '../aggregates/aggregate.ts';
import { toCanonicalSchema } from './canonical-schema.ts';
import { type Choices, toChosen } from './choices.ts';
import { type DocumentSchema, memberNames } from './document-schema.ts';
import { type Field, toFields } from './fields.ts';
import { type GivenDeclaration, type GivenFields, toGivenFields, toReadonly } from './given-fields.ts';
import { digest64, toCanonicalJson } from '../wire/hash.ts';
import { idField, type IdDeclaration, type IdKind, toIdKind } from './id-declarations.ts';
import { type LimitsDeclaration, type ResourceLimits, toResourceLimits } from '../limits/cost.ts';
import { withReferringIndexes } from './references.ts';
import type { KeepsHistory, Logged } from './history.ts';
import type { Links, Relations } from './relations.ts';
import { readChoices, type ResourceReads } from './resource-reads.ts';
import { type Removal, type RemovalDeclaration, toRemoval, withRemovedIndexes } from './removal.ts';
import { type ResourceValidation, validationChoices } from './resource-validation.ts';
import { canonical, type RowRules, type RuleDeclaration, toRules } from './row-rules.ts';
import { anyone, type Mentions, mentionsOf, nobody, type Rule } from './rules.ts';
import { fieldsOf } from './schema-fields.ts';
import { outlineOf } from './schema-tree.ts';
import type { VersionChanges } from '../versions/changes.ts';
import { type StoredAsDeclaration, type StoredNames, toStoredNames } from './stored-names.ts';
import { type SystemDeclaration, type SystemFields, toAdoptedFields, toSystemFields } from './system-fields.ts';
import { type IndexSpec, type Shape, type ShapeDeclaration, toIndexes, toShapes } from './shapes.ts';
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

export const servingChoices: Choices<Serving> = {
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
  /** What `shared/checks` looks at before anything starts. */
  readonly declared: ResourceDeclaration;
  /** Names this declaration; edge and origin compare it before an answer is stored. */
  readonly digest: string;
}

/** What cannot be read stands for what refuses everybody; `shared/checks` says why, and nothing starts. */
export function resource<Schema extends DocumentSchema>(declared: ResourceDeclaration<Schema>): Resource<Schema> {
  try {
    return { ...toResource(declared), declared };
  } catch {
    const closed = toResource({ name: declared.name, schema: z.object({}), shapes: {} });
    return { ...closed, internal: declared.internal === true, schema: declared.schema, declared };
  }
}

function toResource<Schema extends DocumentSchema>(declared: ResourceDeclaration<Schema>): Omit<Resource<Schema>, 'declared'> {
  const { name, internal = false, collection = name, preconditions = 'optional', live = false, revision = 0, id = 'uuid' } = declared;
  const { cache = internal ? 'none' : 'shared', invalid = 'serve', extra = 'keep', outage = 'unchanged', relations = {} } = declared;
  const idKind = toIdKind(id);
  const removal = toRemoval(declared.removal);
  const named = { ...declared, deletedAt: removal?.at };
  const system = toSystemFields(named);
  const schema = toCanonicalSchema(declared.schema);
  const fields = toFields(fieldsOf(schema), system);
  const known: ReadonlyMap<string, Field> = new Map([...fields, ['id', idField({ idKind })]]);
  const shapes = toShapes(declared.shapes);
  const aggregates = toAggregates(declared.aggregates, { fields: known, shapes });
  const walked = [...shapes, ...aggregates.map(({ shape }) => shape)];
  const rules = toRules(declared.rules, { fields: known, removal });
  const fieldRules = toFieldRules(declared, known);
  const isArray = (field: string) => fields.get(field)?.kind === 'array';
  const indexes = toIndexes(walked, internal ? anyone : rules.read, isArray);
  return {
    name, collection, internal, schema, id, idKind, rules, removal, fieldRules, fields, system, shapes, aggregates, live, relations,
    ...toGivenFields(declared), unique: toUniques(declared.unique), names: toStoredNames(declared.storedAs),
    adoptedSystem: toAdoptedFields({ declared: named, system, shapes, rules: Object.values(rules), fieldRules }),
    ...toChosen(servingChoices, { cache, invalid, extra, preconditions, outage }), limits: toResourceLimits(declared.limits),
    validation: toChosen(validationChoices, declared.validation), versions: declared.versions ?? {},
    related: new Map(), namedBy: [], history: declared.history, reads: toChosen(readChoices, declared.reads),
    indexes: withReferringIndexes(relations, withRemovedIndexes(indexes, rules.restore, removal), { removal, isArray }),
    mentions: mentionsOf([rules.read, rules.restore, ...Object.values(fieldRules).flatMap((rule) => rule.read ?? [])]),
    digest: digest64(toCanonicalJson([
      name, collection, typeof id === 'string' ? id : [id.kind, 'storedAs' in id], rules, fieldRules, [...fields.values()], shapes,
      cache, invalid, extra, outlineOf(schema), revision, system, declared.storedAs ?? {},
      ...(aggregates.length === 0 ? [] : [aggregates]),
    ])),
  };
}

function toFieldRules(declared: ResourceDeclaration, fields: ReadonlyMap<string, Field>): Resource['fieldRules'] {
  const given = Object.entries(declared.fieldRules ?? {}).map(([field, { read, write }]) => [field, {
    ...(read === undefined ? {} : { read: canonical(read, fields) }), ...(write === undefined ? {} : { write: canonical(write, fields) }),
  }] as const);
  const rules: Resource['fieldRules'] = Object.fromEntries(given);
  // Nobody may write what is read-only, whoever reads it.
  const closed = toReadonly(declared).map((path) => [path, { ...rules[path], write: nobody }] as const);
  return { ...rules, ...Object.fromEntries(closed) };
}

/** Where it is declared, as lines of mistakes begin. */
export function placeOf({ name, internal, schema }: Pick<ResourceDeclaration, 'name' | 'internal' | 'schema'>): string {
  if (internal === true) return `internal resource "${name}"`;
  if (typeof name === 'string' && name !== '') return `shared/resources/${name}.ts: resource "${name}"`;
  return `shared/resources: a resource without a name (schema of ${memberNames(schema).slice(0, 5).join(', ') || 'nothing'})`;
}
