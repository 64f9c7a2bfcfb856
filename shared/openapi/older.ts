/** The description in an older version (SEMANTICS §19): that of the current one, with what changed since put back. */
import type { Contract } from '../contract/contract.ts';
import type { Resource } from '../contract/resource.ts';
import { isEndpoint } from '../operations/endpoint.ts';
import type { Operation } from '../operations/operation.ts';
import { operationsOf } from '../operations/route.ts';
import { type Dialect, dialectOf, translationOf } from '../versions/dialect.ts';
import type { Version } from '../versions/versions.ts';
import { isJsonObject, type Json, type JsonObject } from '../wire/values.ts';
import { placeOf, schemaName } from './described.ts';
import { headerRefs, headersOfRetired, versionParameterComponents } from './headers.ts';
import { olderSchema } from './older-schema.ts';
import { toOperation } from './operations.ts';

export function toOlder(description: JsonObject, contract: Contract, version: Version): JsonObject {
  const rows = [...contract.resources.values()].flatMap((resource) => operationsOf(resource).map((row) => ({ resource, row })));
  const dialects = new Map(rows.map(({ resource, row }) => [
    `${resource.name}.${row.name}`, { resource, row, dialect: dialectOf(contract, { operation: row, resource }, version) },
  ]));
  const components = objectAt(description, 'components');
  return {
    ...description,
    info: { ...objectAt(description, 'info'), version: version.name },
    paths: Object.fromEntries(Object.entries(objectAt(description, 'paths')).map(([path, item]) => [
      path.replace(`/${contract.versions.current.name}/`, `/${version.name}/`),
      Object.fromEntries(Object.entries(item as JsonObject).map(([method, operation]) => {
        if (!isJsonObject(operation)) return [method, operation];
        const spoken = dialects.get(String(operation['operationId']));
        if (spoken !== undefined) return [method, toOlderOperation(operation, version, spoken)];
        // What has no version in its path does not end with one.
        return [method, path.startsWith(`/${contract.versions.current.name}/`) ? toRetired(operation, version) : operation];
      })),
    ])),
    components: {
      ...components, responses: withRetired(objectAt(components, 'responses'), version),
      parameters: { ...objectAt(components, 'parameters'), ...versionParameterComponents(version) },
      schemas: toOlderSchemas(objectAt(components, 'schemas'), contract, version),
    },
  };
}

function toOlderSchemas(schemas: JsonObject, contract: Contract, version: Version): JsonObject {
  const ofEndpoints = [...contract.resources.values()].flatMap((resource) => operationsOf(resource).filter(isEndpoint).map((row) => {
    return { name: schemaName(resource, row.name), input: dialectOf(contract, { operation: row, resource }, version)?.input };
  }));
  const bodies = ofEndpoints.flatMap(({ name, input }): [string, Json][] => {
    const schema = schemas[name];
    return input === undefined || schema === undefined ? [] : [[name, olderSchema(schema as JsonObject, input, placeOf(name))]];
  });
  const changed = [...contract.resources.values()].flatMap((resource): [string, Json][] => {
    const translation = translationOf(contract.versions, resource, version);
    if (translation === undefined) return [];
    const part = schemaName(resource, 'part');
    const names = [
      part, schemaName(resource, 'expanded'),
      ...operationsOf(resource).filter((row) => !isEndpoint(row)).map((row) => schemaName(resource, row.name)),
    ];
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
  return { ...schemas, ...Object.fromEntries([...bodies, ...changed]) };
}

interface Spoken {
  readonly resource: Resource;
  readonly row: Operation;
  readonly dialect: Dialect | undefined;
}

function toOlderOperation(operation: JsonObject, version: Version, { resource, row, dialect }: Spoken): JsonObject {
  const { input, output } = dialect ?? {};
  const asked = input === undefined ? operation : toOperation(resource, row, input);
  const said = toRetired(asked, version);
  const { responses = {} } = said;
  if (output === undefined || !isEndpoint(row)) return said;
  return { ...said, responses: mapSchemas(responses, (schema) => olderSchema(schema, output, '#')) };
}

function toRetired(operation: JsonObject, version: Version): JsonObject {
  const { name, deprecatedAt, sunsetAt } = version;
  const { description } = operation;
  const end = sunsetAt === undefined ? '' : `\n\n${name} ends on ${new Date(sunsetAt).toISOString().slice(0, 10)} (\`Sunset\`).`;
  const words = typeof description === 'string' ? { description: `${description}${end}` } : {};
  return {
    ...operation, ...(deprecatedAt === undefined ? {} : { deprecated: true }), ...words,
    responses: withRetired(objectAt(operation, 'responses'), version),
  };
}

function withRetired(responses: JsonObject, version: Version): JsonObject {
  const retired = headerRefs(headersOfRetired(version));
  return Object.fromEntries(Object.entries(responses).map(([status, response]) => {
    if (!isJsonObject(response) || response['$ref'] !== undefined) return [status, response];
    return [status, { ...response, headers: { ...objectAt(response, 'headers'), ...retired } }];
  }));
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
