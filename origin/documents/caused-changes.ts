/**
 * What the removal of a document does to those that name it, as their relations declare (SEMANTICS §17): it is refused, they are
 * removed too, or the id is taken out of them, all in the transaction of the removal. It is found from the document outwards,
 * level by level; rules and hooks before a write are not asked, and readers of the feed are told of each change as of any.
 */
import type { NamedBy } from '../../shared/contract/relations.ts';
import { isRemoved } from '../../shared/contract/removal.ts';
import type { Resource } from '../../shared/contract/resource.ts';
import { isSameJson } from '../../shared/contract/settled.ts';
import { withoutKept } from '../../shared/contract/system-fields.ts';
import { Fault } from '../../shared/wire/fault.ts';
import { limits } from '../../shared/wire/limits.ts';
import type { Json, JsonObject } from '../../shared/wire/values.ts';
import type { About, FollowUp, PlainDecision, Reach, Store } from '../store/store.ts';
import type { StoredDocument } from '../store/stored-document.ts';
import { inStore } from './in-store.ts';
import { idValueIn, toIdIn } from './related-ids.ts';
import { removedForm } from './removed.ts';
import { toRevised } from './write-rules.ts';

export interface Causing {
  readonly store: Store;
  readonly reach: Reach;
  /** Milliseconds of the epoch. */
  readonly nowMs: number;
}

/** The changes that the removal of a document causes; throws a conflict where it is refused, or would cause too many. */
export function causedByRemoval(removed: About, { store, reach, nowMs }: Causing): readonly FollowUp[] {
  if (removed.resource.namedBy.length === 0) return [];
  const gone = withCascades(removed, store, reach);
  const unset = unsetBy(gone, store, reach);
  const caused = gone.size - 1 + unset.size;
  if (reach.caused + caused > limits.causedChangesMax) throw tooMany();
  reach.caused += caused;
  const removals = [...gone.values()].slice(1).map(({ resource, id }): FollowUp => ({
    resource, id, decide: (found) => toRemoved(resource, found, nowMs),
  }));
  const changes = [...unset.values()].map(({ about: { resource, id }, namings }): FollowUp => ({
    resource, id, decide: (found) => toUnset(resource, found, { namings, nowMs }),
  }));
  return [...removals, ...changes];
}

type ByKey<T> = Map<string, T>;

function keyOf({ resource, id }: About): string {
  return JSON.stringify([resource.name, id]);
}

/** The document, first, and all that go with it. */
function withCascades(removed: About, store: Store, reach: Reach): ByKey<About> {
  const gone: ByKey<About> = new Map([[keyOf(removed), removed]]);
  let level: readonly About[] = [removed];
  for (let depth = 0; level.length > 0; depth++) {
    const found = byNaming(level, ({ onDelete }) => onDelete === 'cascade').flatMap(({ named, namedBy }) =>
      naming(named, namedBy, { store, reach, max: limits.causedChangesMax + gone.size + 1 }));
    const next = new Map(found.filter((each) => !gone.has(keyOf(each))).map((each) => [keyOf(each), each]));
    for (const [key, each] of next) gone.set(key, each);
    if (gone.size - 1 > limits.causedChangesMax) throw tooMany();
    if (next.size > 0 && depth === limits.cascadeLevelsMax) {
      const detail = `its removal would run through more than ${limits.cascadeLevelsMax} relations in a row`;
      throw new Fault('document_conflict', { detail });
    }
    level = [...next.values()];
  }
  return gone;
}

interface Unset {
  readonly about: About;
  /** What is taken out of it, where it is there. */
  readonly namings: readonly OfRelation[];
}

/** Those that are left and named one of what goes; throws where they keep it from going. */
function unsetBy(gone: ByKey<About>, store: Store, reach: Reach): ByKey<Unset> {
  const unset: ByKey<Unset> = new Map();
  for (const ofRelation of byNaming([...gone.values()], ({ onDelete }) => onDelete !== 'cascade')) {
    const { named, namedBy } = ofRelation;
    // Those that go themselves may be among them, and one is too many.
    const max = gone.size + 1 + (namedBy.onDelete === 'restrict' ? 0 : limits.causedChangesMax);
    const left = naming(named, namedBy, { store, reach, max }).filter((each) => !gone.has(keyOf(each)));
    if (left.length > 0 && namedBy.onDelete === 'restrict') throw restricted(namedBy, gone.size > 1);
    for (const about of left) {
      const { namings } = unset.get(keyOf(about)) ?? { namings: [] };
      unset.set(keyOf(about), { about, namings: [...namings, ofRelation] });
    }
  }
  return unset;
}

/** Documents of one resource, and a relation that may name them. */
interface OfRelation {
  readonly named: readonly About[];
  readonly namedBy: NamedBy;
}

function byNaming(gone: readonly About[], isMeant: (namedBy: NamedBy) => boolean): readonly OfRelation[] {
  return [...Map.groupBy(gone, ({ resource }) => resource.name).values()].flatMap((named) =>
    (named[0]?.resource.namedBy ?? []).filter(isMeant).map((namedBy) => ({ named, namedBy })));
}

interface Asking extends Pick<Causing, 'store' | 'reach'> {
  readonly max: number;
}

function naming(named: readonly About[], { holder, relation: { field } }: NamedBy, { store, reach, max }: Asking): readonly About[] {
  const resource = inStore(store, holder);
  const values = named.flatMap(({ id }) => idValueIn(resource, field, id) ?? []);
  return reach.naming(named, { resource, field, values, max }).map(({ id }) => ({ resource, id }));
}

/** That there are some is all that is told of them: whoever removes may not see them. */
function restricted({ holder, relation }: NamedBy, isCascade: boolean): Fault {
  const what = isCascade ? `${relation.of} that would go` : 'it';
  return new Fault('document_conflict', {
    detail: `documents of ${holder.name} name ${what}: relation "${relation.name}" of ${holder.name} restricts its removal`,
  });
}

function tooMany(): Fault {
  const detail = `its removal would change more than ${limits.causedChangesMax} documents that name it; change or remove some first`;
  return new Fault('document_conflict', { detail });
}

function toRemoved(resource: Resource, found: StoredDocument | undefined, nowMs: number): PlainDecision {
  if (found === undefined || isRemoved(resource, found.value)) return { kind: 'keep' };
  const left = removedForm(resource, found.value, nowMs);
  return left === 'remove' ? { kind: 'remove' } : { kind: 'put', document: left };
}

function toUnset(
  resource: Resource, found: StoredDocument | undefined, { namings, nowMs }: Pick<Unset, 'namings'> & { readonly nowMs: number },
): PlainDecision {
  if (found === undefined) return { kind: 'keep' };
  const fields = namings.reduce<JsonObject>(withoutNamed, withoutKept(resource, found.value));
  if (isSameJson(fields, withoutKept(resource, found.value))) return { kind: 'keep' };
  return { kind: 'put', document: toRevised(resource, { fields, before: found.value, nowMs }) };
}

function withoutNamed(document: JsonObject, { namedBy: { holder, relation: { field, target } }, named }: OfRelation): JsonObject {
  const ids = new Set(named.map(({ id }) => id));
  const isGone = (held: Json | undefined) => ids.has(toIdIn(target, held) ?? '');
  const { [field]: held, ...others } = document;
  if (Array.isArray(held)) return { ...document, [field]: held.filter((each: Json) => !isGone(each)) };
  if (!isGone(held)) return document;
  return holder.fields.get(field)?.optional === true ? others : { ...others, [field]: null };
}
