/**
 * Documents that other programs have made wrong (SEMANTICS §4), where the resource says `invalid: 'refuse'`: they
 * are read by nobody until somebody mends them, by a replacement or a removal for example. Fields that the schema
 * does not name make no document wrong, as in the database's own check.
 */
import type * as z from 'zod';
import { Fault } from '../../shared/wire/fault.ts';
import { opened } from '../../shared/contract/open-schema.ts';
import type { Resource } from '../../shared/contract/resource.ts';
import type { JsonObject } from '../../shared/wire/values.ts';
import type { StoredDocument } from '../store/stored-document.ts';

const schemas = new WeakMap<Resource, z.ZodType>();

export function isServable(resource: Resource, value: JsonObject): boolean {
  return resource.invalid === 'serve' || schemaOf(resource).safeParse(value).success;
}

/** A page with a wrong document is refused, not shortened: nothing is left out in silence. */
export function mustBeServable(resource: Resource, document: StoredDocument): void {
  if (resource.invalid === 'serve') return;
  const { error } = schemaOf(resource).safeParse(document.value);
  if (error === undefined) return;
  const places = [...new Set(error.issues.map(({ path }) => `/${path.map(String).join('/')}`))].slice(0, placesMax);
  throw new Fault('document_damaged', {
    detail: `${resource.name}/${document.id} does not fit its schema at ${places.join(', ')}; another program wrote it so`,
    facts: { resource: resource.name, id: document.id, places },
  });
}

const placesMax = 10;

function schemaOf(resource: Resource): z.ZodType {
  const schema = schemas.get(resource) ?? opened(resource.schema);
  schemas.set(resource, schema);
  return schema;
}
