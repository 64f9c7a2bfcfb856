/**
 * What Tombolo keeps of its own in every document, under the names that a team gives it, or not at all (SEMANTICS §15). In a
 * collection that others made nothing of it is kept unless the declaration says so: by name, or by asking for it.
 */
import type { Field } from './fields.ts';
import type { Shape } from './shapes.ts';
import { mentionsOf, type Rule } from './rules.ts';
import { madeOnce } from '../remember.ts';
import type { JsonObject } from '../wire/values.ts';

export const roles = ['rev', 'createdAt', 'updatedAt', 'deletedAt'] as const;
type Role = (typeof roles)[number];

/** The name of each on the wire, or `false`: it is not kept, and its name is the schema's. */
export type SystemDeclaration = { readonly [Each in Exclude<Role, 'deletedAt'>]?: string | false };

/** With the field of a soft removal, which has a name where one is declared (removal.ts). */
export type AllDeclared = { readonly [Each in Role]?: string | false | undefined };

/** The names on the wire of those that are kept. */
export type SystemFields = Readonly<Partial<Record<Role, string>>>;

const kinds = { rev: 'integer', createdAt: 'instant', updatedAt: 'instant', deletedAt: 'instant' } as const;

export function toSystemFields(declared: AllDeclared): SystemFields {
  const named = roles.map((role) => [role, declared[role] ?? (role === 'deletedAt' ? false : role)] as const);
  return Object.fromEntries(named.filter(([, name]) => name !== false));
}

/** Names stand in SQL paths and in query parameters: nothing there may need escaping. */
export function isFieldName(name: string): boolean {
  return /^[A-Za-z][A-Za-z0-9_]{0,62}$/.test(name);
}

/** Declared nowhere, readable, sortable, never written by a client. */
export function systemFieldsOf(system: SystemFields): readonly Field[] {
  return rolesOf(system).map(([role, name]) => ({ name, kind: kinds[role], optional: true, nullable: false }));
}

function rolesOf(system: SystemFields): readonly (readonly [Role, string])[] {
  return roles.flatMap((role) => (system[role] === undefined ? [] : [[role, system[role]] as const]));
}

/** A resource, of which no more is asked here. */
interface Keeping {
  readonly system: SystemFields;
}

/** What a document of this resource holds that no client writes, its id first. */
export function keptNamesOf({ system }: Keeping): readonly string[] {
  return namesOf(system);
}

const namesOf = madeOnce((system: SystemFields): readonly string[] => ['id', ...Object.values(system)]);

/** The fields of a document, without what Tombolo keeps. */
export function withoutKept(resource: Keeping, document: JsonObject): JsonObject {
  const kept = keptNamesOf(resource);
  return Object.fromEntries(Object.entries(document).filter(([name]) => !kept.includes(name)));
}

interface Asked {
  readonly declared: AllDeclared;
  readonly system: SystemFields;
  readonly shapes: readonly Shape[];
  readonly rules: readonly Rule[];
  readonly fieldRules: Readonly<Record<string, unknown>>;
}

/** Those that a collection of others has, too: named in the declaration, or asked for by a shape or a rule. */
export function toAdoptedFields({ declared, system, shapes, rules, fieldRules }: Asked): SystemFields {
  // A range and a prefix begin an order.
  const asked = shapes.flatMap(({ equal, sorts }) => [...equal, ...sorts.flat().map(({ field }) => field)]);
  const mentioned = new Set([...mentionsOf(rules).fields, ...Object.keys(fieldRules), ...asked]);
  return Object.fromEntries(rolesOf(system).filter(([role, name]) => declared[role] !== undefined || mentioned.has(name)));
}
