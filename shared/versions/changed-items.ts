/** Changes of several documents in an older version: each in that of its resource, and told of where it stands (SEMANTICS §19). */
import { jsonPatchBody, operationsOf } from '../changes/json-patch.ts';
import { changesBody } from '../changes/operators.ts';
import { documentInvalid, errorsOf, inPlace, mustBody } from '../contract/documents.ts';
import { toTagList, withoutSuffix } from '../wire/entity-tags.ts';
import type { FieldError } from '../wire/fault.ts';
import { isJsonObject, type Json, type JsonObject } from '../wire/values.ts';
import { upJsonPatch } from './json-patch.ts';
import { upChanges } from './operators.ts';
import type { Translation } from './translation.ts';

/** `digest`: of the dialect, which ends the version's tags. */
export interface Speaking {
  readonly translation: Translation;
  readonly digest: string;
}

/** What is no item stays as it is, for the schema to refuse. */
export function upChangedItems(items: Json, speaking: Speaking): Json {
  const errors: FieldError[] = [];
  const up = (item: Json, at: string): Json => (isJsonObject(item) ? upItem(item, at, speaking, errors) : item);
  const current = Array.isArray(items) ? items.map((item: Json, index) => up(item, `/${index}`)) : up(items, '');
  if (errors.length > 0) throw documentInvalid(errors);
  return current;
}

function upItem(item: JsonObject, at: string, { translation, digest }: Speaking, errors: FieldError[]): JsonObject {
  const members = Object.entries(item).map(([name, value]): [string, Json] => {
    if (name === 'ifMatch') return [name, typeof value === 'string' ? withoutSuffix(toTagList(value) ?? value, digest) : value];
    let current = value;
    errors.push(...errorsOf(() => (current = inPlace(`${at}/${name}`, () => upPatch(name, value, translation)))));
    return [name, current];
  });
  return Object.fromEntries(members);
}

function upPatch(form: string, value: Json, translation: Translation): Json {
  if (form === 'merge' && isJsonObject(value)) return translation.up(value, 'patch');
  if (form === 'patch') return upJsonPatch(operationsOf(mustBody(jsonPatchBody, value)), translation);
  return form === 'changes' ? upChanges(mustBody(changesBody, value), translation) : value;
}
