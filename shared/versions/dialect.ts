/** What an operation is in an older version: which of its parts are translated, and how. */
import type { Contract } from '../contract/contract.ts';
import type { Resource } from '../contract/resource.ts';
import { fieldsOf } from '../contract/schema-fields.ts';
import { type Endpoint, isEndpoint } from '../operations/endpoint.ts';
import type { Operation } from '../operations/operation.ts';
import { digest64 } from '../wire/hash.ts';
import type { Change, VersionChanges } from './changes.ts';
import type { Places } from './places.ts';
import { Translation } from './translation.ts';
import type { Version, Versions } from './versions.ts';

export interface Dialect {
  /** Names what it makes of an answer; an older one is not shown for a newer. */
  readonly digest: string;
  /** Of what is asked: parameters and body. */
  readonly input: Translation | undefined;
  /** Of what is answered. */
  readonly output: Translation | undefined;
  /** Of what is answered, where documents of other resources stand in it; `output` unless said. */
  readonly shown?: Pick<Translation, 'down'>;
}

type Asked = { readonly operation: Operation; readonly resource: Resource };

/** By resource or endpoint. */
const made = new WeakMap<object, Map<Version, Dialect | undefined>>();

/** `undefined`: the operation is the same in this version as in the current one. */
export function dialectOf({ versions }: Pick<Contract, 'versions'>, asked: Asked, version: Version): Dialect | undefined {
  if (version === versions.current) return undefined;
  const about = isEndpoint(asked.operation) ? asked.operation : asked.resource;
  const known = made.get(about) ?? new Map<Version, Dialect | undefined>();
  made.set(about, known);
  if (!known.has(version)) known.set(version, toDialect(versions, asked, version));
  return known.get(version);
}

function toDialect(versions: Versions, { operation, resource }: Asked, version: Version): Dialect | undefined {
  const documents = isEndpoint(operation) ? undefined : translationOf(versions, resource, version);
  const [input, output] = isEndpoint(operation)
    ? [ofEndpoint(versions, operation, 'input', version), ofEndpoint(versions, operation, 'output', version)]
    : [documents, documents];
  if (input === undefined && output === undefined) return undefined;
  return { input, output, digest: digest64([input, output].map((each) => each?.digest ?? '').join()) };
}

/** Of the documents of a resource. */
export function translationOf(versions: Versions, { versions: declared, fields }: Resource, version: Version): Translation | undefined {
  return through(versions, declared, placesOf([...fields.values()]), version);
}

function ofEndpoint(versions: Versions, endpoint: Endpoint, part: 'input' | 'output', version: Version): Translation | undefined {
  return through(versions, changesOf(endpoint, part), placesOf(fieldsOf(endpoint[part])), version);
}

function through(versions: Versions, declared: VersionChanges, places: Places, version: Version): Translation | undefined {
  return Translation.through(stepsOf(declared, versions).slice(versions.all.indexOf(version)), places);
}

/** The changes of each step, oldest first. */
function stepsOf(declared: VersionChanges, { all, current }: Versions): readonly (readonly Change[])[] {
  return all.filter((version) => version !== current).map(({ name }) => (declared[name] ?? []).flat());
}

export function changesOf({ versions }: Endpoint, part: 'input' | 'output'): VersionChanges {
  return Object.fromEntries(Object.entries(versions).map(([name, parts]) => [name, parts[part] ?? []]));
}

/** The fields of a schema as places: those in the elements of an array are one each, unless they are arrays themselves. */
export function placesOf(fields: ReturnType<typeof fieldsOf>): Places {
  return new Map(fields.map(({ name, kind, optional, isInArray, isArrayInArray }) =>
    [name, { isMany: isInArray === true ? isArrayInArray === true : kind === 'array', isOptional: optional }]));
}
