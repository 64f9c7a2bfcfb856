/** What clients need not give, and what they cannot change (shared/contract/given-fields.ts). */
import * as z from 'zod';
import { bodiesOf, documentInvalid } from '../../shared/contract/documents.ts';
import { type GivenFields, readonlyPaths } from '../../shared/contract/given-fields.ts';
import { isWithin, toPathTree, valueAt, without } from '../../shared/contract/path.ts';
import type { Resource } from '../../shared/contract/resource.ts';
import { placeOf } from '../../shared/contract/schema-places.ts';
import { isSameJson } from '../../shared/contract/settled.ts';
import { withoutKept } from '../../shared/contract/system-fields.ts';
import { Fault } from '../../shared/wire/fault.ts';
import { toPointer } from '../../shared/wire/json-pointer.ts';
import { claimOf } from '../../shared/wire/principal.ts';
import type { Json, JsonObject } from '../../shared/wire/values.ts';
import type { Asked } from '../call.ts';
import { withUnnamed } from './unnamed-places.ts';

type Writer = Pick<Asked, 'resource' | 'principal'>;

/** A new document with what its maker's claims say of it, where it does not. */
export function withDefaults({ resource, principal }: Writer, body: JsonObject): JsonObject {
  const missing = Object.entries(resource.defaults).filter(([member]) => !Object.hasOwn(body, member));
  if (missing.length === 0) return body;
  const place = placeOf(resource.schema, body);
  const filled = missing.flatMap(([member, { claim }]): readonly (readonly [string, Json])[] => {
    const type = place.member(member);
    const value = claimOf(principal, claim);
    // Another branch of a union has it, or nobody need.
    if (type === undefined || (value === undefined && type._zod.optin !== undefined)) return [];
    if (value === undefined) throw memberInvalid(member, `is missing, and you have no claim "${claim}" to fill it`);
    const parsed = z.safeParse(type, value);
    if (!parsed.success) throw memberInvalid(member, `is missing, and your claim "${claim}" is no value of it`);
    return [[member, parsed.data as Json]];
  });
  return { ...body, ...Object.fromEntries(filled) };
}

interface Replacement {
  /** What the schema made of it. */
  readonly value: JsonObject;
  readonly sent: JsonObject;
  readonly stored: JsonObject;
}

/** A whole document in the place of another: what nobody gives, and who made it, stay where it is silent of them. */
export function withUngiven(resource: Resource, { value, sent, stored }: Replacement): JsonObject {
  const ungiven = [...readonlyPaths(resource), ...Object.keys(resource.defaults)];
  const keeps = ungiven.filter((path) => valueAt(sent, path) === undefined && valueAt(stored, path) !== undefined);
  return withUnnamed({ resource, keeps }, { sent: value, before: stored, as: 'document' });
}

/** What stands at a path of a new document whose maker says nothing of it: a default of the schema, or nothing. */
export function initialAt({ resource }: Writer, body: JsonObject, path: string): Json | undefined {
  const parsed = bodiesOf(resource).fields.safeParse(without(withoutKept(resource, body), toPathTree([path])));
  return parsed.success ? valueAt(parsed.data, path) : undefined;
}

/** `named`: paths that the caller names without seeing them; whether a guess is right is not told. */
export function mustStay({ immutable }: GivenFields, before: JsonObject, after: JsonObject, named: readonly string[]): void {
  const changed = immutable.filter((path) => {
    const stood = valueAt(before, path);
    const isGuessed = named.some((hidden) => isWithin(path, hidden) || isWithin(hidden, path));
    return stood !== undefined && (isGuessed || !isSameJson(stood, valueAt(after, path)));
  });
  if (changed.length === 0) return;
  throw new Fault('document_conflict', {
    detail: `${changed.join(' and ')} cannot be changed once there`,
    errors: changed.map((path) => ({ at: toPointer(path.split('.')), in: 'body', detail: 'cannot be changed once it is there' })),
  });
}

function memberInvalid(member: string, detail: string): Fault {
  return documentInvalid([{ at: toPointer([member]), in: 'body', detail }]);
}
