/** Documents as an endpoint's handler has them. */
import type * as z from 'zod';
import type { Resource } from '../../shared/contract/resource.ts';
import type { JsonObject } from '../../shared/wire/values.ts';

/** Any field but the id may be missing: field rules hide some, and other programs write what they like. The id is a text, as in paths. */
export type DocumentOf<R extends Resource> = Readonly<Partial<z.output<R['schema']>>> & {
  readonly id: string;
  readonly rev?: number;
  readonly createdAt?: string;
  readonly updatedAt?: string;
};

/** The schema says what writes may make of a document; where others write too, `invalid: 'refuse'` makes that hold of reads. */
export function asDocument<R extends Resource>(shown: JsonObject): DocumentOf<R> {
  const { id } = shown;
  return (typeof id === 'string' ? shown : { ...shown, id: String(id) }) as unknown as DocumentOf<R>;
}
