/** The description in an older version (SEMANTICS §19): that of the current one, with what changed since put back. */
import type { Contract } from '../contract/contract.ts';
import { isEndpoint } from '../operations/endpoint.ts';
import type { Operation } from '../operations/operation.ts';
import { operationsOf } from '../operations/route.ts';
import { type Dialect, dialectOf, translationOf } from '../versions/dialect.ts';
import type { Translation } from '../versions/translation.ts';
import type { Version } from '../versions/versions.ts';
import { isJsonObject, type Json, type JsonObject } from '../wire/values.ts';
import { placeOf, schemaName } from './described.ts';
import { olderSchema } from './older-schema.ts';

export function toOlder(description: JsonObject, contract: Contract, version: Version): JsonObject {
  const rows = [...contract.resources.values()].flatMap((resource) => operationsOf(resource).map((row) => ({ resource, row })));
  const dialects = new Map(rows.map(({ resource, row }) => [
    `${resource.name}.${row.name}`, { row, dialect: dialectOf(contract, { operation: row, resource }, version) },
  ]));
  const components = objectAt(description, 'components');
  return {
    ...description,
    info: { ...objectAt(description, 'info'), version: version.name },
    paths: Object.fromEntries(Object.entries(objectAt(description, 'paths')).map(([path, item]) => [
      path.replace(`/${contract.versions.current.name}/`, `/${version.name}/`),
      Object.fromEntries(Object.entries(item as JsonObject).map(([method, operation]) => {
        if (!isJsonObject(operation)) return [method, operation];
        return [method, toOlderOperation(operation, version, dialects.get(String(operation['operationId'])))];
      })),
    ])),
    components: { ...components, schemas: toOlderSchemas(objectAt(components, 'schemas'), contract, version) },
  };
}

function toOlderSchemas(schemas: JsonObject, contract: Contract, version: Version): JsonObject {
  const changed = [...contract.resources.values()].flatMap((resource): [string, Json][] => {
    const translation = translationOf(contract.versions, resource, version);
    if (translation === undefined) return [];
    const part = schemaName(resource, 'part');
    const names = [part, ...operationsOf(resource).map((row) => schemaName(resource, row.name))];
    const whole = schemaName(resource, undefined);
    const { required = [], ...rest } = objectAt(schemas, whole);
    return [
      ...names.flatMap((name): [string, Json][] => {
        const schema = schemas[name];
        return schema === undefined || !isJsonObject(schema) ? [] : [[name, olderSchema(schema, translation, placeOf(name))]];
      }),
      [whole, {
        description: rest['description'] ?? '',
        ...olderSchema({ ...objectAt(schemas, part), required: textsOf(required) }, translation, placeOf(part)),
      }],
    ];
  });
  return { ...schemas, ...Object.fromEntries(changed) };
}

interface Spoken {
  readonly row: Operation;
  readonly dialect: Dialect | undefined;
}

function toOlderOperation(operation: JsonObject, { deprecatedAt, sunsetAt, name }: Version, spoken: Spoken | undefined): JsonObject {
  const retired = deprecatedAt === undefined ? {} : { deprecated: true };
  const { description } = operation;
  const end = sunsetAt === undefined ? '' : `\n\n${name} ends on ${new Date(sunsetAt).toISOString().slice(0, 10)} (\`Sunset\`).`;
  const words = typeof description === 'string' ? { description: `${description}${end}` } : {};
  const said: JsonObject = { ...operation, ...retired, ...words };
  if (spoken?.dialect === undefined) return said;
  const { row, dialect: { input, output } } = spoken;
  const { responses = {} } = said;
  return {
    ...said,
    ...(input === undefined ? {} : toOlderInput(said, row, input)),
    ...(output === undefined || !isEndpoint(row) ? {} : { responses: mapSchemas(responses, (schema) => olderSchema(schema, output, '#')) }),
  };
}

