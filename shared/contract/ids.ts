/**
 * The ids of documents. Whatever is taken as an id, a path can name: bodies and the import ask here too. A UUID has many
 * spellings and is one id: in lower case once it is parsed (RFC 9562 §4).
 */
import { limits } from '../wire/limits.ts';
import type { Resource } from './resource.ts';
import { parseExact } from '../wire/exact-numbers.ts';
import { ranks, type SortValue, toUuid } from '../wire/values.ts';

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

/** Whether it is a whole number in the one form that an id has: of any size, since others may have stored such a double. */
export function isIntegerId(text: string): boolean {
  return /^(?:0|-?[1-9]\d{0,308})$/.test(text);
}

/** Whether a new document may have it: every program reads back what 64 bits hold. */
export function isLongId(text: string): boolean {
  return isIntegerId(text) && BigInt.asIntN(64, BigInt(text)) === BigInt(text);
}

/** The JSON of an id: text, but for the integers that every JSON parser reads exactly (SEMANTICS §4). */
export function toIdJson({ idKind }: Pick<Resource, 'idKind'>, id: string): string {
  const isExact = idKind === 'integer' && isIntegerId(id) && Math.abs(Number(id)) <= 2 ** 53 && String(Number(id)) === id;
  return isExact ? id : JSON.stringify(id);
}

/** The value of an id in its document. */
export function toIdValue(resource: Pick<Resource, 'idKind'>, id: string): string | number {
  return JSON.parse(toIdJson(resource, id)) as string | number;
}

/** How an id is ordered: as text, or as the number that it is. */
export function toIdKey({ idKind }: Pick<Resource, 'idKind'>, id: string): SortValue {
  const exact = idKind === 'integer' ? parseExact(id) : undefined;
  return exact === undefined ? { rank: ranks.string, value: id } : { rank: ranks.number, value: exact };
}
