/** Every way by which a caller makes one document another, each given what is served and what is to be, both in the current version. */
import type { Resource } from '../../../shared/contract/resource.ts';
import { jsonPatchType } from '../../../shared/changes/json-patch.ts';
import { changesType } from '../../../shared/changes/operators.ts';
import type { Translation } from '../../../shared/versions/translation.ts';
import { toPointer } from '../../../shared/wire/json-pointer.ts';
import { isJsonObject, type Json, type JsonObject } from '../../../shared/wire/values.ts';
import type { DirectAnswer, DirectAsking, DirectOrigin } from '../../support/direct-origin.ts';

export type Way = (id: string, served: JsonObject, changed: JsonObject) => Promise<DirectAnswer>;

/** `older`: from a version whose callers neither see nor send what it has no name for. */
export function waysOf(origin: () => DirectOrigin, resource: Resource, older: Translation): Readonly<Record<string, Way>> {
  const patch = (id: string, body: object, more: DirectAsking = {}) => origin().ask('patch', resource, { id, body, ...more });
  const row = (onDuplicate: string, body: JsonObject, more: DirectAsking = {}) =>
    origin().ask('import', resource, { query: `?onDuplicate=${onDuplicate}`, body, ...more });
  const keeps = older.unnamed;
  const ofOlder = (served: JsonObject, changed: JsonObject) => older.up(toMerge(older.down(served), older.down(changed)), 'patch');
  const asOlder = (changed: JsonObject) => older.up(older.down(changed), 'document');
  return {
    'a replacement': (id, _served, body) => origin().ask('replace', resource, { id, body }),
    'a patch': (id, served, changed) => patch(id, toMerge(served, changed)),
    'a JSON Patch': (id, served, changed) => patch(id, toJsonPatch(served, changed), { mediaType: jsonPatchType }),
    'operators': (id, served, changed) => patch(id, toOperators(served, changed), { mediaType: changesType }),
    'a row that replaces': (_id, _served, body) => row('replace', body),
    'a row that merges': (id, served, changed) => row('merge', { id, ...toMerge(served, changed) }),
    'a replacement in an older version': (id, _served, changed) =>
      origin().ask('replace', resource, { id, body: asOlder(changed), keeps }),
    'a patch in an older version': (id, served, changed) => patch(id, ofOlder(served, changed), { keeps }),
    'a row in an older version': (_id, _served, changed) => row('replace', asOlder(changed), { keeps }),
  };
}

/** RFC 7396. */
function toMerge(from: JsonObject, to: JsonObject): JsonObject {
  const removed = Object.keys(from).filter((name) => !Object.hasOwn(to, name));
  const written = Object.entries(to).flatMap(([name, value]): readonly (readonly [string, Json])[] => {
    const old = from[name];
    if (Bun.deepEquals(old, value)) return [];
    return [[name, isJsonObject(old) && isJsonObject(value) ? toMerge(old, value) : value]];
  });
  return { ...Object.fromEntries(removed.map((name) => [name, null])), ...Object.fromEntries(written) };
}

interface Difference {
  readonly path: readonly string[];
  readonly from: Json | undefined;
  readonly to: Json | undefined;
}

/** The smallest parts that differ; an array in which elements moved, came or went is one. */
function differences(from: Json | undefined, to: Json | undefined, path: readonly string[] = []): readonly Difference[] {
  if (Bun.deepEquals(from, to)) return [];
  if (isJsonObject(from) && isJsonObject(to)) {
    return [...new Set([...Object.keys(from), ...Object.keys(to)])].flatMap((name) => differences(from[name], to[name], [...path, name]));
  }
  if (Array.isArray(from) && Array.isArray(to) && Bun.deepEquals(from.map(skuOf), to.map(skuOf))) {
    return from.flatMap((each: Json, at) => differences(each, to[at], [...path, String(at)]));
  }
  return [{ path, from, to }];
}

const skuOf = (element: Json): Json => (isJsonObject(element) ? (element['sku'] ?? null) : null);

/** RFC 6902; elements go where they are to be, one by one. */
function toJsonPatch(served: JsonObject, changed: JsonObject): readonly object[] {
  return differences(served, changed).flatMap(({ path, from, to }): readonly object[] => {
    if (Array.isArray(from) && Array.isArray(to)) return toMoves(path, from, to);
    if (to === undefined) return [{ op: 'remove', path: toPointer(path) }];
    return [{ op: from === undefined ? 'add' : 'replace', path: toPointer(path), value: to }];
  });
}

function toMoves(path: readonly string[], from: readonly Json[], to: readonly Json[]): readonly object[] {
  const at = (index: number) => toPointer([...path, String(index)]);
  const wanted = to.map(skuOf);
  const left = from.map(skuOf);
  const operations: object[] = [];
  for (let index = left.length - 1; index >= 0; index--) {
    if (wanted.includes(left[index] ?? null)) continue;
    left.splice(index, 1);
    operations.push({ op: 'remove', path: at(index) });
  }
  for (const [index, sku] of wanted.entries()) {
    const found = left.indexOf(sku, index);
    if (found === index) continue;
    if (found > index) left.splice(found, 1);
    left.splice(index, 0, sku);
    operations.push(found > index ? { op: 'move', from: at(found), path: at(index) } : { op: 'add', path: at(index), value: to[index] });
  }
  return operations;
}

/** SEMANTICS §17. */
function toOperators(served: JsonObject, changed: JsonObject): object {
  const set: Record<string, Json> = {};
  const unset: Record<string, true> = {};
  for (const { path, to } of differences(served, changed)) {
    if (to === undefined) unset[toPointer(path)] = true;
    else set[toPointer(path)] = to;
  }
  return { set, unset };
}
