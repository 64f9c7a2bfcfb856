/** The principal as it crosses the hop: JSON in base64url, in a signed header. Absent: nobody signed in. */
import { anonymous, type Principal } from '../wire/principal.ts';

export function formatPrincipal(principal: Principal): string | undefined {
  if (principal.subject === undefined && principal.roles.length === 0) return undefined;
  const bytes = new TextEncoder().encode(JSON.stringify(principal));
  return btoa(String.fromCharCode(...bytes)).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}

/** For a header whose signature was verified: the edge wrote it, so it is well-formed. */
export function mustPrincipal(header: string | null): Principal {
  if (header === null) return anonymous;
  const bytes = Uint8Array.from(atob(header.replaceAll('-', '+').replaceAll('_', '/')), (character) => character.charCodeAt(0));
  return JSON.parse(new TextDecoder().decode(bytes)) as Principal;
}