function toOlderInput(operation: JsonObject, row: Operation, input: Translation): JsonObject {
  const { parameters, requestBody, description, 'x-shapes': shapes } = operation;
  return {
    ...(Array.isArray(parameters) ? { parameters: parameters.map((each: Json) => toOlderParameter(each, input)) } : {}),
    ...(requestBody === undefined ? {} : { requestBody: toOlderBody(requestBody, row, input) }),
    ...(typeof description === 'string' ? { description: inWords(description, input) } : {}),
    ...(Array.isArray(shapes) ? { 'x-shapes': shapes.map((shape: Json) => toOlderShape(shape, input)) } : {}),
  };
}

function toOlderParameter(parameter: Json, input: Translation): Json {
  if (!isJsonObject(parameter) || parameter['in'] !== 'query') return parameter;
  const { name, schema, description } = parameter;
  return {
    ...parameter,
    name: input.downName(String(name)),
    ...(typeof description === 'string' ? { description: inWords(description, input) } : {}),
    schema: name === 'sort' || name === 'fields' ? mapEnum(schema ?? {}, String(name), input) : (schema ?? {}),
  };
}

/** `sort` and `fields` list what they take. */
function mapEnum(schema: Json, name: string, input: Translation): Json {
  if (!isJsonObject(schema)) return schema;
  const { enum: listed, items } = schema;
  const older = (text: Json) => input.downValue(name, String(text));
  if (Array.isArray(listed)) return { ...schema, enum: [...new Set(listed.map(older))].filter((text) => text !== '') };
  return items === undefined ? schema : { ...schema, items: mapEnum(items, name, input) };
}

function toOlderBody(body: Json, row: Operation, input: Translation): Json {
  if (!isJsonObject(body)) return body;
  const content = Object.entries(objectAt(body, 'content')).map(([type, media]): [string, Json] => {
    const { example, schema = {} } = media as JsonObject;
    const older = isEndpoint(row) && isJsonObject(schema) ? olderSchema(schema, input, '#') : schema;
    return [type, { schema: older, ...(example === undefined ? {} : { example: toOlderExample(example, input) }) }];
  });
  return { ...body, content: Object.fromEntries(content) };
}

/** A document, or rows of an import: a line of JSON. Columns of CSV are those of places, of which the first line tells. */
function toOlderExample(example: Json, input: Translation): Json {
  if (isJsonObject(example)) return input.down(example);
  if (typeof example !== 'string') return example;
  if (example.startsWith('{')) return `${JSON.stringify(input.down(JSON.parse(example) as JsonObject))}\n`;
  const [columns = '', ...rows] = example.split('\n');
  return [columns.split(',').map((name) => input.downPath(name)).join(), ...rows].join('\n');
}

function toOlderShape(shape: Json, input: Translation): Json {
  if (!isJsonObject(shape)) return shape;
  const { equal = [], sort = [], range, prefix, example } = shape;
  return {
    ...shape,
    equal: textsOf(equal).map((path) => input.downPath(path)),
    sort: textsOf(sort).map((order) => input.downValue('sort', order)),
    ...(typeof range === 'string' ? { range: input.downPath(range) } : {}),
    ...(typeof prefix === 'string' ? { prefix: input.downPath(prefix) } : {}),
    ...(typeof example === 'string' ? { example: input.downQuery(example) } : {}),
  };
}

/** Words quote a place as code. */
function inWords(words: string, input: Translation): string {
  return words.replace(/`([\w.-]+)((?:\[\w+\])?)`/g, (_whole, path: string, operator: string) => `\`${input.downPath(path)}${operator}\``);
}

function mapSchemas(value: Json, change: (schema: JsonObject) => JsonObject): Json {
  if (Array.isArray(value)) return value.map((each: Json) => mapSchemas(each, change));
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) =>
    [name, name === 'schema' && isJsonObject(member) && member['$ref'] === undefined ? change(member) : mapSchemas(member, change)],
  ));
}

function objectAt(holder: JsonObject, name: string): JsonObject {
  const value = holder[name];
  return value !== undefined && isJsonObject(value) ? value : {};
}

function textsOf(value: Json): readonly string[] {
  return Array.isArray(value) ? value.map(String) : [];
}
