/**
 * Names of what Tombolo keeps for itself in a team's database, `tombolo_<words>`. A team's resource cannot have one: their
 * names hold no underscore.
 */

/** The names of MongoDB's collections that are no resource at all. */
export const engineNames = { meta: 'tombolo_meta', cursors: 'tombolo_cursors', once: 'tombolo_once' } as const;

export function isInternalName(name: string): boolean {
  return /^tombolo(_[a-z0-9]+)+$/.test(name) && name.length <= 63;
}

export function isEngineName(name: string): boolean {
  return Object.values<string>(engineNames).includes(name);
}
