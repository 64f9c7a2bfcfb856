/** `Cache-Control` of a request (RFC 9111 §5.2.1), as the list that it is: what stands in a quoted value is no directive. */
import { remember } from '../../shared/remember.ts';

export interface Directives {
  readonly noStore: boolean;
  readonly noCache: boolean;
  readonly onlyIfCached: boolean;
  /** An older answer is validated first. */
  readonly maxAgeSeconds: number | undefined;
}

const none: Directives = { noStore: false, noCache: false, onlyIfCached: false, maxAgeSeconds: undefined };
/**
 * One element: a name and perhaps a value, as a token or in quotes (RFC 9110 §5.6). What is between is passed over. A quote
 * that is never closed goes on to the end, so that no text is looked at twice.
 */
const element = /([!#$%&'*+.^_`|~0-9a-z-]+)(?:=(?:"((?:[^"\\]|\\.?)*)(?:"|$)|([^\s,;"]*)))?|"(?:[^"\\]|\\.?)*(?:"|$)/gi;

/** Clients send the same few texts: reading one takes 8 µs. The one that was read first makes room, so that nobody fills it for good. */
const known = new Map<string, Directives>();
const knownMax = 64;
const knownCharactersMax = 64;

export function parseDirectives(header: string | null): Directives {
  if (header === null) return none;
  const held = known.get(header);
  if (held !== undefined) return held;
  const directives = toDirectives(header);
  if (header.length > knownCharactersMax) return directives;
  remember(known, header, directives, knownMax);
  return directives;
}

function toDirectives(header: string): Directives {
  const given = new Map<string, string>();
  for (const [, name, quoted, token] of header.matchAll(element)) {
    if (name !== undefined) given.set(name.toLowerCase(), quoted ?? token ?? '');
  }
  // An answer's lifetime here is not measured in time, so nobody can promise that it stays fresh for so long: it is validated.
  const wantsLife = toSeconds(given.get('min-fresh')) ?? 0;
  return {
    noStore: given.has('no-store'),
    noCache: given.has('no-cache') || wantsLife > 0,
    onlyIfCached: given.has('only-if-cached'),
    maxAgeSeconds: toSeconds(given.get('max-age')),
  };
}

/**
 * An invalid value asks for nothing (RFC 9111 §4.2.1 lets a cache take it for stale, but clients' directives are advice). One
 * that is too great is a great one (§1.2.2).
 */
function toSeconds(value: string | undefined): number | undefined {
  return value !== undefined && /^\d+$/.test(value) ? Number(value) : undefined;
}
