/** The key of an `Idempotency-Key` header (draft-ietf-httpapi-idempotency-key-header §2.1), spelt in either of two ways. */

/** What a bare key may be; the quoted one also has spaces, and escapes its quotes and backslashes. */
const bareKey = /^[\x21\x23-\x7e][\x21-\x7e]*$/;
/** A string of RFC 9651 §3.3.3. */
const quotedKey = /^"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"$/;
const keyCharactersMax = 255;

/** `k` and `"k"` are one key. `undefined`: neither form, empty, or longer than 255 characters. */
export function parseIdempotencyKey(header: string): string | undefined {
  const key = quotedKey.exec(header)?.[1]?.replace(/\\(.)/g, '$1') ?? bareKey.exec(header)?.[0];
  return key === undefined || key === '' || key.length > keyCharactersMax ? undefined : key;
}
