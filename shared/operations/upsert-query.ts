/** The query of an upsert: equalities that name all fields of one declared unique key, and nothing else (SEMANTICS §17). */
import { QueryReader } from '../contract/query-reader.ts';
import { toEqualName } from '../contract/reserved-names.ts';
import type { Resource } from '../contract/resource.ts';
import type { Unique } from '../contract/unique.ts';
import { parametersRefused } from '../wire/parameters.ts';
import type { Scalar } from '../wire/values.ts';

export interface UniqueValues {
  readonly unique: Unique;
  /** One for each field of the key. */
  readonly values: readonly Scalar[];
}

/** A field that is called like a parameter is named as in lists; here it has one value, commas and all. */
export function parseUpsertQuery(resource: Resource, query: string): UniqueValues {
  const reader = new QueryReader(resource, query);
  const { names } = reader;
  const unique = resource.unique.find(({ fields }) => fields.length === names.size && fields.every((path) => names.has(toEqualName(path))));
  if (unique === undefined) {
    const known = resource.unique.map(({ fields }) => fields.map(toEqualName).join(' and ')).join(', or ');
    const named = names.size === 0 ? resource.unique.flatMap(({ fields }) => fields.map(toEqualName)) : [...names];
    const detail = `what is put is named by all fields of one unique key, and nothing else: ${known}`;
    throw parametersRefused(named.map((name) => [name, detail]));
  }
  const values = unique.fields.flatMap((path) => {
    const field = reader.field(path);
    return field === undefined ? [] : reader.values(toEqualName(path), field, [reader.one(toEqualName(path))]);
  });
  reader.finish();
  return { unique, values };
}
