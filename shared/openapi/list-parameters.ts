/** What a list takes, worked out of the shapes of its resource: each filter with its operators, orders, and the controls of a page. */
import type * as z from 'zod';
import { isListed } from '../contract/distinct.ts';
import type { Field } from '../contract/fields.ts';
import { typesOf } from '../contract/filter-values.ts';
import { idField } from '../contract/id-declarations.ts';
import { parseListQuery } from '../contract/query.ts';
import { isParameterName, toEqualName } from '../contract/reserved-names.ts';
import type { Resource } from '../contract/resource.ts';
import { formatSort, isByEntries, reversed, type Shape } from '../contract/shapes.ts';
import { exportFormats, ofPages } from '../operations/export-query.ts';
import type { Translation } from '../versions/translation.ts';
import { limits } from '../wire/limits.ts';
import type { Json, JsonObject } from '../wire/values.ts';
import type { QueryParameter } from './described.ts';
import { exampleOf } from './examples.ts';
import { bounded, schemaOfKind, toJsonSchema } from './json-schema.ts';
import { mapParametersOf, nearExampleOf } from './map-parameters.ts';
import { askableShapes, namedShape, olderParameter } from './older-parameters.ts';
import { expandOf } from './related.ts';

const comparisons = { gt: 'greater than', gte: 'at least', lt: 'less than', lte: 'at most' } as const;

/** What an export takes: a list's, but for what makes it pages. */
export function exportParametersOf(resource: Resource, input?: Translation): readonly QueryParameter[] {
  const taken = listParametersOf(resource, input).filter(({ name }) => name !== 'format' && !ofPages.includes(name));
  const description = 'The form of the answer; what `Accept` asks for unless said, and else the first.';
  return [...taken, { name: 'format', description, schema: { enum: [...exportFormats] } }];
}

export function listParametersOf(resource: Resource, input?: Translation): readonly QueryParameter[] {
  const shapes = askableShapes(resource.shapes, input);
  const shown = new Map(richestExample(resource, shapes, input));
  const filters = filtersOf(resource, shapes).map((filter) => {
    const example = shown.get(filter.name);
    return example === undefined ? filter : { ...filter, example };
  });
  const orders = sortOf(shapes.map((shape) => namedShape(shape, input)));
  const text = textOf(shapes.map((shape) => namedShape(shape, input)), shown.get('q'));
  return [
    ...filters.flatMap((filter) => olderParameter(filter, input)), ...text, ...mapParametersOf(shapes, shown), ...orders,
    ...pageParameters, ...distinctOf(resource, shapes, input), fieldsOf(resource, input), ...expandOf(resource),
  ];
}

export function filtersOf(resource: Resource, shapes: readonly Shape[]): readonly QueryParameter[] {
  const equal = [...Map.groupBy(shapes.flatMap((shape) => shape.equal.map((field) => ({ field, shape }))), ({ field }) => field)];
  const bounds = shapes.flatMap(({ range, name }) => (range === undefined ? [] : [{ field: range, name }]));
  const prefixes = shapes.flatMap(({ prefix, name }) => (prefix === undefined ? [] : [{ field: prefix, name }]));
  return [
    ...equal.flatMap(([field, places]) => equalOf(resource, field, places.map(({ shape }) => shape))),
    ...[...Map.groupBy(bounds, ({ field }) => field)].flatMap(([field, places]) =>
      Object.entries(comparisons).map(([operator, words]) => ({
        name: `${field}[${operator}]`, description: `\`${field}\` is ${words} this. ${servedBy(places)}`,
        schema: boundOf(resource, field),
      })),
    ),
    ...[...Map.groupBy(prefixes, ({ field }) => field)].map(([field, places]) => ({
      name: `${field}[prefix]`, description: `\`${field}\` begins with this. ${servedBy(places)}`,
      schema: { type: 'string', maxLength: limits.filterValueBytesMax },
    })),
    ...[...Map.groupBy(shapes.flatMap((shape) => shape.beside.map((field) => ({ field, shape }))), ({ field }) => field)]
      .flatMap(([field, places]) => besideOf(resource, field, places.map(({ shape }) => shape))),
  ];
}

