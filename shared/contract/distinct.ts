/** `distinct=field`: the values of a field in place of documents. What means nothing beside it is refused by name. */
import type { Field } from './fields.ts';
import type { Filter } from './filter.ts';
import type { QueryReader } from './query-reader.ts';
import type { Resource } from './resource.ts';
import type { SortKey } from './shapes.ts';

interface Asked {
  readonly filter: Filter;
  readonly sort: readonly SortKey[] | undefined;
}

interface Distinct {
  readonly field: string;
  /** The order of the documents that are walked: that of the values. `undefined` of an array, whose elements have their own. */
  readonly along: readonly SortKey[] | undefined;
  /** That of an array's elements. */
  readonly sort: readonly SortKey[] | undefined;
}

/** The field, and the order of its values that is asked for: its own, either way. */
export function readDistinct(reader: QueryReader, { filter, sort }: Asked): Distinct | undefined {
  if (!reader.names.has('distinct')) return undefined;
  const name = reader.one('distinct');
  const field = reader.field(name);
  if (field === undefined) reader.refuse('distinct', `unknown field "${name}"`);
  if (name === 'id') reader.refuse('distinct', 'each document has an id of its own');
  const isMany = field?.kind === 'array';
  if (isMany && !isListed(reader.resource, field)) reader.refuse('distinct', `"${name}" is an array that no shape is asked by`);
  if (!isMany && Object.hasOwn(filter.equal, name)) reader.refuse('distinct', `"${name}" has the value that is asked for`);
  for (const other of ['fields', 'count', 'expand']) {
    if (reader.names.has(other)) reader.refuse(other, 'not beside distinct, which gives values');
  }
  if (reader.one('format') === 'csv') reader.refuse('format', 'not beside distinct, whose values are given as JSON');
  const isItsOwn = sort === undefined || (sort.length === 1 && sort[0]?.field === name);
  if (!isItsOwn) reader.refuse('sort', `beside distinct=${name}, ${name} or -${name}`);
  const order = sort ?? [{ field: name, descending: false }];
  return isMany ? { field: name, along: undefined, sort: order } : { field: name, along: order, sort: undefined };
}

/** Whether the elements of an array can be: texts, numbers and the like that every document may have, and that a shape is asked by. */
export function isListed({ shapes }: Pick<Resource, 'shapes'>, { name, element, isInArray, isOfBranches }: Field): boolean {
  return isInArray !== true && isOfBranches !== true && element !== 'binary' && shapes.some(({ equal }) => equal.includes(name));
}
