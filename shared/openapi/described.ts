/** What the description of the API says of an operation beside what its row says anyway. Nothing is served by it. */
import type { Resource } from '../contract/resource.ts';
import type { Translation } from '../versions/translation.ts';
import type { Json, JsonObject } from '../wire/values.ts';
import type { AnswerHeader } from './headers.ts';

/** `input` is how an older version asks, where it differs. */
export interface Described {
  /** The parameters of its query; none unless said. */
  parameters?(resource: Resource, input?: Translation): readonly QueryParameter[];
  /** Its answers that refuse nothing, but for 304. Unless said: 200, of the row's first media type, with any content. */
  answers?(resource: Resource): readonly DescribedAnswer[];
  /** Bodies by media type, as a caller could send them; those of the schema of the first one are worked out from it. */
  bodies?(resource: Resource, input?: Translation): Readonly<Record<string, Json | undefined>>;
  /** The components that say what a body of another media type than the first is. */
  readonly components?: Readonly<Record<string, string>>;
  /** Further members of the operation, named `x-…` (OpenAPI 3.1 §4.9), and words for people. */
  more?(resource: Resource, input?: Translation): { readonly words: string; readonly extensions: JsonObject };
}

export interface QueryParameter {
  readonly name: string;
  readonly description: string;
  readonly schema: JsonObject;
  readonly isRequired?: boolean;
  /** Several values with commas between. */
  readonly several?: boolean;
  readonly example?: Json;
}

export interface DescribedAnswer {
  readonly status: 200 | 201 | 202 | 204;
  readonly description: string;
  readonly headers: readonly AnswerHeader[];
  readonly mediaType?: string;
  readonly schema?: JsonObject;
  /** The same in other forms: their schemas by media type. */
  readonly forms?: Readonly<Record<string, JsonObject>>;
}

/** Names of components: the document itself, a part of it, and the bodies by operation. */
export function schemaName({ name }: Pick<Resource, 'name'>, part: string | undefined): string {
  return part === undefined ? name : `${name}.${part}`;
}

export function schemaRef(name: string): JsonObject {
  return { $ref: placeOf(name) };
}

/** Where a component stands. */
export function placeOf(name: string): string {
  return `#/components/schemas/${name}`;
}
