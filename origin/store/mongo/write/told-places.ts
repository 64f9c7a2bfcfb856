/**
 * A collection's own validator and its unique indexes may speak of members that the schema does not name. Whoever wrote
 * is told that the database refuses the document, and not which names others have (SEMANTICS §16).
 */
import type { Resource } from '../../../../shared/contract/resource.ts';
import { placeOf } from '../../../../shared/contract/schema-places.ts';
import type { Type } from '../../../../shared/contract/schema-tree.ts';
import { toWireSteps } from '../../../../shared/contract/stored-names.ts';
import { toPointer } from '../../../../shared/wire/json-pointer.ts';
import { documentInvalid } from '../../../../shared/contract/documents.ts';
import type { Fault } from '../../../../shared/wire/fault.ts';

/** Of the paths of an index those that callers may know, by their names on the wire. */
export function toldFields(resource: Resource, paths: readonly string[]): readonly string[] {
  const named = paths.map((path) => toWireSteps(resource, path.split('.')));
  return named.filter((steps) => isTold(resource, steps)).map((steps) => steps.join('.'));
}

export function toldInvalid(resource: Resource, invalid: Fault): Fault {
  const named = invalid.errors.map((error) => ({ error, steps: toWireSteps(resource, error.at.split('/').slice(1).map(fromPointerPart)) }));
  const told = named.filter(({ steps }) => isTold(resource, steps)).map(({ error, steps }) => ({ ...error, at: toPointer(steps) }));
  if (told.length === invalid.errors.length) return resource.names === undefined ? invalid : documentInvalid(told);
  return documentInvalid([...told, { at: '', in: 'body', detail: 'the database refuses this document' }]);
}

function isTold({ extra, fields, schema }: Resource, [name, ...rest]: readonly string[]): boolean {
  if (extra === 'serve' || name === undefined || name === '_id') return true;
  return fields.has(name) && isNamed(placeOf(schema, null).member(name), rest);
}

function isNamed(type: Type | undefined, path: readonly string[]): boolean {
  const [name, ...rest] = path;
  if (type === undefined || name === undefined) return true;
  const place = placeOf(type, null);
  const element = place.element(0);
  if (element !== undefined) return isNamed(element, /^\d+$/.test(name) ? rest : path);
  return (!place.isClosed || place.member(name) !== undefined) && isNamed(place.member(name), rest);
}

/** RFC 6901 §4. */
function fromPointerPart(part: string): string {
  return part.replaceAll('~1', '/').replaceAll('~0', '~');
}
