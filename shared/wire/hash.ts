/**
 * Two small synchronous hashes, the same in every runtime. They spread; they do not guard: whatever an
 * adversary must not be able to choose goes through SHA-256 or HMAC instead.
 */

/** FNV-1a, 32 bits, over UTF-16 code units, finished by murmur3's mixer so that low bits spread as well. */
export function hash32(text: string, seed = 0x811c9dc5): number {
  // The hash begins within 31 bits: V8 takes it for a small integer, and begun past them compiles the loop anew for ever.
  let hash = seed | 0;
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** 64 bits as 16 hex digits: names a contract or a query, where a chance collision must not happen. */
export function digest64(text: string): string {
  return [hash32(text), hash32(text, 0x9747b28c)].map((part) => part.toString(16).padStart(8, '0')).join('');
}

/** JSON with sorted keys, so that equal values give equal text (the idea of RFC 8785). */
export function toCanonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    inner !== null && typeof inner === 'object' && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
      : inner,
  );
}