/** What no index answers. */
function besideOf(resource: Resource, name: string, shapes: readonly Shape[]): readonly QueryParameter[] {
  const { examples: _examples, ...schema } = equalSchemaOf(resource, name);
  const examined = Math.max(...shapes.map((shape) => shape.examined));
  const served = `A page looks into ${examined} documents at most; a short one goes on. ${servedBy(shapes)}`;
  const several = { several: true, schema: { type: 'array', items: schema, minItems: 1, maxItems: limits.inValuesMax } } as const;
  const isMany = fieldOf(resource, name)?.kind === 'array';
  return [
    { name: `${name}[ne]`, description: `\`${name}\` ${isMany ? 'does not contain' : 'is not'} this. ${served}`, schema },
    { name: `${name}[nin]`, description: `\`${name}\` ${isMany ? 'contains' : 'is'} none of these. ${served}`, ...several },
    { name: `${name}[exists]`, description: `\`${name}\` is there and not null, or is not. ${served}`, schema: { type: 'boolean' } },
    ...(isMany ? [{ name: `${name}[contains]`, description: `\`${name}\` contains all of these. ${served}`, ...several }] : []),
  ];
}

/** What a version calls the fields that are searched changes nothing of the parameter. */
function textOf(shapes: readonly Shape[], example: Json | undefined): readonly QueryParameter[] {
  const searched = shapes.filter(({ text }) => text !== undefined);
  const fields = [...new Set(searched.flatMap(({ text = [] }) => text))].map((field) => `\`${field}\``);
  const description = `All of these words, or beginnings of words of three letters and more, stand in ${fields.join(', ')}, ` +
    `whatever their case and accents. Up to ${limits.textQueryWordsMax} words. ${servedBy(searched)}`;
  const schema = { type: 'string', minLength: 1, maxLength: limits.textQueryCharactersMax };
  return searched.length === 0 ? [] : [{ name: 'q', description, schema, ...(example === undefined ? {} : { example }) }];
}

function equalOf(resource: Resource, name: string, shapes: readonly Shape[]): readonly QueryParameter[] {
  // Readers' tools send the examples of schemas too, and those of all fields are no query.
  const { examples: _examples, ...schema } = equalSchemaOf(resource, name);
  const contains = fieldOf(resource, name)?.kind === 'array';
  return [
    ...(isParameterName(name)
      ? []
      : [{ name, description: `\`${name}\` ${contains ? 'contains' : 'is'} this. ${servedBy(shapes)}`, schema }]),
    {
      name: `${name}[in]`, several: true,
      description: `\`${name}\` ${contains ? 'contains' : 'is'} one of these. Repeated, each may hold a comma. ${servedBy(shapes)}`,
      schema: { type: 'array', items: schema, minItems: 1, maxItems: limits.inValuesMax },
    },
  ];
}

/** A value that is asked for by equality must be one that the schema allows. */
export function equalSchemaOf(resource: Resource, name: string): JsonObject {
  const type: z.core.$ZodType | undefined = typesOf(resource).get(name);
  if (type !== undefined) return bounded(toJsonSchema(type, 'input'));
  const field = fieldOf(resource, name);
  return field === undefined ? {} : bounded(schemaOfKind(field));
}

/** Where a range begins or ends may be any value of the kind; a UUID is compared as the text that it is. */
function boundOf(resource: Resource, name: string): JsonObject {
  const field = fieldOf(resource, name);
  return field === undefined || field.kind === 'uuid' ? bounded({ type: 'string' }) : bounded(schemaOfKind(field));
}

function fieldOf(resource: Resource, name: string): Field | undefined {
  return name === 'id' ? idField(resource) : resource.fields.get(name);
}

function servedBy(shapes: readonly { readonly name: string }[]): string {
  return `Shapes: ${[...new Set(shapes.map(({ name }) => name))].join(', ')}.`;
}

