/**
 * Names of what Tombolo keeps for itself in a team's database, `tombolo_<words>`. A team's resource cannot have one: their
 * names hold no underscore.
 */

/** The names of MongoDB's collections that are no resource at all. */
export const engineNames = {
  meta: 'tombolo_meta', cursors: 'tombolo_cursors', once: 'tombolo_once', filled: 'tombolo_filled',
} as const;

export function isInternalName(name: string): boolean {
  return /^tombolo(_[a-z0-9]+)+$/.test(name) && name.length <= 63;
}
