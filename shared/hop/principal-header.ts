/** The principal as it crosses the hop: JSON in base64url, in a signed header. Absent: nobody signed in. */
import { remember } from '../remember.ts';
import { fromBase64, toBase64Url } from '../wire/base64.ts';
import { anonymous, type Principal } from '../wire/principal.ts';

/** Remembers the texts of principals that are kept between requests, as those of verified tokens are. */
const formatted = new WeakMap<Principal, string>();

export function formatPrincipal(principal: Principal): string | undefined {
  if (principal.subject === undefined && principal.roles.length === 0) return undefined;
  const known = formatted.get(principal) ?? format(principal);
  formatted.set(principal, known);
  return known;
}

function format(principal: Principal): string {
  return toBase64Url(new TextEncoder().encode(JSON.stringify(principal)));
}

/** Principals by their headers: whoever asks once asks again. */
const parsed = new Map<string, Principal>();
const parsedMax = 1_024;

/** The principal of a header whose signature was verified: the edge wrote it, so it is well-formed. */
export function mustPrincipal(header: string | null): Principal {
  if (header === null) return anonymous;
  const known = parsed.get(header);
  if (known !== undefined) return known;
  const principal = JSON.parse(new TextDecoder().decode(fromBase64(header))) as Principal;
  remember(parsed, header, principal, parsedMax);
  return principal;
}