/** Places have an order of their own. */
function sortOf(shapes: readonly Shape[]): readonly QueryParameter[] {
  const sorts = shapes.flatMap((shape) => (shape.place === undefined ? shape.sorts : []));
  const orders = sorts.flatMap((sort) => [formatSort(sort), formatSort(reversed(sort))]);
  return orders.length === 0 ? [] : [{
    name: 'sort', description: 'One of the orders of the shape, or the beginning of one; the first of them unless said.',
    schema: { type: 'string', enum: [...new Set(orders)] },
  }];
}

/** Fields that begin an order, and arrays that are asked by, where the version has their values as they are. */
function distinctOf({ fields: known }: Resource, asked: readonly Shape[], input: Translation | undefined): readonly QueryParameter[] {
  const shapes = asked.filter((shape) => !isByEntries(shape));
  const first = shapes.flatMap(({ equal, sorts }) => sorts.flatMap(([key]) => key?.field ?? []).filter((field) => !equal.includes(field)));
  const arrays = [...known.values()].filter((field) => field.kind === 'array' && isListed({ shapes }, field));
  const all = [...new Set([...first, ...arrays.map(({ name }) => name)])];
  const fields = all.filter((field) => field !== 'id' && (input?.conversionsAt(field).length ?? 0) === 0);
  if (fields.length === 0) return [];
  const names = fields.map((field) => input?.downPath(field) ?? field);
  return [{
    name: 'distinct', schema: { enum: names },
    description: 'Lists the values of this field in place of documents, `limit` of them a page; not beside `fields` and `count`.',
  }];
}

const pageParameters: readonly QueryParameter[] = [
  {
    name: 'limit', description: 'Documents of a page.',
    schema: { type: 'integer', minimum: 1, maximum: limits.pageDocumentsMax, default: limits.pageDocumentsDefault },
  },
  {
    name: 'after', description: '`next` or `prev` of a page of the same query.',
    schema: { type: 'string', pattern: '^[A-Za-z0-9_.-]+$', maxLength: limits.cursorCharactersMax },
  },
  { name: 'format', description: 'The form of the page; what `Accept` asks for unless said.', schema: { enum: ['json', 'csv'] } },
  {
    name: 'count', schema: { enum: ['exact', 'estimated'] },
    description: `Says \`total\`, up to ${limits.countMax}; an estimated one costs little, and counts up to ${limits.estimatedCountMax}.`,
  },
  { name: 'page', description: 'The last page of the query; not beside `after`.', schema: { const: 'last' } },
];

/** The projection of an answer. */
export function fieldsOf({ fields }: Resource, input?: Translation): QueryParameter {
  const named = ['id', ...(input?.levels[0]?.old ?? fields).keys()];
  return {
    name: 'fields', several: true, description: 'The fields to answer with, beside `id`; all of them unless said.',
    schema: { type: 'array', items: { enum: [...new Set(named)] }, minItems: 1 },
  };
}

