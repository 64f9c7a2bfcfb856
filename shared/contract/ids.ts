/**
 * The ids of documents. Whatever is taken as an id, a path can name: bodies and the import ask here too. A UUID has many
 * spellings and is one id: in lower case once it is parsed (RFC 9562 §4).
 */
import { limits } from '../wire/limits.ts';
import type { Resource } from './resource.ts';
import { toUuid } from '../wire/values.ts';

export const idForm = `1 to ${limits.idCharactersMax} characters, no controls or slashes, neither "." nor ".."`;

/** A URL's parser resolves "." and ".." away, percent-encoded too (https://url.spec.whatwg.org/#single-dot-path-segment). */
export function isNameable(id: string): boolean {
  return (
    id !== '' &&
    id.length <= limits.idCharactersMax &&
    id.isWellFormed() &&
    !/[\u0000-\u001f\u007f/\\]/.test(id) &&
    id !== '.' &&
    id !== '..'
  );
}

/** Other texts stay as they are: they name no document, or one that another program wrote. */
export function toCanonicalId({ idKind }: Pick<Resource, 'idKind'>, given: string): string {
  return idKind === 'uuid' ? (toUuid(given) ?? given) : given;
}
