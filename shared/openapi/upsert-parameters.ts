/** What an upsert takes: the fields of each unique key that the version has names for, of which a request names one. */
import { toEqualName } from '../contract/reserved-names.ts';
import type { Resource } from '../contract/resource.ts';
import type { Translation } from '../versions/translation.ts';
import type { QueryParameter } from './described.ts';
import { equalSchemaOf } from './list-parameters.ts';
import { olderParameter } from './older-parameters.ts';

export function upsertParametersOf(resource: Resource, input?: Translation): readonly QueryParameter[] {
  const isNamed = (path: string) => input === undefined || input.oldNames(path).length > 0;
  const shown = (path: string) => `\`${input === undefined ? toEqualName(path) : input.downName(toEqualName(path))}\``;
  const keys = resource.unique.map(({ fields }) => fields).filter((fields) => fields.every(isNamed));
  const description = `One unique key is named: ${keys.map((fields) => fields.map(shown).join(' and ')).join(', or ')}.`;
  return [...new Set(keys.flat())].flatMap((path) => {
    const { examples: _examples, ...schema } = equalSchemaOf(resource, path);
    const isRequired = keys.every((fields) => fields.includes(path));
    return olderParameter({ name: toEqualName(path), description, schema, isRequired }, input);
  });
}