/** The shapes as a table for people and as data for programs; an example is a query that is served. */
export function shapesOf(resource: Resource, input?: Translation): { readonly words: string; readonly extensions: JsonObject } {
  const rows = askableShapes(resource.shapes, input).map((askable) => {
    const shape = namedShape(askable, input);
    return { shape, asked: askedBy(shape), example: queryExampleOf(resource, askable, input) };
  });
  const table = rows.map(({ shape, asked, example }) => {
    const orders = shape.place === undefined ? shape.sorts.map(formatSort).join('<br>') : 'the nearest first';
    return `| ${shape.name} | ${asked.join('<br>')} | ${orders} | ${example === undefined ? '' : `\`${example}\``} |`;
  });
  return {
    words: [
      'A query is served by one of these shapes, each with an index of its own; what none of them serves is 400 `query_not_served`.',
      '', '| shape | filters | orders, each backwards too | example |', '|---|---|---|---|', ...table,
    ].join('\n'),
    extensions: {
      'x-shapes': rows.map(({ shape, example }) => ({
        name: shape.name, equal: shape.equal, sort: shape.place === undefined ? shape.sorts.map(formatSort) : [],
        ...(shape.range === undefined ? {} : { range: shape.range }),
        ...(shape.prefix === undefined ? {} : { prefix: shape.prefix }),
        ...(shape.beside.length === 0 ? {} : { beside: shape.beside, examined: shape.examined }),
        ...(shape.text === undefined ? {} : { text: shape.text }),
        ...(shape.place === undefined ? {} : { place: shape.place }),
        ...(shape.folded.length === 0 ? {} : { folded: shape.folded }),
        ...(example === undefined ? {} : { example }),
      })),
    },
  };
}

function askedBy({ equal, range, prefix, text, place, folded, beside }: Shape): readonly string[] {
  const ignored = (field: string | undefined) => (folded.includes(field ?? '') ? ', whatever its case and accents' : '');
  return [
    ...(text === undefined ? [] : [`\`q\` in ${text.map((field) => `\`${field}\``).join(', ')}`]),
    ...(place === undefined ? [] : [`\`near\` and \`distance\`, or \`within\`, of \`${place}\``]),
    ...equal.map((field) => `\`${toEqualName(field)}\`${ignored(field)}`),
    ...(range === undefined ? [] : [`\`${range}[gt]\` \`[gte]\` \`[lt]\` \`[lte]\`, if given`]),
    ...(prefix === undefined ? [] : [`\`${prefix}[prefix]\`, if given${ignored(prefix)}`]),
    ...beside.map((field) => `\`${field}[ne]\` \`[nin]\` \`[exists]\` \`[contains]\`, if given`),
  ];
}

/** A query of the shape with all that it may have; `undefined` where no value of a field is known. */
function queryExampleOf(resource: Resource, shape: Shape, input: Translation | undefined): string | undefined {
  const filters = filterExampleOf(resource, shape);
  const bounded = shape.range ?? shape.prefix;
  const isSorted = shape.place === undefined;
  const sort = shape.sorts.find(([first]) => isSorted && (bounded === undefined || first?.field === bounded)) ?? [];
  if (filters === undefined) return undefined;
  const pairs = filters.map(([name, value]) => `${name}=${encodeURIComponent(String(value))}`);
  const query = `?${[...pairs, ...(sort.length === 0 ? [] : [`sort=${formatSort(sort)}`])].join('&')}`;
  const asked = input?.downQuery(query) ?? query;
  return servingShape(resource, asked, input) === shape.name ? asked : undefined;
}

type Filters = readonly (readonly [name: string, value: Json])[];

export function filterExampleOf(resource: Resource, shape: Shape): Filters | undefined {
  const { equal, range, prefix, text, place } = shape;
  const valueOf = (field: string) => exampleOf(equalSchemaOf(resource, field));
  const filters = [
    ...(text === undefined ? [] : [['q', valueOf(text[0] ?? '')] as const]),
    ...(place === undefined ? [] : nearExampleOf(resource, shape)),
    ...equal.map((field) => [toEqualName(field), valueOf(field)] as const),
    ...(range === undefined ? [] : [[`${range}[gte]`, valueOf(range)] as const]),
    ...(prefix === undefined ? [] : [[`${prefix}[prefix]`, String(valueOf(prefix) ?? 'a').slice(0, 1)] as const]),
  ];
  return filters.every((filter): filter is readonly [string, Json] => filter[1] !== undefined) ? filters : undefined;
}

/** The examples of parameters are sent together, so they are those of one shape, the one with the most filters. */
function richestExample(resource: Resource, shapes: readonly Shape[], input: Translation | undefined): Filters {
  const served = shapes.filter((shape) => queryExampleOf(resource, shape, input) !== undefined);
  const all = served.flatMap((shape) => [filterExampleOf(resource, shape) ?? []]);
  return all.reduce((richest, each) => (each.length > richest.length ? each : richest), []);
}

function servingShape(resource: Resource, query: string, input: Translation | undefined): string | undefined {
  try {
    return parseListQuery(resource, input?.upQuery(query) ?? query).shape.name;
  } catch {
    return undefined;
  }
}
