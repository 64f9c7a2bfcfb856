/** How an older version asks: the parameters and shapes that it has a name for (SEMANTICS §19). */
import type { Shape } from '../contract/shapes.ts';
import type { Translation } from '../versions/translation.ts';
import type { JsonObject } from '../wire/values.ts';
import type { QueryParameter } from './described.ts';
import { bounded, toJsonSchema } from './json-schema.ts';

/** The parameter of a place, with its operator, as it is asked for; none where the version has no such place. */
export function olderParameter(parameter: QueryParameter, input: Translation | undefined): readonly QueryParameter[] {
  if (input === undefined) return [parameter];
  const { name, description, example, schema, several } = parameter;
  const path = name.replace(/\[.*$/, '');
  if (input.oldNames(path).length === 0) return [];
  const conversions = input.conversionsAt(path);
  const [oldest] = conversions;
  const isConverted = oldest !== undefined && !name.endsWith('[exists]');
  const value = isConverted ? withoutExamples(bounded(toJsonSchema(oldest.schema, 'input'))) : undefined;
  const shown = example === undefined ? {} : { example: conversions.reduceRight((each, { down }) => down(each), example) };
  return [{
    ...parameter, name: input.downName(name), description: description.replaceAll(`\`${path}\``, `\`${input.downPath(path)}\``),
    ...(value === undefined ? {} : { schema: several === true ? { ...schema, items: value } : value }), ...shown,
  }];
}

/** Readers' tools send the examples of schemas too, and those of all fields are no query. */
function withoutExamples({ examples: _examples, ...schema }: JsonObject): JsonObject {
  return schema;
}

/** Shapes whose every equality can be asked for, with the bounds and the beginnings of orders that can; by current names. */
export function askableShapes(shapes: readonly Shape[], input: Translation | undefined): readonly Shape[] {
  if (input === undefined) return shapes;
  const isNamed = (path: string) => input.oldNames(path).length > 0;
  const isOrdered = (path: string) => isNamed(path) && input.conversionsAt(path).every(({ ordered }) => ordered);
  const ifOrdered = (path: string | undefined) => (path !== undefined && isOrdered(path) ? path : undefined);
  const isPlaced = ({ place }: Shape) => place === undefined || isNamed(place);
  return shapes.filter((shape) => shape.equal.every(isNamed) && isPlaced(shape)).map((shape) => ({
    ...shape, range: ifOrdered(shape.range), prefix: ifOrdered(shape.prefix), beside: shape.beside.filter(isNamed),
    sorts: shape.sorts.map((sort) => {
      const end = sort.findIndex(({ field }) => !isOrdered(field));
      return end < 0 ? sort : sort.slice(0, end);
    }).filter((sort) => sort.length > 0),
  }));
}

/** The same shape by the names of the version. */
export function namedShape(shape: Shape, input: Translation | undefined): Shape {
  if (input === undefined) return shape;
  const named = (path: string) => input.downPath(path);
  return {
    ...shape, equal: shape.equal.map(named), beside: shape.beside.map(named), folded: shape.folded.map(named),
    text: shape.text?.filter((path) => input.oldNames(path).length > 0).map(named),
    place: shape.place && named(shape.place),
    range: shape.range && named(shape.range), prefix: shape.prefix && named(shape.prefix),
    sorts: shape.sorts.map((sort) => sort.map((key) => ({ ...key, field: named(key.field) }))),
  };
}
