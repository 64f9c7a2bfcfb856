import { bodiesOf } from '../contract/documents.ts';
import type { Resource } from '../contract/resource.ts';
import { exampleOf } from './examples.ts';
import { toJsonSchema } from './json-schema.ts';

/** An id that a document of the resource could have. */
export function exampleIdOf(resource: Resource): string {
  return String(exampleOf(toJsonSchema(bodiesOf(resource).id, 'input')) ?? 'a');
}
