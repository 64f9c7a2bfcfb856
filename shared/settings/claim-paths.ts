/**
 * The paths to claims in the issuer's tokens. A path is names with dots between (`realm_access.roles`).
 * A name that has dots itself stands in double quotes (`"https://example.com/app".roles`), and a whole URL is one
 * name without them (`https://example.com/roles`).
 */
import type { SettingsReader } from './reader.ts';

export type ClaimPath = readonly [string, ...string[]];

export interface ClaimPaths {
  readonly roles: ClaimPath;
  readonly tenant: ClaimPath;
  readonly plan: ClaimPath;
  /** What must name this API: `aud` unless the issuer leaves that out. */
  readonly audience: ClaimPath;
}

export function readClaimPaths(reader: SettingsReader): ClaimPaths {
  const read = (variable: string, fallback: string) => toClaimPath(reader, variable, fallback);
  return {
    roles: read('TOMBOLO_ROLES_CLAIM', 'roles'),
    tenant: read('TOMBOLO_TENANT_CLAIM', 'tenant'),
    plan: read('TOMBOLO_PLAN_CLAIM', 'plan'),
    audience: read('TOMBOLO_AUDIENCE_CLAIM', 'aud'),
  };
}

function toClaimPath(reader: SettingsReader, variable: string, fallback: string): ClaimPath {
  const text = reader.optional(variable) || fallback;
  const path = /^[a-z][a-z0-9+.-]*:\/\/[^"\s]+$/i.test(text) ? [text] : toNames(text);
  const [first, ...rest] = path;
  if (first !== undefined) return [first, ...rest];
  reader.complain(
    variable,
    'must name a claim: names with dots between, such as realm_access.roles, a name with dots in double quotes, or a URL',
  );
  return [fallback];
}

/** The names of a path; none where it is malformed. */
function toNames(text: string): readonly string[] {
  if (!/^(?:"[^"]+"|[^".\s]+)(?:\.(?:"[^"]+"|[^".\s]+))*$/.test(text)) return [];
  return (text.match(/"[^"]+"|[^".]+/g) ?? []).map((name) => name.replaceAll('"', ''));
}
